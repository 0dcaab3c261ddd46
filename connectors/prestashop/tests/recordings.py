"""The recorded exchanges with a real shop, read from the folder beside this repository where it exists."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

SHARED = Path(__file__).resolve().parents[4] / "shared" / "prestashop"
EXCHANGES = SHARED / "exchanges"
ORDERS = SHARED / "orders"
ADDRESS = "http://127.0.0.1:8800"
OTHER_HOST = re.compile(r" with Host: (\S+)")


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its answer; `at` is when the shop answered, aware UTC."""

    name: str
    method: str
    target: str
    headers: httpx.Headers
    body: bytes
    status: int
    answer_headers: httpx.Headers
    answer: bytes
    at: datetime

    @property
    def resource(self) -> str:
        return re.split(r"[/?]", self.target.removeprefix("/api").lstrip("/"))[0]


def read_exchanges() -> list[Exchange]:
    """In the order in which they happened."""
    found = [_read(path) for path in EXCHANGES.glob("*.http")]
    return sorted(found, key=lambda one: (one.at, *_place(one.name)))


def _place(name: str) -> tuple[int, bool, str]:
    """Within one second they ran by number, and what prepares another ("553a") ran before it ("553")."""
    number, letter = re.match(r"(\d+)([a-z]?)", name).groups()
    return int(number), not letter, letter


def _read(path: Path) -> Exchange:
    text = path.read_bytes().replace(b"\r\n", b"\n")
    cut = text.index(b"\nHTTP/1.1 ")
    sent, received = re.sub(rb"\n*-+ response[^\n]*$", b"", text[:cut]), text[cut + 1 :]
    line, headers, body = _message(sent)
    status, answer_headers, answer = _message(received)
    method, target = line.split(" ")[:2]
    chunked_nothing = answer == b"0"
    other = OTHER_HOST.search(line)
    if other:
        headers["Host"] = other[1]
    return Exchange(
        path.stem,
        method,
        target,
        headers,
        body,
        int(status.split(" ")[1]),
        answer_headers,
        b"" if chunked_nothing else answer,
        parsedate_to_datetime(answer_headers["Date"]),
    )


def _message(text: bytes) -> tuple[str, httpx.Headers, bytes]:
    head, _, body = text.partition(b"\n\n")
    line, *lines = head.decode().split("\n")
    headers = httpx.Headers([tuple(one.split(": ", 1)) for one in lines if ": " in one])
    return line, headers, body.strip(b"\n")
