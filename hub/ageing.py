"""Messages that an outage has kept waiting for too long: after three days a person has to know."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from hub import problems
from hub.breaker import workable_pairs
from hub.lanes import give_back
from hub.models import Lane, Message

OLDEST = timedelta(days=3)


@transaction.atomic
def end_the_aged() -> int:
    """Makes dead letters of those whose connection is away (its breaker is open, not paused by anybody) and that were
    first tried three days ago. Returns how many there were."""
    now = timezone.now()
    waits = Message.objects.filter(state=Message.State.WAITING, first_tried_at__lt=now - OLDEST, waits_for=None)
    away = waits.exclude(lane__pair__in=workable_pairs(now)).exclude(lane__pair__source__paused=True)
    lanes = Lane.objects.filter(messages__in=away.exclude(lane__pair__target__paused=True), claimed_until=None)
    held = [one.pk for one in lanes.select_for_update(skip_locked=True, of=("self",))]
    aged = list(away.filter(lane__in=held).select_related("flow__pair", "lane"))
    problems.lock({one.flow.pair_id for one in aged})
    for message in aged:
        words = (
            f"{message.reason} Tried since {message.first_tried_at:%Y-%m-%d %H:%M} UTC, for three days. "
            "Send it again when the cause ends."
        )
        problem = problems.assign(message, "temporary", words)
        stopped = {"state": Message.State.DEAD_LETTER, "kind": "temporary", "reason": words, "not_before": None}
        Message.objects.filter(pk=message.pk).update(**stopped, problem=problem)
    give_back({one.lane_id for one in aged})
    return len(aged)
