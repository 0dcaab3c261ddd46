"""Receives what changed in a range of dates, and says how far it is."""

from argparse import ArgumentParser
from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from hub.models import Connection, SyncJob
from hub.polling import LONGEST, run


def moment(text: str) -> datetime:
    """A day (its first instant in UTC) or a time, in UTC where it names no zone. Raises ValueError."""
    found = parse_datetime(text) if len(text) > len("2026-01-31") else None
    if found is None:
        day = parse_date(text)
        if day is None:
            raise ValueError(text)
        found = datetime.combine(day, time())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Receives every record of an entity that changed from one date to another: backfill shop orders --since …"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("connection", help="the connection's name")
        parser.add_argument("entity", help="orders, customers, …")
        parser.add_argument("--since", type=moment, required=True, help="a day or a time, UTC: 2026-01-31")
        parser.add_argument("--until", type=moment, help="the same; without it, until now")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = Connection.objects.filter(name=options["connection"]).first()
        if connection is None:
            known = ", ".join(Connection.objects.order_by("name").values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no connection {options['connection']!r}; there are: {known}.")
        until = options["until"] or timezone.now()
        if until <= options["since"]:
            raise CommandError("--until must be later than --since.")
        job = SyncJob.objects.create(
            connection=connection,
            entity=options["entity"],
            kind=SyncJob.Kind.BACKFILL,
            since=options["since"],
            until=until,
            next_at=timezone.now()
            + LONGEST,  # it runs here; a worker takes it only when this ends before it is through
        )
        received = 0
        while job.on:
            done = run(job)
            received += done.received
            if done.problem:
                raise CommandError(f"{done.problem} {received} received so far; the workers go on with it.")
            self.stdout.write(f"{(job.progress or 0) * 100:.0f} %: {received} received")
        self.stdout.write("The workers send them.")
