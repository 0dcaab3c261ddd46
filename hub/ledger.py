"""The ledger: every change that workers make to messages, one transaction for all that ask at the same time.

Worker threads speak HTTP and compute; they hold no database connection. They hand what is to be committed to one thread
of their process, which takes whatever has gathered, commits it together, and wakes them. So thirty walks at once cost
one connection and few transactions, and SQLite has its one writer.

`Direct` does the same in the caller's own thread, one at a time.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone

from hub.lanes import Claim, Key, TakenOver, held
from hub.models import Message, Waiting
from hub.outcomes import AWAY
from hub.settling import Settlement, settle
from hub.updating import update
from hub.waiting import ended

T = TypeVar("T")
MOST = 64  # changes in one transaction
PATIENCE = 45.0  # seconds that a change is asked again while its lane is locked, or the database is busy or away
PAUSE = 0.05  # seconds between them
State, Result = Message.State, Message.Outcome


@dataclass
class Change:
    """New values of a message that we hold, and the messages that it replaces."""

    claim: Claim
    values: dict[str, Any]
    superseded: Sequence[int] = ()


class Direct:
    """Commits at once."""

    def change(self, claim: Claim, values: dict[str, Any], superseded: Sequence[int] = ()) -> None:
        """Raises TakenOver where the lane is no longer ours."""
        self._apply(change_many, Change(claim, values, superseded))

    def settle(self, settlement: Settlement) -> None:
        """Raises TakenOver where the lane is no longer ours."""
        self._apply(settle_many, settlement)

    def ask(self, question: Callable[[], T]) -> T:
        """Runs a question to the database, on its connection."""
        return question()

    def _apply(self, how: "How", what: Any) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            done, lost = how([what])
            if done:
                return
            if lost:
                raise TakenOver(f"lane {what.claim.lane}")
            time.sleep(PAUSE)
        raise OperationalError(f"lane {what.claim.lane} stays locked")


How = Callable[[Sequence[Any]], tuple[set[Key], set[Key]]]


def change_many(changes: Sequence[Change]) -> tuple[set[Key], set[Key]]:
    """The lanes whose message was changed, and those that are no longer ours."""
    with transaction.atomic():
        ours, busy = held(one.claim for one in changes)
        mine = [one for one in changes if one.claim.key in ours]
        update((one.claim.message.pk, one.values) for one in mine)
        replaced = [pk for one in mine for pk in one.superseded]
        if replaced:
            finished = {"state": State.FINISHED, "outcome": Result.SUPERSEDED, "finished_at": timezone.now()}
            words = "A newer change of the same record came before this was sent."
            Message.objects.filter(pk__in=replaced).update(**finished, reason=words, not_before=None)
            Waiting.objects.filter(waiter__in=replaced).delete()
            ended(replaced)
    return ours, {one.claim.key for one in changes} - ours - busy


def settle_many(many: Sequence[Settlement]) -> tuple[set[Key], set[Key]]:
    result = settle(many)
    return result.settled, result.lost


@dataclass
class Asked:
    """One thing that a thread waits for."""

    how: How | None
    what: Any
    answer: Future[Any] = field(default_factory=Future)
    until: float = field(default_factory=lambda: time.monotonic() + PATIENCE)


class Ledger(Direct):
    """The same for the threads of one process, gathered."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends once everything that was asked before is answered."""
        self._asked.put(None)
        self._thread.join()

    def ask(self, question: Callable[[], T]) -> T:
        asked = Asked(None, question)
        self._asked.put(asked)
        answer: T = asked.answer.result()
        return answer

    def _apply(self, how: How, what: Any) -> None:
        asked = Asked(how, what)
        self._asked.put(asked)
        asked.answer.result()

    def _run(self) -> None:
        again: list[Asked] = []
        ends = False
        while not ends or again:
            some = again + self._gathered(wait=not again)
            ends = ends or None in some
            again = self._answer([one for one in some if one is not None])
            if again:
                time.sleep(PAUSE)
        connection.close()

    def _gathered(self, *, wait: bool) -> list[Asked | None]:
        some: list[Asked | None] = []
        try:
            some.append(self._asked.get(block=wait))
            while len(some) < MOST and some[-1] is not None:
                some.append(self._asked.get_nowait())
        except queue.Empty:
            pass
        return some

    def _answer(self, some: list[Asked]) -> list[Asked]:
        """Returns those that are to be tried again."""
        close_old_connections()
        again = [one for one in some if one.how is None and not _answered(one)]
        for how in (change_many, settle_many):
            again += _together(how, [one for one in some if one.how is how])
        return again


def _answered(one: Asked) -> bool:
    try:
        one.answer.set_result(one.what())
    except Exception as error:  # it is the asker's, who sits in another thread
        return not _later([one], error)
    return True


def _together(how: How, some: list[Asked]) -> list[Asked]:
    """All in one transaction; where that fails, each in its own, so that one bad change fails alone."""
    if not some:
        return []
    try:
        done, lost = how([one.what for one in some])
    except Exception as error:  # whichever it is, those who asked are told
        if len(some) > 1:
            return [again for one in some for again in _together(how, [one])]
        return _later(some, error)
    for one in some:
        if one.what.claim.key in done:
            one.answer.set_result(None)
        elif one.what.claim.key in lost:
            one.answer.set_exception(TakenOver(f"lane {one.what.claim.lane}"))
    rest = [one for one in some if not one.answer.done()]
    return _later(rest, OperationalError("a lane stays locked"))


def _later(some: list[Asked], error: Exception) -> list[Asked]:
    """A database that is busy or away for a moment is asked again; anything else is told."""
    again = []
    for one in some:
        if isinstance(error, AWAY) and time.monotonic() < one.until:
            again.append(one)
        else:
            one.answer.set_exception(error)
    return again
