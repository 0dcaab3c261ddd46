"""Drains the lanes: claims what is due and works on it in threads, for as long as a task may take.

1. Lanes are claimed by the batch; the records of one batch are read from the source together where it can.
2. Each message is walked in a thread of its own; what is to be committed goes through the ledger.
3. New lanes are claimed when half of the threads' work is done, so that there are batches to read together.
4. A heartbeat with a database connection of its own keeps every claim.
"""

import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection

from connectors.base import Record
from connectors.errors import ConnectorError
from hub import limits
from hub.connecting import connection_row, connector_of
from hub.handling import handle
from hub.lanes import Claim, claim, renew
from hub.ledger import Ledger
from hub.models import Flow
from hub.outcomes import AWAY
from hub.published import published

SECONDS = 30.0
SHORTEST, LONGEST = 0.02, 0.1  # seconds between two looks for lanes that are due, while none is
LOOK = 0.5  # seconds between two looks for chores
BEAT, CLAIMS_EVERY = 3.0, 5  # seconds between two heartbeats; every so many of them keep the claims
log = logging.getLogger(__name__)
Reads = dict[str, Record | ConnectorError]
Ask = Callable[[], bool]
Chores = Callable[[], Sequence[Callable[[], object]]]


def never() -> bool:
    return False


def prepared(flow: Flow) -> None:
    """Reads what the walks need of the rows here, where there is a database connection already."""
    with suppress(Exception):  # each walk says what is wrong
        published(flow)
        for one in (flow.pair.source_id, flow.pair.target_id):
            connection_row(one)


class Drain:
    """`seconds` is how long it claims; what runs is finished. With `stays` it waits for more while nothing is
    due. `stops` says whether it is to claim no more, and `chores` what else there is to do; both are asked again and
    again."""

    def __init__(
        self,
        seconds: float = SECONDS,
        *,
        stays: bool = False,
        stops: Ask = never,
        chores: Chores = tuple,
        pairs: Collection[int] | None = None,
    ) -> None:
        self._pairs = pairs
        self._until = time.monotonic() + seconds
        self._stays = stays
        self._stops = stops
        self._chores = chores
        self._looked = 0.0
        self._ledger = Ledger()
        self._pool = _pool()
        self._claims: dict[tuple[int, uuid.UUID], Claim] = {}
        self._reading: dict[Future[Reads], list[Claim]] = {}
        self._walking: dict[Future[None], Claim] = {}
        self._doing: set[Future[object]] = set()
        self._ended = threading.Event()
        self.worked = 0

    def run(self) -> int:
        """Returns how many messages were worked on."""
        heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        heart.start()
        pause = SHORTEST
        try:
            while True:
                try:
                    self._claim()
                    self._do_chores()
                except AWAY as error:
                    log.warning("The database is away: %s", error)
                    time.sleep(LONGEST * 5)
                if self._claims or self._doing:
                    pause = SHORTEST
                    self._collect()
                elif self._over() or not self._stays:
                    return self.worked
                else:
                    time.sleep(pause)
                    pause = min(pause * 1.2, LONGEST)
        finally:
            under_way: list[Future[Any]] = [*self._reading, *self._walking, *self._doing]
            wait(under_way)  # nobody asks a ledger that is closed
            self._ended.set()
            heart.join()
            self._ledger.close()
            limits.give_back()
            connection.close()

    def _claim(self) -> None:
        most = 2 * settings.THREADS - len(self._claims)
        if most < settings.THREADS or self._over():
            return
        if any(one.message.lane.alone for one in self._claims.values()):
            return
        close_old_connections()
        claims = claim(most, idle=not self._claims, pairs=self._pairs)
        together: dict[tuple[int, str, int], list[Claim]] = defaultdict(list)
        for one in claims:
            self._claims[one.lane, one.token] = one
            lane = one.message.lane
            # What a dead worker has left is read by itself, once it is marked as begun: read together with others, a
            # record that kills would take them along again and again, and none would ever be known as the one.
            together[lane.pair_id, lane.entity, lane.pk if lane.token else 0].append(one)
        for some in together.values():
            prepared(some[0].message.flow)
            self._start(some)

    def _do_chores(self) -> None:
        if self._stops() or time.monotonic() >= self._until or time.monotonic() - self._looked < LOOK:
            return
        self._looked = time.monotonic()
        self._doing |= {self._pool.submit(_in_thread, one) for one in self._chores()}

    def _over(self) -> bool:
        return self._stops() or (time.monotonic() >= self._until and not self._doing)

    def _start(self, claims: list[Claim]) -> None:
        if len(claims) == 1:
            self._walk(claims[0], None)
        else:
            self._reading[self._pool.submit(_read, claims)] = claims

    def _walk(self, one: Claim, read: Record | ConnectorError | None) -> None:
        self._walking[self._pool.submit(_in_thread, handle, one, self._ledger, read)] = one

    def _collect(self) -> None:
        """Waits until something has ended, or until there may be more to claim."""
        more = not self._over() and len(self._claims) <= settings.THREADS
        under_way: list[Future[Any]] = [*self._reading, *self._walking, *self._doing]
        ended, _ = wait(under_way, return_when=FIRST_COMPLETED, timeout=LONGEST if more else None)
        for future in ended:
            if future in self._doing:
                self._doing.remove(future)
                if error := future.exception():  # it is due again after a while
                    log.error("A chore failed", exc_info=error)
            elif future in self._reading:
                reads: Reads = future.result()
                for one in self._reading.pop(future):
                    self._walk(one, reads.get(one.message.lane.key))
            else:
                claimed = self._walking.pop(future)
                del self._claims[claimed.lane, claimed.token]
                self.worked += 1
                if error := future.exception():  # its lane is claimed again when the lease is over
                    log.error("Message %s was left as it is", claimed.message.pk, exc_info=error)

    def _beat(self) -> None:
        """Keeps the claims and what is used of limits, so that no long call holds the heartbeat back."""
        beats = 0
        while not self._ended.wait(BEAT):
            beats += 1
            try:
                close_old_connections()
                limits.renew()
                if beats % CLAIMS_EVERY == 0:
                    renew(list(self._claims.values()))
            except AWAY as error:
                log.warning("The claims could not be renewed: %s", error)
        connection.close()


def drain(seconds: float = SECONDS, **options: Any) -> int:
    return Drain(seconds, **options).run()


_pools: list[ThreadPoolExecutor] = []


def _pool() -> ThreadPoolExecutor:
    """Made after a worker process was forked, and kept with it: an HTTP client belongs to a thread."""
    if not _pools:
        _pools.append(ThreadPoolExecutor(settings.THREADS, thread_name_prefix="lane"))
    return _pools[0]


def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    finally:
        close_old_connections()


def _read(claims: list[Claim]) -> Reads:
    """The records of all these claims; without the ones that a fault of ours kept from being read."""
    lane, pair = claims[0].message.lane, claims[0].message.flow.pair
    keys = [one.message.lane.key for one in claims]
    try:
        reads: Reads = _in_thread(connector_of(pair.source).read_many, lane.entity, keys)
        return reads
    except ConnectorError as error:
        return dict.fromkeys(keys, error)
    except Exception:  # each walk reads for itself and says what is wrong
        log.exception("Reading %s %s together failed", lane.entity, keys)
        return {}
