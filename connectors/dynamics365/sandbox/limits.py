"""Service protection: requests in a sliding window and requests at once; both off until a switch names a limit."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused

WINDOW = timedelta(seconds=300)
DOCUMENTED_REQUESTS = 6000
LENGTHENED = 5


class Limits:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._times: deque[datetime] = deque()
        self._lock = threading.Lock()
        self._running = 0
        self._blocked_until: datetime | None = None

    @contextmanager
    def running(self) -> Iterator[bool]:
        """Counts the request as running; False where there are too many at once."""
        with self._lock:
            self._running += 1
            limit = self._environment.switches.concurrency_limit
            allowed = limit is None or self._running <= limit
        try:
            yield allowed
        finally:
            with self._lock:
                self._running -= 1

    def count(self) -> None:
        """Counts one request. Raises Refused (429); whoever goes on while blocked waits longer."""
        now, switches = self._environment.clock(), self._environment.switches
        while self._times and now - self._times[0] >= WINDOW:
            self._times.popleft()
        if self._blocked_until and now < self._blocked_until:
            self._blocked_until += timedelta(seconds=LENGTHENED)
            raise self._too_many(now)
        self._times.append(now)
        if switches.request_limit is not None and len(self._times) > switches.request_limit:
            self._blocked_until = now + timedelta(seconds=switches.retry_after)
            raise self._too_many(now)

    def _too_many(self, now: datetime) -> Refused:
        limit = self._environment.switches.request_limit
        wait = int((self._blocked_until - now).total_seconds()) if self._blocked_until else 0
        return too_many_requests(limit or DOCUMENTED_REQUESTS, wait)

    def headers(self) -> list[tuple[str, str]]:
        limit = self._environment.switches.request_limit or DOCUMENTED_REQUESTS
        return [
            ("x-ms-ratelimit-burst-remaining-xrm-requests", str(max(limit - len(self._times), 0))),
            ("x-ms-ratelimit-time-remaining-xrm-requests", "1,200.00"),
        ]


def too_many_requests(limit: int, wait: int) -> Refused:
    return Refused(
        429,
        "0x80072322",
        f"Number of requests exceeded the limit of {limit} over time window of 300 seconds.",
        [("Retry-After", str(wait))],
    )


def too_many_at_once(limit: int, wait: int) -> Refused:
    message = f"Number of concurrent requests exceeded the limit of {limit}."
    return Refused(429, "0x80072326", message, [("Retry-After", str(wait))])
