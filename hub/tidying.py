"""Tidies up: evidence, finished messages, runs and lanes that are older than anybody asks for.

What is open keeps everything. Cross-references, problems and audit entries stay for ever, and finished messages that go
are counted first. Each batch is a transaction of its own, so that a second one at the same time, or one that was broken
off, does no harm.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from hub.models import Attempt, Evidence, Lane, Message, Pair, Run, Tally, Waiting

BATCH = 500
GIGABYTE = 1024**3
FINISHED = Message.State.FINISHED
Batch = Callable[[], int | None]  # deletes some rows and says how many; None where nothing is left


@dataclass(frozen=True)
class Keep:
    """How long things are kept: days since evidence was last stored, since messages were finished and since runs began,
    and bytes of evidence for each pair."""

    evidence_days: int = 90
    message_days: int = 400
    run_days: int = 90
    quota_bytes: int = 2 * GIGABYTE


def tidy(keep: Keep | None = None, seconds: float = 120.0) -> dict[str, int]:
    """Returns how many rows of each kind went. Kinds take turns, a batch each; after `seconds` no further batch is
    begun, and the next time goes on."""
    keep, now, until = keep or Keep(), timezone.now(), time.monotonic() + seconds
    pairs = list(Pair.objects.values_list("pk", flat=True))
    work: list[tuple[str, Batch]] = [
        *(("evidence", Walk(one, now - timedelta(days=keep.evidence_days)).batch) for one in pairs),
        *(("evidence over the quota", Walk(one, now, keep.quota_bytes).batch) for one in pairs),
        ("messages", lambda: _messages(now - timedelta(days=keep.message_days))),
        ("runs", lambda: _runs(now - timedelta(days=keep.run_days))),
    ]
    gone = dict.fromkeys((*(name for name, _ in work), "lanes"), 0)
    for together in (work, [("lanes", _lanes)]):  # lanes are empty once their messages are gone
        while together and time.monotonic() < until:
            name, batch = together.pop(0)
            count = batch()
            if count is not None:
                gone[name] += count
                together.append((name, batch))
    return gone


class Walk:
    """Over the evidence of a pair that was stored before this time, oldest first, and past what open messages have;
    where a quota is given, only as far as it is exceeded."""

    def __init__(self, pair: int, before: datetime, quota: int | None = None) -> None:
        self._rows = Evidence.objects.filter(pair=pair)
        self._before = before
        self._quota = quota
        self._at: tuple[datetime, str] | None = None

    def batch(self) -> int | None:
        over = self._over()
        found = list(self._next()) if over > 0 else []
        if not found:
            return None
        self._at = found[-1][1], found[-1][0]
        needed = _of_open_messages([digest for digest, _, _ in found])
        gone = []
        for digest, _, size in found:
            if digest not in needed and over > 0:
                gone.append(digest)
                over -= size
        # One that an attempt has stored again meanwhile is newer than this batch, and stays.
        deleted, _ = self._rows.filter(pk__in=gone, stored_at__lte=found[-1][1]).delete()
        return deleted

    def _over(self) -> float:
        """Bytes that may still go."""
        if self._quota is None:
            return float("inf")
        return (self._rows.aggregate(sum=Sum("size"))["sum"] or 0) - self._quota

    def _next(self) -> QuerySet[Evidence, tuple[str, datetime, int]]:
        rows = self._rows.filter(stored_at__lt=self._before).order_by("stored_at", "digest")
        if self._at:
            at, digest = self._at
            rows = rows.filter(Q(stored_at__gt=at) | Q(stored_at=at, digest__gt=digest), stored_at__gte=at)
        return rows.values_list("digest", "stored_at", "size")[:BATCH]


def _of_open_messages(digests: list[str]) -> set[str]:
    attempts = Attempt.objects.exclude(message__state=FINISHED)
    attempts = attempts.filter(Q(came_in__in=digests) | Q(mapped__in=digests) | Q(calls__in=digests))
    return {one for digests in attempts.values_list("came_in", "mapped", "calls") for one in digests}


def _messages(before: datetime) -> int | None:
    """Counts finished messages that nobody waits for, and deletes them with their attempts."""
    open_waiters = Waiting.objects.filter(awaited=OuterRef("pk")).exclude(waiter__state=FINISHED)
    with transaction.atomic():
        old = Message.objects.filter(~Exists(open_waiters), state=FINISHED, finished_at__lt=before)
        rows = old.order_by("finished_at", "pk").select_for_update(skip_locked=True)
        found = list(rows.values_list("pk", "flow", "received_at", "outcome")[:BATCH])
        _count(Counter((flow, at.astimezone(UTC).date(), outcome) for _, flow, at, outcome in found))
        Message.objects.filter(pk__in=[pk for pk, *_ in found]).delete()
    return len(found) or None


def _count(counts: Counter[tuple[int, object, str]]) -> None:
    keys = sorted(counts)  # in one order everywhere: no two wait for each other
    names = ("flow_id", "day", "outcome")
    Tally.objects.bulk_create([Tally(**dict(zip(names, one, strict=True))) for one in keys], ignore_conflicts=True)
    for one in keys:
        row = Tally.objects.filter(**dict(zip(names, one, strict=True)))
        row.update(messages=F("messages") + counts[one])


def _runs(before: datetime) -> int | None:
    newer = Run.objects.filter(job=OuterRef("job"), pk__gt=OuterRef("pk"))
    found = Run.objects.filter(Exists(newer), started_at__lt=before).order_by("pk").values_list("pk", flat=True)
    deleted, _ = Run.objects.filter(pk__in=list(found[:BATCH])).delete()
    return deleted or None


def _lanes() -> int | None:
    """Lanes that have neither messages nor anything to do; one that is just receiving is locked, and left alone."""
    with transaction.atomic():
        idle = Lane.objects.filter(~Exists(Message.objects.filter(lane=OuterRef("pk"))), due_at=None, token=None)
        rows = idle.order_by("pk").select_for_update(skip_locked=True)
        found = list(rows.values_list("pk", flat=True)[:BATCH])
        Lane.objects.filter(pk__in=found).delete()
    return len(found) or None
