"""Settles messages: what a walk ended in becomes rows, for many messages in one transaction.

1. Lanes that are no longer ours are left alone; one that is locked for a moment is settled in the next transaction.
2. Messages, attempts, evidence and cross-references are written.
3. Whoever waited for a finished message goes on; older dead letters of a done one are overtaken; problems open and
   close.
4. The lanes are given back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from hub import evidence, problems, waiting
from hub.lanes import Claim, Key, give_back, held
from hub.models import Attempt, Block, CrossReference, Evidence, Message
from hub.pausing import pause
from hub.unmapped import blocked
from hub.updating import update

State, Result = Message.State, Message.Outcome
STOPPED = (State.DEAD_LETTER, State.HELD)


@dataclass
class Settlement:
    """What a message's row becomes, and what else has to be true in the same instant. `needs` is the entity and key of
    the record that it waits for; `refused` the connection whose sign-in was
    refused; `again` says that this was not the message's first attempt, `unmapped` are
    lookup tables and the codes that they do not know."""

    claim: Claim
    values: dict[str, Any]
    attempt: Attempt | None = None
    evidence: Sequence[Evidence] = ()
    references: Sequence[CrossReference] = ()
    needs: tuple[str, str] | None = None
    refused: Any = None
    again: bool = False
    system: str = ""
    code: str = ""
    place: str = ""
    unmapped: Sequence[tuple[str, str]] = ()

    @property
    def message(self) -> Message:
        return self.claim.message


@dataclass
class Settled:
    """By lane: done with, ours no longer, or to be settled again in a moment."""

    settled: set[Key] = field(default_factory=set)
    lost: set[Key] = field(default_factory=set)
    busy: set[Key] = field(default_factory=set)


def settle(many: Sequence[Settlement]) -> Settled:
    """In one transaction. Raises what the database raises; then nothing is settled."""
    with transaction.atomic():
        ours, busy = held(one.claim for one in many)
        mine = [one for one in many if one.claim.key in ours]
        touched = [one for one in mine if one.values["state"] in STOPPED or one.message.problem_id]
        problems.lock({one.message.flow.pair_id for one in touched})
        # In one order everywhere: two processes that receive the same needed records would wait for each other.
        in_turn = sorted(mine, key=lambda one: one.needs or ("", ""))
        former = {one.message.pk: _completed(one) for one in in_turn}
        update((one.message.pk, one.values) for one in mine)
        for one in mine:
            _close(one, former[one.message.pk])
        _block([one for one in mine if one.unmapped and one.values["state"] in STOPPED])
        Attempt.objects.bulk_create(_numbered(mine))
        evidence.store([blob for one in mine for blob in one.evidence])
        _remember([reference for one in mine for reference in one.references])
        _consequences([one.message.pk for one in mine if one.values["state"] == State.FINISHED])
        _overtake([one for one in mine if one.values.get("outcome") == Result.DONE])
        _replace([one for one in mine if one.values["state"] in STOPPED])
        give_back(one.claim.lane for one in mine)
    lost = {one.claim.key for one in many} - ours - busy
    return Settled(ours, lost, busy)


def _numbered(mine: list[Settlement]) -> list[Attempt]:
    attempts = {one.message.pk: one.attempt for one in mine if one.attempt}
    again = [one.message.pk for one in mine if one.again]
    for message, number in Attempt.objects.filter(message__in=again).values_list("message", "number"):
        attempts[message].number = max(attempts[message].number, number + 1)
    return list(attempts.values())


def _completed(one: Settlement) -> int | None:
    """Adds to the values what only the rows can say; returns the problem that the message was part of."""
    message, values = one.message, one.values
    if one.needs and (words := waiting.wait_for(message, *one.needs)):
        values |= {"state": State.DEAD_LETTER, "kind": "record", "reason": words, "not_before": None}
        if one.attempt:
            one.attempt.ended_in, one.attempt.reason = State.DEAD_LETTER, words
    if one.refused:
        pause(one.refused, values["reason"])
    former = message.problem_id
    if values["state"] in STOPPED:
        names = {"system": one.system, "code": one.code, "field": one.place}
        values["problem"] = problems.assign(message, values["kind"], values["reason"], **names)
    elif former:
        values["problem"] = None
    return former


def _close(one: Settlement, former: int | None) -> None:
    if former and (one.values["problem"] is None or one.values["problem"].pk != former):
        problems.settled(former)


def _remember(references: list[CrossReference]) -> None:
    """One cross-reference for each record that was written or found. When the source was told is not forgotten by a
    walk that had nothing to tell."""
    unique = ["pair", "source_entity", "source_key", "target_entity"]
    written = ["target_key", "label", "link", "hash", "written_at"]
    for fields, some in (
        (written, [one for one in references if one.reported_at is None]),
        ([*written, "reported_at"], [one for one in references if one.reported_at is not None]),
    ):
        if some:
            CrossReference.objects.bulk_create(some, update_conflicts=True, unique_fields=unique, update_fields=fields)


def _block(stopped: list[Settlement]) -> None:
    if stopped:
        codes = {one.message.pk: one.unmapped for one in stopped}
        blocked(codes, {one.message.pk: one.message.flow.pair_id for one in stopped})


def _consequences(finished: Iterable[int]) -> None:
    ids = list(finished)
    if ids:
        waiting.ended(ids)


def _overtake(done: list[Settlement]) -> None:
    """A dead letter of the same record that is older than what is done now is pointless."""
    old = _older(done, (State.DEAD_LETTER,))
    _finish(old, Result.OVERTAKEN, "A newer change of the same record was sent since.")


def _replace(stopped: list[Settlement]) -> None:
    """One record waits for a person once: an older message of it that had stopped, too, is replaced."""
    old = [one for one in _older(stopped, STOPPED) if one.sent_at is None]
    _finish(old, Result.SUPERSEDED, "A newer message of the same record has stopped, too: decide about that one.")


def _older(settled: list[Settlement], states: Sequence[str]) -> list[Message]:
    if not settled:
        return []
    newest = {one.claim.lane: one.message for one in settled}
    found = Message.objects.filter(lane__in=newest, state__in=states)
    return [one for one in found if one.pk < newest[one.lane_id].pk and one.flow_id == newest[one.lane_id].flow_id]


def _finish(old: list[Message], outcome: str, reason: str) -> None:
    if not old:
        return
    finished = {"state": State.FINISHED, "outcome": outcome, "finished_at": timezone.now(), "problem": None}
    ids = [one.pk for one in old]
    Message.objects.filter(pk__in=ids).update(**finished, reason=reason)
    Block.objects.filter(message__in=ids).delete()
    for problem in {one.problem_id for one in old if one.problem_id}:
        problems.settled(problem)
    waiting.ended(ids)
