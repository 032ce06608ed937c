"""`manage.py access_table` writes docs/access.md."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from projects.use_cases import access_table


class Command(BaseCommand):
    help = "Write docs/access.md from projects/use_cases.py."

    def handle(self, *args: Any, **options: Any) -> None:
        (settings.BASE_DIR / "docs" / "access.md").write_text(access_table())
