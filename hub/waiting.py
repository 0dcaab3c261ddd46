"""Messages that wait for another record of the source: edges between messages, and what becomes of them."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from connectors.base import Event
from hub import problems
from hub.inbox import receive_for
from hub.models import Flow, Lane, Message, Waiting

State, Result = Message.State, Message.Outcome
BREAK = "Break the ring: send one of them without the other."


def wait_for(message: Message, entity: str, key: str) -> str:
    """Makes the message wait for the newest open one of this record, which is received where there is none. Returns
    why it cannot, in words, or nothing."""
    flows = list(Flow.objects.filter(pair=message.flow.pair_id, source_entity=entity, on=True))
    if not flows:
        return f"It needs {entity} {key}, and no flow of this pair that is on sends {entity}. Switch one on."
    awaited = [_newest(flow, entity, key) or receive_for(flow, Event(entity, key)) for flow in flows]
    for one in awaited:
        ring = _way(one.pk, message.pk)
        if ring:
            return f"It would wait for itself, over {_named(ring)}. {BREAK}"
    Waiting.objects.bulk_create([Waiting(waiter=message, awaited=one) for one in awaited], ignore_conflicts=True)
    return ""


def _named(way: list[int]) -> str:
    rows = Message.objects.select_related("lane").in_bulk(way)
    return " for ".join(str(rows[one]) for one in reversed(way))


def _newest(flow: Flow, entity: str, key: str) -> Message | None:
    open_ones = Message.objects.filter(flow=flow, lane__pair=flow.pair_id, lane__entity=entity, lane__key=key).exclude(
        state=State.FINISHED
    )
    return open_ones.order_by("-pk").first()


def _way(start: int, end: int) -> list[int]:
    """The messages on a way along edges from `start` to `end`, or none."""
    came_from = {start: 0}
    new = [start]
    while new and end not in came_from:
        found = Waiting.objects.filter(waiter__in=new).values_list("waiter", "awaited")
        new = [
            came_from.setdefault(awaited, waiter) and awaited for waiter, awaited in found if awaited not in came_from
        ]
    way = []
    step = end if end in came_from else 0
    while step:
        way.append(step)
        step = came_from[step]
    return way


def ended(finished: Iterable[int]) -> None:
    """Inside the transaction that finishes these messages: whoever waited for them goes on.

    A superseded one is waited for no longer: the newer one of its record is. Where one was skipped, its waiters stop:
    what they need is not going to come.
    """
    edges = list(
        Waiting.objects.filter(awaited__in=list(finished)).select_related(
            "awaited__lane", "waiter__lane", "waiter__flow"
        )
    )
    woken = set()
    for edge in edges:
        awaited, waiter = edge.awaited, edge.waiter
        newer = _newest(awaited.flow, awaited.lane.entity, awaited.lane.key)
        if awaited.outcome == Result.SUPERSEDED and newer:
            Waiting.objects.get_or_create(waiter=waiter, awaited=newer)
        elif awaited.outcome == Result.SKIPPED:
            words = f"It needs {awaited.lane}, which was skipped: {awaited.reason}"
            if not _stopped(waiter, f"{words} Let it through, then send this again."):
                woken.add(waiter.lane_id)
        else:
            woken.add(waiter.lane_id)
    Waiting.objects.filter(pk__in=[one.pk for one in edges]).delete()
    Lane.objects.filter(pk__in=woken, claimed_until=None).update(due_at=timezone.now())


def _stopped(waiter: Message, words: str) -> bool:
    """False where it does more than wait: of what may stand in the target nobody lets go."""
    if waiter.state != State.WAITING:
        return False
    stopped = {"state": State.DEAD_LETTER, "kind": "record", "reason": words, "not_before": None}
    problem = problems.assign(waiter, "record", words)
    return bool(Message.objects.filter(pk=waiter.pk, state=State.WAITING).update(**stopped, problem=problem))


@transaction.atomic
def _break_rings() -> None:
    """Two that began to wait for each other at the same moment did not see each other's edge: one of them stops."""
    between = Waiting.objects.filter(waiter__in=Waiting.objects.values("awaited")).select_related("waiter__flow")
    for edge in between.order_by("-pk"):
        ring = _way(edge.awaited_id, edge.waiter_id)
        if ring and _stopped(edge.waiter, f"It waits for itself, over {_named(ring)}. {BREAK}"):
            Waiting.objects.filter(waiter=edge.waiter_id).delete()


def sweep() -> int:
    """Wakes whoever waits for what is finished, and makes the lanes due that have something to do and no time for it:
    both happen only where a wake-up was lost. Returns how many lanes that were."""
    with transaction.atomic():
        ended(Waiting.objects.filter(awaited__state=State.FINISHED).values_list("awaited", flat=True))
    _break_rings()
    idle = Message.objects.filter(
        state__in=(State.WAITING, State.IN_DOUBT, State.RUNNING), waits_for=None, lane__due_at=None
    )
    forgotten = Lane.objects.filter(pk__in=idle.values("lane"), claimed_until=None, due_at=None)
    return forgotten.update(due_at=timezone.now())
