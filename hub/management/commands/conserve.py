"""Prints the rule of conservation for this hub, and everything that breaks it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.conservation import breaches, sums


class Command(BaseCommand):
    help = "Counts every message: received = done + skipped + superseded + overtaken + what is open. Fails where not."

    def handle(self, *args: Any, **options: Any) -> None:
        found = sums()
        for one in found:
            parts = " + ".join(f"{count} {state}" for state, count in one.states.items() if count) or "nothing"
            sign = "=" if one.holds else "IS NOT"
            self.stdout.write(f"{one.flow}: {one.received} received {sign} {parts}")
        if not found:
            self.stdout.write("There is no flow yet.")
        wrong = [f"{one.flow}: the sum is off." for one in found if not one.holds] + breaches()
        if wrong:
            raise CommandError("Conservation is broken:\n" + "\n".join(wrong))
        self.stdout.write("Conservation holds.")
