"""Lanes: what a worker claims, keeps and gives back. One message of a record runs at a time.

A claim is a token and a time until which it holds. Whoever writes says the token; no row means that somebody else has
taken over, and raises TakenOver: stop, whatever you were doing.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from hub.models import Lane, Message
from hub.outcomes import Stop

LEASE = timedelta(seconds=60)
OPEN_AND_DUE = (Message.State.WAITING, Message.State.RUNNING, Message.State.IN_DOUBT)


class TakenOver(Stop):
    """The lane is no longer ours."""


@dataclass(frozen=True)
class Claim:
    lane: int
    token: uuid.UUID


def claim(most: int) -> list[Claim]:
    """Up to `most` lanes that are due and nobody's, oldest first, in one short transaction. Lanes of a paused
    connection stay. A lane whose last worker died comes with nothing beside it."""
    now, token = timezone.now(), uuid.uuid4()
    with transaction.atomic():
        free = claimable(now).order_by("due_at").select_for_update(skip_locked=True, of=("self",))
        found = list(free[:most])
        alone = [one for one in found if one.alone]
        taken = alone[:1] if alone and found[0].alone else [one for one in found if not one.alone]
        ids = [one.pk for one in taken]
        Lane.objects.filter(pk__in=ids).update(token=token, claimed_until=now + LEASE)
    return [Claim(one, token) for one in ids]


def claimable(now: datetime) -> QuerySet[Lane]:
    """Due, nobody's, and of connections that are not paused."""
    unclaimed = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return Lane.objects.filter(
        unclaimed, due_at__lte=now, pair__source__paused=False, pair__target__paused=False
    ).select_related("pair")


def renew(claims: Iterable[Claim]) -> None:
    """Keeps the claims for another lease; those that were taken over stay so."""
    tokens = {one.token for one in claims}
    Lane.objects.filter(token__in=tokens, pk__in=[one.lane for one in claims]).update(
        claimed_until=timezone.now() + LEASE
    )


def release(one: Claim) -> None:
    """Gives the lane back, due when the earliest of its open messages is.

    The row is locked first and the messages are read by a later statement, so that a message which was being received
    meanwhile is seen: receiving holds the same lock until it is committed.
    """
    with transaction.atomic():
        lane = Lane.objects.select_for_update().filter(pk=one.lane, token=one.token).first()
        if lane is None:
            return
        open_ones = Message.objects.filter(lane=lane, state__in=OPEN_AND_DUE)
        due = open_ones.aggregate(due=Min("not_before", filter=Q(not_before__isnull=False)))["due"]
        if open_ones.filter(not_before=None, waits_for=None).exists():
            due = timezone.now()
        Lane.objects.filter(pk=lane.pk).update(token=None, claimed_until=None, due_at=due, alone=False)


def update(one: Claim, message: Message, **values: object) -> None:
    """Changes the message's row if the lane is still ours, and the object with it. Raises TakenOver."""
    ours = Message.objects.filter(pk=message.pk, lane__token=one.token, lane__pk=one.lane)
    if not ours.update(**values):
        raise TakenOver(f"message {message.pk}")
    for name, value in values.items():
        if not isinstance(value, F):
            setattr(message, name, value)
