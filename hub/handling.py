"""What a worker does with a lane that it has claimed: one message after the other, each to its next state.

1. Messages that a newer one replaces and of which nothing has been sent are superseded.
2. The oldest that remains is walked along its flow. One that was being worked on when its worker died starts again;
   if something of it had been sent, it starts in doubt, and the write asks under the same key before it repeats.
3. What the walk ends in becomes the message's row: finished, waiting for its next try, held, or a dead letter.
"""

import random
from datetime import timedelta
from typing import Any

from django.utils import timezone

from hub.connecting import connectors_of
from hub.lanes import OPEN_AND_DUE, Claim, TakenOver, release, update
from hub.models import CrossReference, Message
from hub.outcomes import Outcome, outcome_of
from hub.pipeline import process
from hub.published import published
from hub.work import Pair, Work

State, Result = Message.State, Message.Outcome
FINISHED = {"done": Result.DONE, "skipped": Result.SKIPPED}
STOPPED = {"held": State.HELD, "dead letter": State.DEAD_LETTER, "in doubt": State.IN_DOUBT}
MOST_TRIES = 10
OLDEST = timedelta(days=3)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=30)
MOST_DEATHS = 3


def handle(claim: Claim) -> None:
    """Works on the lane until nothing in it is due, and gives it back. Returns early where it was taken over."""
    try:
        while message := _next(claim):
            _handle(claim, message)
        release(claim)
    except TakenOver:
        return


def _next(claim: Claim) -> Message | None:
    now = timezone.now()
    found = Message.objects.filter(lane=claim.lane, lane__token=claim.token, state__in=OPEN_AND_DUE, waits_for=None)
    ordered = found.select_related("flow__pair", "lane").order_by("pk")
    due = [one for one in ordered if one.not_before is None or one.not_before <= now]
    for older in due:
        newer = any(one.flow_id == older.flow_id and one.pk > older.pk for one in due)
        if newer and older.state == State.WAITING and not older.sent_at:
            finished = {"state": State.FINISHED, "outcome": Result.SUPERSEDED, "finished_at": now}
            update(claim, older, **finished, reason="A newer change of the same record came before this was sent.")
        else:
            return older
    return None


def _handle(claim: Claim, message: Message) -> None:
    """Counts a worker that died with the message, and walks it along its flow."""
    died = message.state == State.RUNNING
    deaths = message.deaths + died
    if deaths >= MOST_DEATHS:
        reason = f"{deaths} workers died while they worked on this message. Our fault: nothing to correct in the data."
        update(claim, message, state=State.DEAD_LETTER, kind="internal", reason=reason, deaths=deaths)
        return
    begun = message.first_tried_at or timezone.now()
    update(claim, message, state=State.RUNNING, deaths=deaths, first_tried_at=begun)
    try:
        flow, (source, target) = published(message.flow), connectors_of(message.flow.pair)
    except Exception as error:  # a wrong setting, rule or key ends the message in words, not the worker
        _settle(claim, message, outcome_of(error), None)
        return
    pair = Pair(source, target, message.flow.pair.namespace, message.flow.settings)

    def before_write() -> None:
        update(claim, message, sent_at=timezone.now())

    outcome, work = process(flow, pair, message.lane.key, before_write)
    _settle(claim, message, outcome, work)


def _settle(claim: Claim, message: Message, outcome: Outcome, work: Work | None) -> None:
    now = timezone.now()
    values: dict[str, Any] = {
        "kind": outcome.kind,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "not_before": None,
    }
    if work:
        values |= _told(message, work)
    if outcome.state in FINISHED:
        values |= {"state": State.FINISHED, "outcome": FINISHED[outcome.state], "finished_at": now}
        if outcome.written:
            values |= {"target_key": outcome.written.key, "target_link": outcome.written.link}
    elif outcome.state in ("waiting", "in doubt"):
        values |= _next_try(message, outcome, now)
    else:
        values |= {"state": STOPPED[outcome.state]}
    if outcome.written and work:
        _remember(message, work)
    update(claim, message, **values)


def _told(message: Message, work: Work) -> dict[str, Any]:
    """What people find the message by."""
    report, get = published(message.flow).report, work.scope.get
    return {
        "reference": str(get(report["reference"]) or ""),
        "amount": get(report["source_total"]),
        "currency": str(get(report["currency"]) or ""),
    }


def _next_try(message: Message, outcome: Outcome, now: Any) -> dict[str, Any]:
    """Later each time, with a part of chance so that not all come back at once; never before the system allows it.
    After the last try, or after three days, a dead letter."""
    tries = message.tries + 1
    begun = message.first_tried_at or now
    if tries >= MOST_TRIES or now - begun > OLDEST:
        said = (
            f"{outcome.reason} Tried {tries} times since {begun:%Y-%m-%d %H:%M} UTC. Send it again when the cause ends."
        )
        return {"state": State.DEAD_LETTER, "tries": tries, "reason": said}
    pause = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE) * (0.75 + random.random() / 2)  # noqa: S311
    at = max(now + pause, outcome.after or now)
    state = State.IN_DOUBT if outcome.state == "in doubt" else State.WAITING
    return {"state": state, "tries": tries, "not_before": at}


def _remember(message: Message, work: Work) -> None:
    """One cross-reference for each record that was written or found."""
    flow = work.flow
    for name, written in work.written.items():
        CrossReference.objects.update_or_create(
            pair=message.flow.pair,
            source_entity=message.lane.entity,
            source_key=message.lane.key,
            target_entity=flow.mappings[name].to,
            defaults={"target_key": written.key, "link": written.link, "written_at": timezone.now()},
        )
