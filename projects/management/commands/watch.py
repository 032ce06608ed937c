import signal
from typing import Any

from django.core.management.base import BaseCommand

from projects.watcher import Watcher


class Command(BaseCommand):
    help = "Follow the Engine and keep the rows true (started by make up)."

    def handle(self, *args: Any, **options: Any) -> None:
        watcher = Watcher()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: watcher.stop())
        watcher.run()
