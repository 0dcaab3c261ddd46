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
from typing import Any, ClassVar, Literal

import httpx

CONTROL = "/_sandbox"
FaultKind = Literal[
    "slow", "refused", "status", "error_before", "error_after", "lost", "expired", "malformed", "html", "maintenance"
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
    expression found in the raw target. `status` with `retry_after` (seconds) answers that status before any commit;
    `refused` drops the connection before the commit, `lost` after it; `seconds` is the delay of `slow`."""

    kind: FaultKind
    times: int = 1
    method: str = ""
    path: str = ""
    status: int = 503
    retry_after: int | None = None
    seconds: float = 1.0

    def matches(self, request: Request) -> bool:
        return self.times != 0 and self.method in ("", request.method) and bool(re.search(self.path, request.target))


AFTER_THE_COMMIT = ("error_after", "lost")


class Sandbox:
    """A local server that speaks a system's own protocol. A system's sandbox overrides `respond`, `dump`, `load`,
    `reset` and `fault_response`, and defines a class attribute `sandbox` in its module for `connectors.sandbox_of`."""

    system: ClassVar[str]

    def __init__(
        self, *, state_file: Path | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.faults: list[Fault] = []
        self.address = "http://sandbox.test"  # serving sets the real one
        self._state_file = state_file
        self._changed = False
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
        fault = self._take_fault(request)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        elif fault and fault.kind == "refused":
            raise Dropped
        elif fault and fault.kind not in AFTER_THE_COMMIT:
            return self.fault_response(fault, request)
        with self.lock:
            response = self.respond(request)
            self._save()
        if fault and fault.kind == "lost":
            raise Dropped
        if fault and fault.kind == "error_after":
            return self.fault_response(fault, request)
        return response

    def transport(self) -> httpx.BaseTransport:
        """For a client in the same process: no port, same answers."""
        return InProcess(self)

    def _take_fault(self, request: Request) -> Fault | None:
        with self.lock:
            fault = next((one for one in self.faults if one.matches(request)), None)
            if fault and fault.times > 0:
                fault.times -= 1
            return fault

    def _save(self) -> None:
        if self._state_file is None or not self._changed:
            return
        self._changed = False
        handle, name = tempfile.mkstemp(dir=self._state_file.parent, prefix=self._state_file.name)
        with os.fdopen(handle, "w") as file:
            json.dump(self.dump(), file)
        os.replace(name, self._state_file)

    def _control(self, request: Request) -> Response:
        """GET state; POST faults (a JSON list), reset, state (a dump to load). Only for whoever runs the sandbox."""
        action = request.path.removeprefix(CONTROL).strip("/")
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
                elif request.method != "GET" or action not in ("state", "faults", ""):
                    return _json(404, {"error": f"no {request.method} {action!r} here: state, faults, reset"})
            except (ValueError, TypeError, KeyError) as error:
                return _json(400, {"error": str(error)})
            self._save()
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
