"""What a person decides about a message that has stopped: it is sent again, or skipped."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hub import problems, waiting
from hub.models import AuditEntry, Block, Lane, Message, Waiting

State, Result = Message.State, Message.Outcome
STOPPED = (State.DEAD_LETTER, State.HELD)


class LeftAsItIs(Exception):
    """Nothing was changed; the words say why, and what to do."""


class NotStopped(LeftAsItIs):
    """The message is neither a dead letter nor held."""


class BeingWorkedOn(LeftAsItIs):
    """A worker is at another message of the same record."""


class NewerWasSent(LeftAsItIs):
    """A later message of the same record has been written since: whoever sends this one anyway has to say so."""


def newer_was_sent(message: Message) -> bool:
    """Whether a later message of the same record and flow stands in the target."""
    later = Message.objects.filter(lane=message.lane_id, flow=message.flow_id, pk__gt=message.pk)
    return later.filter(Q(outcome=Result.DONE) | ~Q(target_key="")).exists()


@transaction.atomic
def send_again(
    message: Message, who: User | None = None, *, anyway: bool = False, after: timedelta | None = None
) -> None:
    """The message waits for its turn, and `after` that long, and resumes behind its last mark, with tries, deaths and
    age counted anew. Raises NotStopped, BeingWorkedOn, and NewerWasSent unless it is to be sent `anyway`."""
    stopped = _stopped(message)
    if stopped.lane.claimed_until and stopped.lane.claimed_until > timezone.now():
        raise BeingWorkedOn(f"{stopped}: a worker is at this record. Send it again when it has ended.")
    if not anyway and newer_was_sent(stopped):
        raise NewerWasSent(
            f"{stopped}: a newer change of this record was sent since. Send this one only if you mean it."
        )
    waits: dict[str, Any] = {"state": State.WAITING, "kind": "", "reason": f"Sent again{_by(who)}.", "detail": ""}
    # Whoever has a first try counts its attempts from there, so it begins anew and is not emptied.
    begun = timezone.now() if stopped.first_tried_at else None
    due = timezone.now() + (after or timedelta())
    waits |= {"not_before": due if after else None, "tries": 0, "deaths": 0, "first_tried_at": begun, "problem": None}
    _change(stopped, message, waits, "sent again", who)
    Lane.objects.filter(pk=stopped.lane_id).update(due_at=due)


@transaction.atomic
def skip(message: Message, reason: str, who: User | None = None) -> None:
    """The message is finished without being sent, and whoever waits for it stops. Raises NotStopped."""
    stopped = _stopped(message)
    finished: dict[str, Any] = {"state": State.FINISHED, "outcome": Result.SKIPPED, "finished_at": timezone.now()}
    finished |= {"kind": "", "reason": f"Skipped{_by(who)}: {reason}", "not_before": None, "problem": None}
    _change(stopped, message, finished, "skipped", who)
    waiting.ended([stopped.pk])


def _by(who: User | None) -> str:
    return f" by {who}" if who else ""


def _stopped(message: Message) -> Message:
    """The message as its row says it now, with its lane locked: nobody else moves it meanwhile."""
    lane = Lane.objects.select_for_update().get(pk=message.lane_id)
    fresh = Message.objects.get(pk=message.pk)
    fresh.lane = lane
    if fresh.state not in STOPPED:
        now = fresh.get_outcome_display() or fresh.get_state_display()
        raise NotStopped(f"{fresh} is {now.lower()}, and only a dead letter or a held message can be decided about.")
    return fresh


def _change(stopped: Message, message: Message, values: dict[str, Any], what: str, who: User | None) -> None:
    """Also in the object that the caller has."""
    before = {name: getattr(stopped, name) for name in ("state", "kind", "reason")}
    Message.objects.filter(pk=stopped.pk).update(**values)
    Waiting.objects.filter(waiter=stopped.pk).delete()
    Block.objects.filter(message=stopped.pk).delete()
    if stopped.problem_id:
        problems.settled(stopped.problem_id)
    after = {name: values[name] for name in before}
    record = f"Message {stopped.pk}: {stopped}"[:300]
    pair = stopped.lane.pair_id
    AuditEntry.objects.create(who=who, what=what, record=record, before=before, after=after, pair_id=pair)
    for name, value in values.items():
        setattr(message, name, value)
