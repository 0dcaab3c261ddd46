"""Deletes what is older than anybody asks for: the worker does it every hour by itself."""

import math
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.tidying import GIGABYTE, Keep, tidy


class Command(BaseCommand):
    help = "Deletes old evidence, finished messages, runs and empty lanes. What is open keeps everything."

    def add_arguments(self, parser: ArgumentParser) -> None:
        usual = Keep()
        parser.add_argument("--evidence-days", type=int, default=usual.evidence_days)
        parser.add_argument("--message-days", type=int, default=usual.message_days)
        parser.add_argument("--run-days", type=int, default=usual.run_days)
        parser.add_argument("--quota", type=float, default=usual.quota_bytes / GIGABYTE, help="GB of evidence a pair")

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = {name: options[name] for name in ("evidence_days", "message_days", "run_days", "quota")}
        for name, number in numbers.items():
            if not 0 <= number <= 100_000:
                raise CommandError(f"--{name.replace('_', '-')} {number}: it must be a number from 0 to 100000.")
        quota = int(numbers.pop("quota") * GIGABYTE)
        for name, count in tidy(Keep(**numbers, quota_bytes=quota), math.inf).items():
            self.stdout.write(f"{name}: {count} deleted")
