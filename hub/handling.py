"""What a worker does with a lane that it has claimed: it walks one message along its flow, to its next state.

1. Messages that a newer one replaces and of which nothing has been sent are superseded.
2. A message that was being worked on when its worker died starts again behind its last mark; where something of it had
   been sent, the write asks under the same key before it repeats.
3. What the walk ends in becomes the message's row: finished, waiting for its next try or for another record, held, or
   a dead letter.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from connectors.base import Record, Written
from connectors.errors import ConnectorError
from hub.ageing import OLDEST
from hub.connecting import connectors_of
from hub.evidence import ANSWERED, LINEAGE, Recorder, attempt_of, recording
from hub.finding import email_digest
from hub.keeping import RowKeeper
from hub.lanes import Claim, TakenOver
from hub.ledger import Direct
from hub.masking import is_personal
from hub.models import CrossReference, Message
from hub.outcomes import Outcome, outcome_of
from hub.pipeline import process
from hub.published import published
from hub.scrubbing import scrubbed
from hub.settling import Settlement
from hub.work import Pair, Work
from mappings.paths import NoSuchPath, get
from mappings.texts import fill

State, Result = Message.State, Message.Outcome
FINISHED = {"done": Result.DONE, "skipped": Result.SKIPPED}
STOPPED = {"held": State.HELD, "dead letter": State.DEAD_LETTER}
MOST_TRIES = 10
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=30)
MOST_DEATHS = 3


def handle(claim: Claim, ledger: Direct | None = None, read: Record | ConnectorError | None = None) -> None:
    """Works on the claimed message and gives the lane back. Returns early where it was taken over. `read` is the
    source's record where it was read already, or the error that this gave."""
    ledger = ledger or Direct()
    try:
        deaths = claim.message.deaths + (claim.message.state == State.RUNNING)
        if deaths >= MOST_DEATHS:
            ledger.settle(_killer(claim, deaths))
            return
        _begin(claim, ledger, deaths)
        started = timezone.now()
        keeper = RowKeeper(claim, ledger)
        with recording() as recorder:
            outcome, work = _walk(claim, keeper, read)
        ledger.settle(_settlement(claim, keeper, outcome, work, started, recorder))
    except TakenOver:
        return


def _begin(claim: Claim, ledger: Direct, deaths: int) -> None:
    """From here on a worker that dies is counted."""
    begun = claim.message.first_tried_at or timezone.now()
    values = {"state": State.RUNNING, "deaths": deaths, "first_tried_at": begun}
    ledger.change(claim, values, claim.superseded)


def _killer(claim: Claim, deaths: int) -> Settlement:
    reason = (
        f"{deaths} workers died while they worked on this message, the last with nothing beside it. Our fault: nothing "
        "to correct in the data. Send it again when a new version of the hub runs."
    )
    return Settlement(claim, {"state": State.DEAD_LETTER, "kind": "internal", "reason": reason, "deaths": deaths})


def _walk(claim: Claim, keeper: RowKeeper, read: Record | ConnectorError | None) -> tuple[Outcome, Work | None]:
    row = claim.message.flow
    try:
        flow, (source, target) = published(row), connectors_of(row.pair)
    except Exception as error:  # a wrong setting, rule or key ends the message in words, not the worker
        return outcome_of(error), None
    pair = Pair(source, target, row.pair.namespace, row.settings)
    return process(flow, pair, claim.message.lane.key, keeper, read)


def _settlement(
    claim: Claim, keeper: RowKeeper, outcome: Outcome, work: Work | None, started: datetime, recorder: Recorder
) -> Settlement:
    message, now = claim.message, timezone.now()
    values: dict[str, Any] = {"kind": outcome.kind, "reason": scrubbed(outcome.reason)}
    values["detail"] = scrubbed(outcome.detail)
    values |= {"not_before": None, "marks": keeper.marks, "deaths": 0, "sent_at": keeper.sent_at}
    record = came_in(work) if work else outcome.record
    values |= _told(work.flow.report if work else _report(message), record, message)
    if outcome.written:
        values |= {"target_key": outcome.written.key, "target_link": outcome.written.link}
        values |= {"number": _number(work, work.flow.target, outcome.written) if work else ""}
    refused = None
    if outcome.state in FINISHED:
        values |= {"state": State.FINISHED, "outcome": FINISHED[outcome.state], "finished_at": now}
    elif outcome.kind == "sign-in":
        refused = message.flow.pair.source if outcome.side == "source" else message.flow.pair.target
        values |= {"state": _open_state(message)}
    elif outcome.state in ("waiting", "in doubt"):
        values |= _next_try(message, outcome, now)
    else:
        values |= {"state": STOPPED[outcome.state]}
    attempt, blobs = attempt_of(
        message,
        1,
        started,
        now,
        values.get("outcome") or values["state"],
        values["kind"],
        values["reason"],
        work.seconds if work else [],
        record or None,
        _made(work) if work else {},
        recorder,
        dict(work.flow.versions) if work else {},
    )
    return Settlement(
        claim,
        values,
        attempt,
        blobs,
        _references(message, keeper, work, now),
        needs=outcome.needs,
        refused=refused,
        again=message.first_tried_at is not None,
        system=_system(message, outcome),
        code=outcome.code,
        place=outcome.field,
        unmapped=outcome.unmapped,
    )


def came_in(work: Work) -> Record:
    """The source's own fields, without what the steps added."""
    return {name: value for name, value in work.record.items() if name not in ("settings", "target", *STEPS_ADD)}


def _made(work: Work) -> dict[str, Any]:
    """What was mapped, beside it where each field came from, and what the target says that it has."""
    made: dict[str, Any] = {name: one.record for name, one in work.mapped.items()}
    if made:
        made[LINEAGE] = {name: one.lineage for name, one in work.mapped.items()}
    if work.written:
        made[ANSWERED] = {name: one.record for name, one in work.written.items()}
    return made


STEPS_ADD = ("found", "keys", "mapped", "written", "difference")


def _system(message: Message, outcome: Outcome) -> str:
    pair = message.flow.pair
    return {"source": pair.source.system, "target": pair.target.system}.get(outcome.side, "")


def _told(report: Mapping[str, str], record: Record, message: Message) -> dict[str, Any]:
    """What people find the message by, as far as it could be read."""
    if not record or not report:
        return {}
    told = {name: _at(record, report.get(path, "")) for name, path in TOLD.items()}
    told |= {"reference": str(told["reference"] or "")[:200], "currency": str(told["currency"] or "")[:3]}
    customer, _ = fill(report.get("customer", ""), lambda path: _at(record, path))
    told["customer"] = " ".join(customer.split())[:200]
    email = str(_at(record, report.get("email", "")) or "")
    told["customer_digest"] = email_digest(email, message.flow.pair.namespace)
    return told


def _number(work: Work, name: str, written: Written) -> str:
    """What people call this entity's record by in the target; nothing where that is an e-mail or a name: those are not
    kept."""
    entity = work.pair.target.entity(name)
    if not entity.number or is_personal(entity.number, entity.name):
        return ""
    return str(written.record.get(entity.number) or "")[:200]


def _report(message: Message) -> Mapping[str, str]:
    """The flow's paths for a record that could not be read whole; none where its rows cannot be read either."""
    try:
        return published(message.flow).report
    except Exception:  # what is wrong with them stands in the outcome already
        return {}


TOLD = {"reference": "reference", "amount": "source_total", "currency": "currency"}


def _at(record: Record, path: str) -> Any:
    try:
        return get(record, path) if path else None
    except NoSuchPath:
        return None


def _open_state(message: Message) -> str:
    """Where something may stand in the target of which nobody knows, the message stays in doubt."""
    died_sending = message.state == State.RUNNING and message.sent_at
    return State.IN_DOUBT if message.state == State.IN_DOUBT or died_sending else State.WAITING


def _next_try(message: Message, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Later each time, with a part of chance so that not all come back at once; never before the system allows it.

    A wait for another record has no time. An outage uses up age, not tries: after three days, like after the last try,
    the message is a dead letter.
    """
    state = State.IN_DOUBT if outcome.state == "in doubt" else _open_state(message)
    if outcome.needs:
        return {"state": state}
    tries = message.tries + (not outcome.outage)
    begun = message.first_tried_at or now
    if tries >= MOST_TRIES or now - begun > OLDEST:
        since = f"since {begun:%Y-%m-%d %H:%M} UTC"
        tried = f"Tried {tries} times {since}." if tries >= MOST_TRIES else f"Tried {since}, for three days."
        return {
            "state": State.DEAD_LETTER,
            "tries": tries,
            "reason": f"{outcome.reason} {tried} Send it again when the cause ends.",
        }
    pause = min(FIRST_PAUSE * 2 ** min(max(tries - 1, 0), 9), LONGEST_PAUSE) * (0.75 + random.random() / 2)  # noqa: S311
    return {"state": state, "tries": tries, "not_before": max(now + pause, outcome.after or now)}


def _references(message: Message, keeper: RowKeeper, work: Work | None, now: datetime) -> list[CrossReference]:
    """One for each record that was written or found."""
    if work is None or not work.written:
        return []
    lane, flow = message.lane, work.flow
    digests = {
        step["mapping"]: keeper.marks[step["name"]].get("digest", "")
        for step in flow.steps
        if step["kind"] == "write" and step["name"] in keeper.marks
    }
    told = any(step["kind"] == "write back" and "key" in keeper.marks.get(step["name"], {}) for step in flow.steps)
    return [
        CrossReference(
            pair_id=message.flow.pair_id,
            source_entity=lane.entity,
            source_key=lane.key,
            target_entity=flow.mappings[name].to,
            target_key=written.key,
            label=_number(work, flow.mappings[name].to, written),
            link=written.link,
            hash=digests.get(name, ""),
            written_at=now,
            reported_at=now if told else None,
        )
        for name, written in work.written.items()
    ]
