"""The rule of conservation: what was received is done, skipped, superseded, overtaken or still open; nothing else.

Beside the sums, which the rows could hardly break, everything is looked for that would make a message be lost in
silence: one that nobody will ever claim, one that waits for what has ended, a record that stands twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, F, Q
from django.db.models import Sum as Total
from django.utils import timezone

from hub.models import CrossReference, Flow, Lane, Message, Tally, Waiting

State, Result = Message.State, Message.Outcome
OPEN = tuple(one for one in State if one != State.FINISHED)
A_MOMENT = timedelta(minutes=2)  # in which a sweep mends a lost wake-up
MOST = 10  # messages named of each kind of breach


@dataclass(frozen=True)
class Sum:
    """One flow's messages: `received` as counted one by one, and the same by state and outcome."""

    flow: Flow
    received: int
    states: dict[str, int]

    @property
    def holds(self) -> bool:
        return self.received == sum(self.states.values())


def sums() -> list[Sum]:
    return [_sum(flow) for flow in Flow.objects.select_related("pair").order_by("pair", "pk")]


def _sum(flow: Flow) -> Sum:
    """In one statement, so that no message moves between two counts."""
    names = {f"is_{number}": state for number, state in enumerate([*Result, *OPEN])}
    counts = {
        name: Count("pk", filter=Q(outcome=state) if state in Result.values else Q(state=state))
        for name, state in names.items()
    }
    found = Message.objects.filter(flow=flow).aggregate(received=Count("pk"), **counts)
    tallied = dict(Tally.objects.filter(flow=flow).values_list("outcome").annotate(Total("messages")))
    states = {str(state): found[name] + tallied.get(str(state), 0) for name, state in names.items()}
    return Sum(flow, found["received"] + sum(tallied.values()), states)


def breaches() -> list[str]:
    """What is wrong, in words; empty where nothing is."""
    return [*_never_claimed(), *_waiting_for_nothing(), *_in_a_ring(), *_twice(), *_unexplained()]


def _named(what: str, messages: list[str]) -> Iterator[str]:
    if messages:
        more = f" and {len(messages) - MOST} more" if len(messages) > MOST else ""
        yield f"{what}: {', '.join(messages[:MOST])}{more}."


def _never_claimed() -> Iterator[str]:
    old = timezone.now() - A_MOMENT
    waits = Message.objects.filter(state__in=(State.WAITING, State.IN_DOUBT, State.RUNNING), waits_for=None)
    idle = waits.filter(lane__due_at=None, lane__claimed_until=None, received_at__lt=old).select_related("lane")
    yield from _named("Open, but in no lane that is due", [f"message {one.pk} ({one})" for one in idle])
    running = Message.objects.filter(state=State.RUNNING).values("lane").annotate(n=Count("pk")).filter(n__gt=1)
    yield from _named("Two messages of one lane are running", [f"lane {one['lane']}" for one in running])


def _waiting_for_nothing() -> Iterator[str]:
    ended = timezone.now() - A_MOMENT
    edges = Waiting.objects.filter(awaited__finished_at__lt=ended).select_related("waiter__lane", "awaited__lane")
    yield from _named(
        "Waiting for what has ended", [f"message {one.waiter_id} ({one.waiter}) for {one.awaited}" for one in edges]
    )


def _in_a_ring() -> Iterator[str]:
    """Whoever is left when those who wait for nobody are taken away, again and again, waits in a ring or behind one."""
    waits_for: dict[int, set[int]] = {}
    for waiter, awaited in Waiting.objects.values_list("waiter", "awaited"):
        waits_for.setdefault(waiter, set()).add(awaited)
    while free := [one for one, others in waits_for.items() if not others & waits_for.keys()]:
        for one in free:
            del waits_for[one]
    yield from _named("Waiting for one another", [f"message {one}" for one in sorted(waits_for)])


def _twice() -> Iterator[str]:
    """Two orders of the shop that are one in the ERP. Two customers may be: they have one e-mail."""
    for flow in Flow.objects.select_related("pair").filter(source_entity="orders"):
        sent = CrossReference.objects.filter(
            pair=flow.pair, source_entity=flow.source_entity, target_entity=flow.target_entity
        )
        doubled = sent.values("target_key").annotate(n=Count("pk")).filter(n__gt=1).order_by("target_key")
        yield from _named(f"{flow}: several orders are one there", [one["target_key"] for one in doubled])


def _unexplained() -> Iterator[str]:
    stopped = Message.objects.filter(state__in=(State.DEAD_LETTER, State.HELD), reason="").select_related("lane")
    yield from _named("Stopped without a reason", [f"message {one.pk} ({one})" for one in stopped])
    lost = Message.objects.filter(Q(state=State.FINISHED) & Q(finished_at__lt=F("received_at")))
    yield from _named("Finished before it came", [f"message {one.pk}" for one in lost])
    stuck = Lane.objects.filter(claimed_until__lt=timezone.now() - A_MOMENT, due_at__isnull=False)
    paused = Q(pair__source__paused=True) | Q(pair__target__paused=True)
    yield from _named("Left by a dead worker and not taken over", [str(one) for one in stuck.exclude(paused)])
