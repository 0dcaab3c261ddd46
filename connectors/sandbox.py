"""What every sandbox shares: requests and answers, faults that can be switched on, state that can be kept, and one
handler that answers in-process (`transport`) or on a port (`connectors.serving`)."""

import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import httpx

from connectors.journal import Entry, Journal

CONTROL = "/_sandbox"
FaultKind = Literal[
    "slow",
    "late",
    "refused",
    "status",
    "error_before",
    "error_after",
    "lost",
    "expired",
    "malformed",
    "html",
    "maintenance",
]


@dataclass(frozen=True)
class Request:
    """`target` is the raw path with its query; `path` its decoded path; header names are case-insensitive."""

    method: str
    target: str
    headers: httpx.Headers
    body: bytes = b""

    @property
    def url(self) -> httpx.URL:
        return httpx.URL("http://sandbox" + self.target)

    @property
    def path(self) -> str:
        return self.url.path

    @property
    def query(self) -> httpx.QueryParams:
        return self.url.params


@dataclass
class Response:
    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


class Dropped(Exception):
    """The connection closes without an answer."""


@dataclass
class Fault:
    """What goes wrong, how often (`times`; -1 is until switched off), and for which requests. `path` is a regular
    expression found in the raw target; of the requests that match, each `every`th is hit, and `seen` counts them.
    `status` with `retry_after` (seconds) answers that status before any commit; `refused` drops the connection before
    the commit, `lost` after it; `seconds` is the delay of `slow`, which waits before it does anything, and of `late`,
    which waits after the commit with the answer. Raises ValueError for a kind that does not exist."""

    kind: FaultKind
    times: int = 1
    method: str = ""
    path: str = ""
    status: int = 503
    retry_after: int | None = None
    seconds: float = 1.0
    every: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"no fault is called {self.kind!r}: {', '.join(get_args(FaultKind))}")
        if self.every < 1:
            raise ValueError(f"every is {self.every}; 1 hits each request that matches")

    def matches(self, request: Request) -> bool:
        return self.times != 0 and self.method in ("", request.method) and bool(re.search(self.path, request.target))

    def hits(self, request: Request) -> bool:
        """Counts the request where it matches; true where it is this one's turn."""
        if not self.matches(request):
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.times -= self.times > 0
        return True


AFTER_THE_COMMIT = ("error_after", "late", "lost")


class Sandbox:
    """A local server that speaks a system's own protocol. A system's sandbox overrides `respond`, `dump`, `load`,
    `reset` and `fault_response`, and defines a class attribute `sandbox` in its module for `connectors.sandbox_of`.
    `journal` is a file that every write is told to (see `connectors.journal`)."""

    system: ClassVar[str]
    controls: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        state_file: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        journal: Path | None = None,
    ) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.faults: list[Fault] = []
        self.address = "http://sandbox.test"  # serving sets the real one
        self._state_file = state_file
        self._changed = False
        self._journal = Journal(journal) if journal else None
        self.reset()
        if state_file and state_file.exists():
            self.load(json.loads(state_file.read_text(), parse_float=str))

    # What a system's sandbox fills in

    def respond(self, request: Request) -> Response:
        """Answers one request; runs under the lock, and calls `touch()` after any change of state."""
        raise NotImplementedError

    def reset(self) -> None:
        """Back to the seed data."""
        raise NotImplementedError

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON values (amounts as text)."""
        raise NotImplementedError

    def load(self, state: dict[str, Any]) -> None:
        raise NotImplementedError

    def fault_response(self, fault: Fault, request: Request) -> Response:
        """The system's own words for a fault that answers something."""
        headers = [("Retry-After", str(fault.retry_after))] if fault.retry_after is not None else []
        return Response(fault.status, b"", headers)

    def announcement(self) -> dict[str, str]:
        """What somebody who wants to connect must know: address, key, client id and secret."""
        return {"address": self.address}

    def connection(self) -> dict[str, str]:
        """The same as the settings of a connection to it, by setting name."""
        return self.announcement()

    def load_folder(self, folder: Path, /) -> None:
        """Takes recorded records in place of the seed's. Raises ValueError with the file and what is wrong."""
        raise ValueError(f"the {self.system} sandbox loads no folder")

    def place_samples(self) -> dict[str, Any]:
        """Makes a shop take the project's own sample orders. Returns {"orders": kind of order by its id, "unknown":
        the item numbers that an ERP is not to know}."""
        raise ValueError(f"the {self.system} sandbox takes no orders")

    def seed(self, items: list[dict[str, Any]], currencies: list[dict[str, Any]], /) -> None:
        """Makes an ERP know a shop's items ({number, name, price: Decimal before tax in the base currency}) and
        currencies ({iso_code, precision, rate: Decimal}); a second time it changes nothing."""
        raise ValueError(f"the {self.system} sandbox takes no items")

    def written_key(self, request: Request) -> str:
        """What a request would write, for the journal: the kind of record, and its key where the request names it
        ("orders/44"); empty where it only reads. Runs without the lock, and for rubbish too."""
        return ""

    def changes(self) -> int:
        """A number that is another one after every change of state, for the journal; runs under the lock."""
        raise NotImplementedError

    def control(self, action: str, data: Any) -> Any:
        """What else whoever runs the sandbox may tell it, by the names in `controls`: POST of JSON `data` to the
        control address; what comes back is answered as JSON. Runs under the lock. Raises ValueError, TypeError or
        KeyError for data that it cannot use."""
        raise NotImplementedError

    # What all share

    def touch(self) -> None:
        self._changed = True

    def handle(self, request: Request) -> Response:
        """Answers one request with whatever fault is switched on for it. Raises Dropped."""
        try:
            request.url  # noqa: B018  parsed here, where what cannot be parsed can still be answered
        except httpx.InvalidURL as error:
            return Response(400, str(error).encode())
        if request.path.startswith(CONTROL):
            return self._control(request)
        key = self.written_key(request) if self._journal else ""
        if not self._journal or not key:
            return self._answer(request, None)
        entry = self._journal.begin(key, request.method)
        try:
            return self._answer(request, entry)
        finally:
            entry.note("end")

    def _answer(self, request: Request, entry: Entry | None) -> Response:
        fault = self._take_fault(request)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        elif fault and fault.kind == "refused":
            raise Dropped
        elif fault and fault.kind not in AFTER_THE_COMMIT:
            return self.fault_response(fault, request)
        with self.lock:
            before = self.changes() if entry else 0
            response = self.respond(request)
            if entry:
                entry.committed(changed=self.changes() != before)
            self.save()
        if fault and fault.kind == "lost":
            raise Dropped
        if fault and fault.kind == "late":
            time.sleep(fault.seconds)
        if fault and fault.kind == "error_after":
            return self.fault_response(fault, request)
        return response

    def transport(self) -> httpx.BaseTransport:
        """For a client in the same process: no port, same answers."""
        return InProcess(self)

    def _take_fault(self, request: Request) -> Fault | None:
        with self.lock:
            return next((one for one in self.faults if one.hits(request)), None)

    def save(self) -> None:
        """Writes the state to its file, where it has one and anything has changed; every answered request does."""
        if self._state_file is None or not self._changed:
            return
        self._changed = False
        handle, name = tempfile.mkstemp(dir=self._state_file.parent, prefix=self._state_file.name)
        with os.fdopen(handle, "w") as file:
            json.dump(self.dump(), file)
        os.replace(name, self._state_file)

    def _control(self, request: Request) -> Response:
        """GET state; POST faults (a JSON list), reset, state (a dump to load), and what the system's sandbox takes
        itself (`controls`). Only for whoever runs the sandbox."""
        action = request.path.removeprefix(CONTROL).strip("/")
        told: Any = None
        with self.lock:
            try:
                if request.method == "POST" and action == "faults":
                    self.faults = [Fault(**one) for one in json.loads(request.body)]
                elif request.method == "POST" and action == "reset":
                    self.faults = []
                    self.reset()
                    self.touch()
                elif request.method == "POST" and action == "state":
                    self.load(json.loads(request.body, parse_float=str))
                    self.touch()
                elif request.method == "POST" and action in self.controls:
                    told = self.control(action, json.loads(request.body or b"{}"))
                elif request.method != "GET" or action not in ("state", "faults", ""):
                    known = ", ".join(("state", "faults", "reset", *self.controls))
                    return _json(404, {"error": f"no {request.method} {action!r} here: {known}"})
            except (ValueError, TypeError, KeyError) as error:
                return _json(400, {"error": str(error)})
            self.save()
            if told is not None:
                return _json(200, told)
            return _json(200, self.dump() if action == "state" else [asdict(one) for one in self.faults])


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode(), [("Content-Type", "application/json")])


class InProcess(httpx.BaseTransport):
    """Carries an httpx client's requests to a sandbox in the same process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._sandbox.handle(
                Request(request.method, request.url.raw_path.decode("ascii"), request.headers, request.read())
            )
        except Dropped as error:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            ) from error
        body = b"" if request.method == "HEAD" else answer.body
        return httpx.Response(answer.status, headers=answer.headers, content=body, request=request)
