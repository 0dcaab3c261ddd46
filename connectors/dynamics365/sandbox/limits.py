"""Service protection: requests and execution time in a sliding window, and requests at once; all off until a switch
names a limit."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused

WINDOW = timedelta(seconds=300)
DOCUMENTED_REQUESTS = 6000
DOCUMENTED_SECONDS = 1200
LENGTHENED = 5


class Limits:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._calls: deque[tuple[datetime, int]] = deque()
        self._lock = threading.Lock()
        self._running = 0
        self._blocked_until: datetime | None = None
        self._blocked_by_time = False

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
        """Counts one request and its time. Raises Refused (429); whoever goes on while blocked waits longer."""
        now, switches = self._environment.clock(), self._environment.switches
        while self._calls and now - self._calls[0][0] >= WINDOW:
            self._calls.popleft()
        if self._blocked_until and now < self._blocked_until:
            self._blocked_until += timedelta(seconds=LENGTHENED)
            raise self._refusal(now)
        self._calls.append((now, switches.call_milliseconds))
        by_number = switches.request_limit is not None and len(self._calls) > switches.request_limit
        by_time = switches.time_limit is not None and self._milliseconds() > switches.time_limit * 1000
        if by_number or by_time:
            self._blocked_until, self._blocked_by_time = now + timedelta(seconds=switches.retry_after), not by_number
            raise self._refusal(now)

    def _milliseconds(self) -> int:
        return sum(spent for _, spent in self._calls)

    def _refusal(self, now: datetime) -> Refused:
        switches = self._environment.switches
        wait = int((self._blocked_until - now).total_seconds()) if self._blocked_until else 0
        if self._blocked_by_time:
            return too_much_time(DOCUMENTED_SECONDS if switches.time_limit is None else switches.time_limit, wait)
        return too_many_requests(
            DOCUMENTED_REQUESTS if switches.request_limit is None else switches.request_limit, wait
        )

    def headers(self) -> list[tuple[str, str]]:
        switches = self._environment.switches
        requests = DOCUMENTED_REQUESTS if switches.request_limit is None else switches.request_limit
        seconds = DOCUMENTED_SECONDS if switches.time_limit is None else switches.time_limit
        return [
            ("x-ms-ratelimit-burst-remaining-xrm-requests", str(max(requests - len(self._calls), 0))),
            ("x-ms-ratelimit-time-remaining-xrm-requests", f"{max(seconds - self._milliseconds() / 1000, 0):,.2f}"),
        ]


def too_many_requests(limit: int, wait: int) -> Refused:
    message = f"Number of requests exceeded the limit of {limit} over time window of 300 seconds."
    return throttled("0x80072322", message, wait)


def too_much_time(seconds: int, wait: int) -> Refused:
    message = (
        f"Combined execution time of incoming requests exceeded limit of {seconds * 1000:,} milliseconds over time "
        "window of 300 seconds. Decrease number of concurrent requests or reduce the duration of requests and try "
        "again later."
    )
    return throttled("0x80072321", message, wait)


def too_many_at_once(limit: int, wait: int) -> Refused:
    return throttled("0x80072326", f"Number of concurrent requests exceeded the limit of {limit}.", wait)


def throttled(code: str, message: str, wait: int) -> Refused:
    return Refused(429, code, message, [("Retry-After", str(wait))])
