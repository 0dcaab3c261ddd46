"""Runs a sync job: reads the feed of changes a page at a time, and keeps each page's messages with the cursor."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from connectors.base import Change, Cursor, Event
from connectors.errors import ConnectorError
from hub.connecting import connector_of
from hub.inbox import receive
from hub.models import Message, Run, SyncJob
from hub.outcomes import outcome_of

log = logging.getLogger(__name__)
PAGE = 50
# A date has one second: a change may follow another within it. This much later none can come any more, however the two
# clocks differ.
SETTLED = timedelta(seconds=120)
AT_FIRST = 2  # times that a date is received before it is settled
LONGEST = timedelta(minutes=10)  # after which a run whose worker died is started again
ONE_RUN = timedelta(minutes=1)  # after which a run ends with its page, and the next one goes on
REMEMBERED = timedelta(hours=3)  # longer than any overlap, the hour that autumn repeats included
T = TypeVar("T")


def run(job: SyncJob) -> Run:
    """Reads on from the job's cursor until nothing new comes, or for a minute. A failure is kept with the run in words,
    and the next one goes on where this one has committed last."""
    at_work = Run.objects.create(job=job)
    more = False
    try:
        more = _read(job, at_work)
    except Exception as error:  # whatever it is, the job is due again and the run says why
        at_work.problem = outcome_of(error).reason
        if not isinstance(error, ConnectorError):
            log.exception("%s failed", job)
    at_work.finished_at = timezone.now()
    at_work.save()
    job.next_at = timezone.now()
    if not more and (job.kind == SyncJob.Kind.POLL or at_work.problem):
        job.next_at += timedelta(seconds=job.connection.poll_seconds)
    elif not more:
        job.on, job.next_at, job.ended_at = False, None, timezone.now()
    job.save(update_fields=["next_at"] if job.on else ["next_at", "on", "ended_at"])
    return at_work


def is_at_work(one: Run) -> bool:
    """Whether somebody works on this run, as far as anybody can tell: a worker that was killed does not say so."""
    return one.finished_at is None and one.started_at > timezone.now() - LONGEST


def _read(job: SyncJob, at_work: Run) -> bool:
    """Whether there may be more. A run that is cut off has received something new, so that the next one, which begins
    a little earlier, does not read the same for ever."""
    for page in _pages(connector_of(job.connection).changes(job.entity, _since(job))):
        received = at_work.received
        if not _keep(job, at_work, page):
            return False
        if at_work.received > received and timezone.now() - at_work.started_at > ONE_RUN:
            return True
    return False


def _since(job: SyncJob) -> Cursor | None:
    at = job.cursor_at or job.since
    return Cursor(at, job.cursor_key) if at else None


def _pages(changes: Iterator[T]) -> Iterator[list[T]]:
    while page := list(islice(changes, PAGE)):
        yield page


@transaction.atomic
def _keep(job: SyncJob, at_work: Run, page: list[Change]) -> bool:
    """One page: its messages, the cursor and the count, or none of them. False once a backfill has reached its end."""
    inside = [one for one in page if job.until is None or one.at <= job.until]
    new = [one for one in inside if _is_new(job, one)]
    origin = Message.Origin.BACKFILL if job.kind == SyncJob.Kind.BACKFILL else Message.Origin.POLL
    received = receive(job.connection, [Event(one.entity, one.key) for one in new], origin)
    if inside:
        _remember(job, inside, new)
    at_work.read += len(inside)
    at_work.received += len(received)
    at_work.save()
    return len(inside) == len(page)


def _is_new(job: SyncJob, change: Change) -> bool:
    """A date is received when it is first met, once more by the next run, and once more when it is settled: whatever
    else happened within its second, or while the clocks differ, is in one of these."""
    at, times = _seen(job, change)
    if at != change.at.isoformat() or times < AT_FIRST:
        return True
    return times == AT_FIRST and change.at < timezone.now() - SETTLED


def _seen(job: SyncJob, change: Change) -> tuple[str, int]:
    """The date that the record was last received with, and how often."""
    kept = job.seen.get(change.key)
    return (kept[0], kept[1]) if isinstance(kept, list) else (kept or "", AT_FIRST + 1)


def _remember(job: SyncJob, page: list[Change], new: list[Change]) -> None:
    settled = timezone.now() - SETTLED
    for one in new:
        at, times = _seen(job, one)
        again = times + 1 if at == one.at.isoformat() else 1
        job.seen[one.key] = [one.at.isoformat(), AT_FIRST + 1 if one.at < settled else again]
    job.seen = {key: kept for key, kept in job.seen.items() if _young(kept, page[-1].at)}
    job.cursor_at, job.cursor_key = page[-1].cursor.at, page[-1].cursor.key
    job.save(update_fields=["cursor_at", "cursor_key", "seen"])


def _young(kept: Any, reached: datetime) -> bool:
    moment = parse_datetime(kept[0] if isinstance(kept, list) else kept)
    return moment is not None and moment > reached - REMEMBERED
