"""Batches: what a person does to many messages at once. A worker carries them out; the row says how far it is.

1. A worker takes the batch for a minute, and renews that with every part of it.
2. A part is some messages and the row's new position in one transaction: a killed worker repeats and forgets none.
3. A message that has to stay as it is (somebody was faster, a newer change was sent) is kept with the reason in words.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hub import audit
from hub.again import LeftAsItIs, send_again, skip
from hub.models import Batch, Message, Pair

SEND_AGAIN, SKIP = Batch.Action.SEND_AGAIN, Batch.Action.SKIP
PART = 20  # messages in one transaction
TAKEN = timedelta(minutes=1)
MOST = 100_000  # messages of one batch
MOST_LEFT = 1_000  # of which it is said why they stayed


def start(
    action: str,
    messages: Iterable[int],
    title: str,
    who: User | None,
    pair: Pair | None = None,
    reason: str = "",
    after: timedelta | None = None,
) -> Batch:
    """`messages` are ids, carried out in this order, `after` how long a worker waits before it begins. Raises
    ValueError for none, or too many."""
    ids = list(dict.fromkeys(messages))
    if not ids:
        raise ValueError("There is no message to do this with.")
    if len(ids) > MOST:
        raise ValueError(f"These are {len(ids)} messages; a batch takes {MOST} at most. Narrow them down.")
    batch = Batch.objects.create(
        action=action,
        title=title[:300],
        pair=pair,
        who=who,
        reason=reason[:500],
        messages=ids,
        taken_until=timezone.now() + after if after else None,
    )
    told = {"messages": len(ids), "reason": reason}
    audit.note(who, f"started a batch: {batch.get_action_display().lower()}", batch, None, told, pair)
    return batch


def cancel(batch: Batch, who: User | None) -> bool:
    """What is done stays done. False where it had ended already."""
    ended = Batch.objects.filter(pk=batch.pk, finished_at=None, cancelled_at=None)
    if not ended.update(cancelled_at=timezone.now()):
        return False
    audit.note(who, "cancelled a batch", batch, None, None, batch.pair)
    return True


def due() -> QuerySet[Batch]:
    free = Q(taken_until=None) | Q(taken_until__lte=timezone.now())
    return Batch.objects.filter(free, finished_at=None).order_by("pk")


def work_on(pk: int) -> int:
    """Takes the batch and carries it out to its end, or to its cancelling. Returns how many messages it was done to."""
    if not due().filter(pk=pk).update(taken_until=timezone.now() + TAKEN):
        return 0
    done = 0
    while (part := _part(pk)) is not None:
        done += part
    return done


@transaction.atomic
def _part(pk: int) -> int | None:
    """The next messages; None where there is nothing left to do."""
    batch = Batch.objects.select_for_update().get(pk=pk)
    if batch.finished_at:
        return None
    ids = [] if batch.cancelled_at else batch.messages[batch.position : batch.position + PART]
    if not ids:
        batch.finished_at = timezone.now()
        batch.save(update_fields=["finished_at"])
        return None
    rows = Message.objects.select_related("lane").in_bulk(ids)
    why = {one: _done(batch, rows.get(one)) for one in ids}
    batch.position += len(ids)
    batch.done += sum(not words for words in why.values())
    left = [{"message": one, "why": words} for one, words in why.items() if words]
    batch.left = [*batch.left, *left][:MOST_LEFT]
    batch.taken_until = timezone.now() + TAKEN
    batch.save(update_fields=["position", "done", "left", "taken_until"])
    return len(ids) - len(left)


def _done(batch: Batch, message: Message | None) -> str:
    """Nothing, or why the message stays as it is."""
    if message is None:
        return "It is not kept any more."
    try:
        if batch.action == SKIP:
            skip(message, batch.reason, batch.who)
        else:
            send_again(message, batch.who)
    except LeftAsItIs as error:
        return str(error)
    return ""
