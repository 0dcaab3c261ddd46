"""Lanes: what a worker claims, keeps and gives back. One message of a record runs at a time.

A claim is a token and a time until which it holds. Whoever writes says the token; no row means that somebody else has
taken over, and raises TakenOver: stop, whatever you were doing.
"""

import os
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from hub.breaker import workable_pairs
from hub.models import CrossReference, Flow, Lane, Message, Slice, Waiting
from hub.outcomes import Stop
from hub.processes import gone, of_this_machine, this_process
from hub.work import Reference

LEASE = timedelta(seconds=60)
State = Message.State
Key = tuple[int, uuid.UUID]  # a lane, and the token of who has it
OPEN_AND_DUE = (State.WAITING, State.RUNNING, State.IN_DOUBT)


class TakenOver(Stop):
    """The lane is no longer ours."""


@dataclass(frozen=True)
class Claim:
    """A lane that is ours, the message of it to work on, those that this one replaces, and what the cross-references
    say of the record."""

    lane: int
    token: uuid.UUID
    message: Message
    superseded: tuple[int, ...] = ()
    references: tuple[tuple[str, Reference], ...] = ()

    @property
    def key(self) -> Key:
        return self.lane, self.token


def claim(most: int, *, idle: bool = True, pairs: Collection[int] | None = None) -> list[Claim]:
    """Up to `most` lanes that are due and nobody's, oldest first, in one short transaction, each with its message.
    Lanes of a connection that is paused or away stay. A lane that is to run alone comes with nothing beside it, and
    only to a worker that is idle; until it is, nothing else is claimed."""
    now, token = timezone.now(), uuid.uuid4()
    with transaction.atomic():
        free = claimable(now, pairs).order_by("-alone", "due_at").select_for_update(skip_locked=True)
        found = list(free[:most])
        if found and found[0].alone:
            found = found[:1] if idle else []
        ids = [one.pk for one in found]
        mine = {"token": token, "claimed_until": now + LEASE, "claimed_by": this_process(os.getpid())}
        if ids:
            Lane.objects.filter(pk__in=ids).update(**mine)
        claims = _with_messages(found, token, now)
        give_back([one.pk for one in found if one.pk not in {claimed.lane for claimed in claims}])
        suspects = {one.lane for one in claims if died_again(one.message) and not one.message.lane.alone}
        if suspects:
            nobodys = {"token": None, "claimed_until": None, "claimed_by": ""}
            Lane.objects.filter(pk__in=suspects).update(**nobodys, alone=True)
    claims = [one for one in claims if one.lane not in suspects]
    return claim(most, idle=idle, pairs=pairs) if suspects and not claims and idle else claims


def died_again(message: Message) -> bool:
    """Whether a second worker has died with this message, so that it runs with nothing beside it."""
    return message.state == State.RUNNING and message.deaths > 0


def claimable(now: datetime, pairs: Collection[int] | None = None) -> QuerySet[Lane]:
    """Due, nobody's, and of connections that are neither paused nor away; of these pairs alone where some are named."""
    unclaimed = Q(claimed_until=None) | Q(claimed_until__lte=now)
    workable = [one for one in workable_pairs(now) if pairs is None or one in pairs]
    return Lane.objects.filter(unclaimed, due_at__lte=now, pair__in=workable)


def _with_messages(lanes: list[Lane], token: uuid.UUID, now: datetime) -> list[Claim]:
    if not lanes:
        return []
    plans = {lane: plan(messages, now) for lane, messages in _open_messages([one.pk for one in lanes]).items()}
    ready = [(lane, plans[lane.pk]) for lane in lanes if lane.pk in plans and plans[lane.pk].message]
    flows = Flow.objects.select_related("pair__source", "pair__target").in_bulk(
        {planned.message.flow_id for _, planned in ready if planned.message}
    )
    references = _references([lane for lane, _ in ready])
    claims = []
    for lane, planned in ready:
        assert planned.message is not None  # noqa: S101
        message = planned.message
        message.lane, message.flow = lane, flows[message.flow_id]
        known = tuple(references[lane.pair_id, lane.entity, lane.key])
        claims.append(Claim(lane.pk, token, message, planned.superseded, known))
    return claims


@dataclass(frozen=True)
class Plan:
    """What there is to do in a lane: the message to work on now and those that it replaces, or when it is due."""

    message: Message | None = None
    superseded: tuple[int, ...] = ()
    due_at: datetime | None = None


def plan(messages: list[Message], now: datetime) -> Plan:
    """Of a lane's open messages, by age. In each flow a newer one replaces those before it of which nothing was sent
    and nobody is at work; what remains keeps its order, so that one in doubt lets no newer one pass. One that waits for
    another record (`waits`) is due when that ends."""
    best: Plan = Plan()
    for flow in dict.fromkeys(one.flow_id for one in messages):
        own = [one for one in messages if one.flow_id == flow]
        stale = [one for one in own[:-1] if one.state == State.WAITING and not one.sent_at]
        first = next(one for one in own if one not in stale)
        if getattr(first, "waits", False):
            continue
        at = max(first.not_before, now) if first.not_before else now
        if best.due_at is None or at < best.due_at:
            ready = first if at <= now else None
            best = Plan(ready, tuple(one.pk for one in stale if one.pk < first.pk), at)
    return best


def _open_messages(lanes: Iterable[int]) -> dict[int, list[Message]]:
    """By lane, by age, each with `waits`: whether it waits for another record."""
    found: dict[int, list[Message]] = defaultdict(list)
    waits = Exists(Waiting.objects.filter(waiter=OuterRef("pk")))
    open_ones = Message.objects.filter(lane__in=lanes, state__in=OPEN_AND_DUE).annotate(waits=waits)
    for message in open_ones.order_by("pk"):
        found[message.lane_id].append(message)
    return found


def _references(lanes: list[Lane]) -> dict[tuple[int, str, str], list[tuple[str, Reference]]]:
    wanted = Q(pk__in=[])
    for pair, entity in {(one.pair_id, one.entity) for one in lanes}:
        keys = [one.key for one in lanes if (one.pair_id, one.entity) == (pair, entity)]
        wanted |= Q(pair=pair, source_entity=entity, source_key__in=keys)
    found: dict[tuple[int, str, str], list[tuple[str, Reference]]] = defaultdict(list)
    for one in CrossReference.objects.filter(wanted):
        known = Reference(one.target_key, one.link, one.hash, one.reported_at)
        found[one.pair_id, one.source_entity, one.source_key].append((one.target_entity, known))
    return found


def renew(claims: Iterable[Claim]) -> None:
    """Keeps the claims for another lease; those that were taken over stay so."""
    by_token: dict[uuid.UUID, list[int]] = defaultdict(list)
    for one in claims:
        by_token[one.token].append(one.lane)
    for token, lanes in by_token.items():
        Lane.objects.filter(token=token, pk__in=lanes).update(claimed_until=timezone.now() + LEASE)


def held(claims: Iterable[Claim]) -> tuple[set[Key], set[Key]]:
    """Inside a transaction: the lanes that are still ours, locked now, and those that are ours but locked by somebody
    else for a moment (a message that is being received). Nothing is waited for, so that no two workers ever wait for
    each other."""
    keys = {one.key for one in claims}
    locked = Lane.objects.filter(pk__in={lane for lane, _ in keys}).select_for_update(skip_locked=True)
    ours = keys & set(locked.values_list("pk", "token"))
    rest = keys - ours
    if not rest:
        return ours, set()
    now = Lane.objects.filter(pk__in={lane for lane, _ in rest}).values_list("pk", "token")
    return ours, rest & set(now)


def give_back(lanes: Iterable[int]) -> None:
    """Inside the transaction that holds the lanes: due when the earliest of their open messages is.

    The rows are locked and the messages are read by a later statement, so that a message which was being received
    meanwhile is seen: receiving holds the same lock until it is committed.
    """
    ids = set(lanes)
    if not ids:
        return
    now = timezone.now()
    plans = {lane: plan(messages, now) for lane, messages in _open_messages(ids).items()}
    due = {lane: one.due_at for lane, one in plans.items() if one.due_at}
    free = {"token": None, "claimed_until": None, "claimed_by": "", "alone": False}
    Lane.objects.filter(pk__in=ids - due.keys()).update(**free, due_at=None)
    for lane, at in due.items():
        Lane.objects.filter(pk=lane).update(**free, due_at=at)


def free_what_the_dead_hold() -> int:
    """Lanes of worker processes of this machine that are gone can be claimed at once, and what they might still have
    asked of a system is anybody's. Returns how many lanes there were."""
    now, here = timezone.now(), of_this_machine()
    lanes = Lane.objects.filter(claimed_until__gt=now, claimed_by__startswith=here).order_by()
    slices = Slice.objects.filter(process__startswith=here)
    names = {*lanes.values_list("claimed_by", flat=True), *slices.values_list("process", flat=True)}
    dead = gone(names)
    if not dead:
        return 0
    Slice.objects.filter(process__in=dead).delete()
    return Lane.objects.filter(claimed_by__in=dead, claimed_until__gt=now).update(claimed_until=now)
