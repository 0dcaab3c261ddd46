"""The rows of a quota: what a process takes of it, who blocks it and how its breaker opens. Short transactions all."""

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from connectors.base import Pace
from hub.models import Quota, Slice

LEASE = timedelta(seconds=20)  # after which slots that nobody has renewed are anybody's
ASKING = timedelta(seconds=2)  # for which a process without a slot is known to want one
RETURNED = timedelta(seconds=2)  # within which calls that were leased and not made go back
BURST = 5  # this part of a pace's calls may leave at once
FIRST_OPEN, LONGEST_OPEN = timedelta(seconds=15), timedelta(minutes=5)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Wanted:
    """What a process asks for. It gives back calls that it has not made, and has some under way."""

    holder: uuid.UUID
    pace: Pace
    calls: int
    unused: int
    slots: int
    under_way: int
    process: str = ""


@dataclass
class Lease:
    """What the rows gave at `at`, and what they said. More calls are there at `more_at`. `held` slots stand in the row,
    more than `slots` while calls are under way that began with more. Where one is `missed`, another process has none.
    """

    at: datetime = NEVER
    calls: int = 0
    slots: int = 0
    held: int = 0
    more_at: datetime = NEVER
    missed: bool = False
    open: bool = False
    blocked_until: datetime = NEVER
    because: str = ""


def lease(owner: str, wanted: Wanted, now: datetime) -> Lease:
    """Nothing of a quota that is blocked, and nothing but its state where there is no pace."""
    if not wanted.pace.calls and not wanted.pace.at_once:
        return _said(Quota.objects.filter(owner=owner).first() or Quota.objects.get_or_create(owner=owner)[0], now)
    with transaction.atomic():
        locked = Quota.objects.select_for_update().filter(owner=owner).first()
        row = locked or Quota.objects.get_or_create(owner=owner)[0]
        given = _said(row, now)
        if not given.open and given.blocked_until <= now:
            if wanted.pace.calls:
                _take_calls(row, wanted, given)
            if wanted.pace.at_once:
                _take_slots(row, wanted, given)
    return given


def _said(row: Quota, now: datetime) -> Lease:
    is_open = row.breaker == Quota.Breaker.OPEN
    return Lease(now, open=is_open, blocked_until=row.blocked_until or NEVER, because=row.because)


def bucket(pace: Pace) -> tuple[float, int]:
    """How many calls come into the bucket each second, and how many it holds: so that no window of the pace's seconds,
    however it lies, sees more than the pace's calls, late ones of a lease included."""
    if not pace.calls:
        return 0.0, 0
    most = max(1, pace.calls // BURST)
    return (pace.calls + 1 - most) / (pace.seconds + RETURNED.total_seconds()), most


def _take_calls(row: Quota, wanted: Wanted, given: Lease) -> None:
    """A time ahead of ours is another host's clock; one that is more than a minute ahead was wrong."""
    rate, most = bucket(wanted.pace)
    left, filled = float(most), given.at
    if row.refilled_at:
        passed = max(0.0, (given.at - row.refilled_at).total_seconds())
        left = min(most, row.calls_left + wanted.unused + passed * rate)
        if given.at < row.refilled_at < given.at + timedelta(minutes=1):
            filled = row.refilled_at
    given.calls = min(wanted.calls, int(left))
    if not given.calls:
        given.more_at = given.at + timedelta(seconds=(1 - left) / rate)
    Quota.objects.filter(pk=row.pk).update(calls_left=left - given.calls, refilled_at=filled)


def _take_slots(row: Quota, wanted: Wanted, given: Lease) -> None:
    """What is free; no more than an equal share where somebody has none, and where that is less than one, in turns.
    Calls under way keep their slots until they end."""
    slices = list(Slice.objects.filter(quota=row))
    others = [one.slots for one in slices if one.until > given.at and one.holder != wanted.holder]
    had = sum(one.slots for one in slices if one.until > given.at and one.holder == wanted.holder)
    given.missed = 0 in others
    given.slots = min(wanted.slots, max(0, wanted.pace.at_once - sum(others)))
    if given.missed:
        share = wanted.pace.at_once // (len(others) + 1)
        given.slots = min(given.slots, share if share or had else 1)
    given.held = max(given.slots, wanted.under_way)
    until = given.at + (LEASE if given.held else ASKING)
    if any(one.until <= given.at for one in slices):
        Slice.objects.filter(quota=row, until__lte=given.at).delete()
    if not Slice.objects.filter(quota=row, holder=wanted.holder).update(slots=given.held, until=until):
        Slice.objects.create(quota=row, holder=wanted.holder, process=wanted.process, slots=given.held, until=until)


def block(owner: str, until: datetime, because: str) -> None:
    """Never shortens a block."""
    shorter = Q(blocked_until=None) | Q(blocked_until__lt=until)
    Quota.objects.filter(shorter, owner=owner).update(blocked_until=until, because=because)


@transaction.atomic
def open_breaker(owner: str, because: str, now: datetime) -> None:
    """Once, whoever else finds the same."""
    row = Quota.objects.select_for_update().filter(owner=owner, breaker=Quota.Breaker.CLOSED).first()
    if row is None:
        return
    row.breaker, row.opened_at, row.openings, row.because = Quota.Breaker.OPEN, now, row.openings + 1, because
    row.blocked_until, row.probed_until = now + rest(row.openings), None
    row.save(update_fields=["breaker", "opened_at", "openings", "because", "blocked_until", "probed_until"])


def rest(openings: int) -> timedelta:
    """How long an open breaker rests before its next probe, with a part of chance."""
    doubled: timedelta = FIRST_OPEN * 2 ** min(max(0, openings - 1), 10)
    return min(LONGEST_OPEN, doubled) * (0.875 + random.random() / 4)  # noqa: S311
