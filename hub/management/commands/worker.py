"""Works on messages and sync jobs until it is stopped."""

from typing import Any

from django.core.management.base import BaseCommand

from hub.supervisor import Supervisor


class Command(BaseCommand):
    help = "Works on messages and sync jobs. Stop it with Ctrl-C; what is at work is finished first."

    def handle(self, *args: Any, **options: Any) -> None:
        Supervisor().run()
