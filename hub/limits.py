"""Limits: what this process may ask of a system now, shared with every other process through the rows of its quota.

1. A quota with a pace is leased in slices: some calls out of its bucket, and slots for as many at once as this process
   needs. A lease is one short transaction and is made anew after a second; calls within it cost no statement. Slots
   that are not renewed are anybody's after a while, so that a killed process keeps none. Where some process has none,
   the others shrink to an equal share. A quota without a pace costs one small query a second.
2. 429, and 503 with a Retry-After, block the quota for everybody: until the time that the system says, or else for a
   pause of our own that grows. Other processes learn it by their next lease.
3. Failures in a row without any answer between them open the breaker; hub.breaker says how it closes.
4. The pace follows the answers of every system: see Bearing.

What signs in elsewhere for a connection (Entra) counts in the quota of the connection: it is a call an hour, and
without its answer there is no other call.
"""

import hashlib
import logging
import math
import os
import re
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from connectors.base import NO_LIMIT, Pace
from connectors.errors import TryLater
from connectors.session import Call
from hub.models import Quota, Slice
from hub.processes import this_process
from hub.quotas import ASKING, LEASE, NEVER, RETURNED, Lease, Wanted, block, bucket, lease, open_breaker

FRESH = timedelta(seconds=1)  # for which a lease is used
PATIENCE = timedelta(seconds=2)  # for which a call waits for its turn
AGAIN = timedelta(seconds=0.1)  # after a lease that gave too little
MOST_AT_ONCE = 64.0
FIRST_BLOCK, LONGEST_BLOCK, LONGEST_ASKED = timedelta(seconds=5), timedelta(minutes=5), timedelta(hours=1)
MOST_FAILURES, WITHIN = 5, timedelta(seconds=60)
FAILURES = (500, 502, 503, 504)

logger = logging.getLogger(__name__)
clock = timezone.now
wait = threading.Condition.wait
_mine = threading.local()
_limiters: dict[str, "Limiter"] = {}


class Bearing:
    """How many calls at once a system bears, as its answers tell this process.

    It begins with MOST_AT_ONCE. Each answer adds a part, so that a round of them adds one. An answer that there are too
    many halves what is under way, and so does an average of the last answers of over half a second and over three
    times the usual: at most once a second, and never below one. The usual follows slowly, so a system that has become
    slow for good is used at its new pace."""

    def __init__(self) -> None:
        self.at_once = MOST_AT_ONCE
        self._usual = self._lately = 0.0
        self._halved = NEVER

    def answered(self, seconds: float, too_many: bool, under_way: int, now: datetime) -> None:
        self._usual += (seconds - self._usual) / 128 if self._usual else seconds
        self._lately += (seconds - self._lately) / 8 if self._lately else seconds
        if not too_many and self._lately < max(0.5, 3 * self._usual):
            self.at_once = min(MOST_AT_ONCE, self.at_once + 1 / self.at_once)
        elif now - self._halved >= FRESH:
            self.at_once = max(1.0, min(self.at_once, under_way) / 2)
            self._halved = now


class Limiter:
    """One quota owner's, in one process. Each connection of the owner brings its pace, and the strictest holds."""

    def __init__(self, owner: str, label: str = "") -> None:
        self.owner = owner if len(owner) <= 300 else hashlib.sha256(owner.encode()).hexdigest()
        self.label = label or owner
        self.pace = NO_LIMIT
        self.holder = uuid.uuid4()
        self.bearing = Bearing()
        self._row: int | None = None
        self._paces: dict[int, Pace] = {}
        self._change = threading.Condition()
        self._lease = Lease()
        self._asks = False
        self._ask_at = NEVER
        self._under_way = self._waiting = self._peak = 0
        self._slice = 1
        self._pause = FIRST_BLOCK
        self._failures: deque[datetime] = deque(maxlen=MOST_FAILURES)

    @property
    def quota(self) -> int:
        """The id of the row, which is made where there is none."""
        if self._row is None:
            self._row = Quota.objects.get_or_create(owner=self.owner)[0].pk
        return self._row

    @property
    def busy(self) -> bool:
        return self._under_way > 0

    def keep_to(self, connection: int, pace: Pace) -> None:
        with self._change:
            self._paces[connection] = pace
            strictest = _strictest(self._paces.values())
            if strictest != self.pace:
                self.pace, self._lease = strictest, Lease()

    def look_again(self) -> None:
        """The next call reads the rows anew."""
        with self._change:
            self._row, self._lease = None, Lease()

    def give_back(self, known_until: datetime | None = None) -> None:
        """The slots, unless a call is under way or waits for its turn. Until then others know that some are wanted."""
        with self._change:
            if not self._lease.held or self._under_way or self._waiting or self._asks:
                return
            self._lease = Lease()
        mine = Slice.objects.filter(holder=self.holder)
        if known_until:
            mine.update(slots=0, until=known_until)
        else:
            mine.delete()

    def before(self, call: Call) -> None:
        """A session's hook: waits a little for the call's turn. Raises TryLater, an outage, where none comes, or at
        once where the quota is blocked."""
        if _probed() is not None:
            return
        until = clock() + PATIENCE
        while not self._goes(until):
            self._ask()

    def after(self, call: Call) -> None:
        """A session's hook. What has been answered is not lost because it cannot be noted here."""
        probed = _probed()
        if probed is not None:
            probed.append(call)
            return
        now = clock()
        with self._change:
            self._under_way = max(0, self._under_way - 1)
            until = self._blocks(call, now)
            because, missed = self._lease.because, self._lease.missed
            fails = self._fails(call, now)
            self._change.notify()
        try:
            if until:
                block(self.owner, until, because)
            if fails:
                said = call.error[:300].rstrip(".") or f"HTTP {call.status}"
                open_breaker(self.owner, f"{self.label} failed {MOST_FAILURES} times in a row, lastly: {said}.", now)
                self.look_again()
            if missed:
                self.give_back(now + ASKING)
        except (OperationalError, InterfaceError):
            logger.warning("What %s answered could not be noted.", self.label, exc_info=True)

    def _goes(self, until: datetime) -> bool:
        """True once the call may leave; False where this thread is to ask the rows."""
        with self._change:
            self._waiting += 1
            try:
                while True:
                    now = clock()
                    self._peak = max(self._peak, self._under_way + self._waiting)
                    fresh = abs(now - self._lease.at) < FRESH
                    if fresh:
                        self._refuse_if_blocked(now)
                    if fresh and self._has_room():
                        self._under_way += 1
                        self._lease.calls -= 1
                        return True
                    if not self._asks and (not fresh or (now >= self._ask_at and self._rows_may_help())):
                        self._asks = True
                        return False
                    if now >= until or (fresh and self._lease.more_at > until):
                        raise self._no_turn(now)
                    wait(self._change, AGAIN.total_seconds())
            finally:
                self._waiting -= 1

    def _refuse_if_blocked(self, now: datetime) -> None:
        given = self._lease
        if given.open or given.blocked_until > now:
            at = max(given.blocked_until, now + FRESH)
            raise TryLater(f"{self.label} is not asked before {at:%H:%M:%S} UTC. {given.because}", at, outage=True)

    def _has_room(self) -> bool:
        enough = not self.pace.calls or self._lease.calls > 0
        return enough and self._under_way < int(min(self.bearing.at_once, self._slots()))

    def _slots(self) -> float:
        return self._lease.slots if self.pace.at_once else math.inf

    def _rows_may_help(self) -> bool:
        bound = min(self.bearing.at_once, self.pace.at_once or math.inf)
        return bool(self.pace.calls and self._lease.calls <= 0) or self._slots() < int(bound)

    def _no_turn(self, now: datetime) -> TryLater:
        if self._lease.more_at > now:
            said = f"{self.label}: its pace of {self.pace.calls} calls in {self.pace.seconds} s is used up."
        else:
            said = f"{self.label}: as many calls as it bears at once are under way."
        return TryLater(said, max(self._lease.more_at, now + FRESH), outage=True)

    def _ask(self) -> None:
        """Nothing leaves while the rows are asked, so that what they are told stays true."""
        now, given = clock(), None
        with self._change:
            wanted = self._wanted(now)
            self._peak = 0
            self._lease = Lease()
        try:
            given = lease(self.owner, wanted, now)
        except (OperationalError, InterfaceError) as error:
            raise TryLater("The hub's own database gives no answer.", outage=True) from error
        finally:
            with self._change:
                self._asks = False
                if given:
                    self._lease = given
                    self._ask_at = max(NEVER if given.slots >= wanted.slots else now + AGAIN, given.more_at)
                self._change.notify_all()

    def _wanted(self, now: datetime) -> Wanted:
        """As many slots as were needed at once since the last lease. A slice that was used up doubles and one that was
        not halves, up to the calls of a second."""
        used_up = self._lease.calls <= 0
        unused = 0 if used_up or now >= self._lease.at + RETURNED else self._lease.calls
        most = max(1, math.ceil(bucket(self.pace)[0]))
        self._slice = min(most, 2 * self._slice) if used_up else max(1, self._slice // 2)
        process = this_process(os.getpid())
        slots = min(int(self.bearing.at_once), max(1, self._peak), self.pace.at_once)
        return Wanted(self.holder, self.pace, self._slice, unused, slots, self._under_way, process)

    def _blocks(self, call: Call, now: datetime) -> datetime | None:
        """Until when the answer blocks the quota, where that is news."""
        given, too_many = self._lease, _says_too_many(call)
        if call.status is not None:
            self.bearing.answered(call.seconds, too_many, self._under_way + 1, now)
        if not too_many:
            if given.blocked_until <= now:
                self._pause = FIRST_BLOCK
            return None
        until = retry_after(call.response_headers, now)
        if until is None and given.blocked_until <= now:
            until = now + self._pause
            self._pause = min(LONGEST_BLOCK, 2 * self._pause)
        if until is None or until <= given.blocked_until + FRESH:
            return None
        given.blocked_until, given.because = until, f"{self.label} asks for a pause (HTTP {call.status})."
        return until

    def _fails(self, call: Call, now: datetime) -> bool:
        """Whether this is the failure that opens the breaker."""
        if _says_too_many(call) or not (call.error or call.status in FAILURES):
            self._failures.clear()
            return False
        self._failures.append(now)
        if self._lease.open or len(self._failures) < MOST_FAILURES or self._failures[0] <= now - WITHIN:
            return False
        self._failures.clear()
        return True


def limiter(owner: str, label: str = "") -> Limiter:
    """The one of this process."""
    return _limiters.setdefault(owner, Limiter(owner, label))


def look_again(quota: int) -> None:
    """After this process has changed the row."""
    for one in list(_limiters.values()):
        if one.quota == quota:
            one.look_again()


def renew() -> None:
    """Keeps the slots of calls under way, however long they take, and gives the others back: for a heartbeat of a few
    seconds."""
    busy = [one.holder for one in list(_limiters.values()) if one.busy and one.pace.at_once]
    if busy:
        Slice.objects.filter(holder__in=busy).update(until=clock() + LEASE)
    give_back()


def give_back() -> None:
    """Gives back the slots of whatever is not being asked now: for a worker that has nothing more to do."""
    for one in list(_limiters.values()):
        one.give_back()


def forget() -> None:
    """For tests, and for a process that was forked: what another one has leased is not ours."""
    _limiters.clear()


@contextmanager
def probing() -> Iterator[list[Call]]:
    """This thread asks also where a quota is blocked. Yields its calls, which count for nothing."""
    _mine.probed = []
    try:
        yield _mine.probed
    finally:
        del _mine.probed


def _probed() -> list[Call] | None:
    return getattr(_mine, "probed", None)


def _says_too_many(call: Call) -> bool:
    return call.status == 429 or (call.status == 503 and "retry-after" in call.response_headers)


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The time that an answer's headers (names in lower case) ask to wait for, an hour at most: in seconds, or as a
    date by the clock of whoever answered. None where that is no time to come."""
    text = headers.get("retry-after", "").strip()
    try:
        if re.fullmatch(r"\d{1,9}(\.\d+)?", text, re.ASCII):
            pause = timedelta(seconds=float(text))
        else:
            pause = _date(text) - (_date(headers["date"]) if headers.get("date") else now)
    except ValueError:
        return None
    return now + min(pause, LONGEST_ASKED) if pause > timedelta(0) else None


def _date(text: str) -> datetime:
    found = parsedate_to_datetime(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _strictest(paces: Iterable[Pace]) -> Pace:
    known = list(paces)
    counted = [one for one in known if one.calls and one.seconds]
    slowest = min(counted, key=lambda one: one.calls / one.seconds, default=NO_LIMIT)
    return Pace(slowest.calls, slowest.seconds, min((one.at_once for one in known if one.at_once), default=0))
