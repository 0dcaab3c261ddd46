"""What a connector is handed by whoever runs it: transport, clock, shared token store, cache and call hooks."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx


@dataclass
class Call:
    """One HTTP call, for limits and evidence. Header and query values that carry secrets are already masked."""

    method: str
    url: str
    request_headers: dict[str, str]
    request_body: bytes
    status: int | None = None
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    seconds: float = 0.0
    error: str = ""


class TokenStore(Protocol):
    """Access tokens by name, shared by everyone who works for one connection."""

    def get(self, name: str) -> tuple[str, datetime] | None: ...

    def put(self, name: str, token: str, expires_at: datetime) -> None: ...

    def drop(self, name: str, token: str) -> None:
        """Forgets the token if it is still the stored one: a renewed one must survive a late refusal of the old."""

    def renewing(self, name: str) -> Any:
        """A context manager that one renewer at a time holds."""


class MemoryTokens:
    """A token store for one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.RLock()

    def get(self, name: str) -> tuple[str, datetime] | None:
        return self._tokens.get(name)

    def put(self, name: str, token: str, expires_at: datetime) -> None:
        self._tokens[name] = (token, expires_at)

    def drop(self, name: str, token: str) -> None:
        with self._lock:
            if self._tokens.get(name, ("",))[0] == token:
                del self._tokens[name]

    def renewing(self, name: str) -> Any:
        return self._lock


class Cache:
    """Reference data that changes rarely (currencies, countries, price lists), kept for `seconds`."""

    def __init__(self, clock: Callable[[], datetime], seconds: int = 300) -> None:
        self._clock = clock
        self._keep = timedelta(seconds=seconds)
        self._values: dict[Any, tuple[datetime, Any]] = {}

    def get_or(self, name: Any, make: Callable[[], Any]) -> Any:
        """The kept value, or what `make` returns; None and empty answers are not kept, so that a record which is
        created a moment later is seen."""
        kept = self._values.get(name)
        now = self._clock()
        if kept and now - kept[0] < self._keep:
            return kept[1]
        value = make()
        if value not in (None, [], {}):
            self._values[name] = (now, value)
        return value


def utc_now() -> datetime:
    return datetime.now(UTC)


def ignore_call(call: Call) -> None:
    """The hook where nobody listens."""


@dataclass
class Session:
    """`transport` is None for the network, or a sandbox's in-process transport; `verify` may name a file with the
    certificate authority to trust instead of the usual ones. `before` may raise TryLater to hold a call back; `after`
    sees every answered or failed call. `longest` are the seconds that any client of it waits for an answer at
    most."""

    transport: httpx.BaseTransport | None = None
    verify: str = ""
    clock: Callable[[], datetime] = utc_now
    tokens: TokenStore = field(default_factory=MemoryTokens)
    before: Callable[[Call], None] = ignore_call
    after: Callable[[Call], None] = ignore_call
    longest: float = math.inf
    cache: Cache = field(init=False)

    def __post_init__(self) -> None:
        self.cache = Cache(self.clock)
