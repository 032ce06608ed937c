from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from projects.management.serve import serve
from projects.management.setup import prepare


class Command(BaseCommand):
    help = "Prepare everything and serve until Ctrl-C (make up). Containers run on when the hub ends."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prepare", action="store_true", help="Only tables, static files and the image, as it is here.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["prepare"]:
            prepare(rebuild=True)
        else:
            serve()
