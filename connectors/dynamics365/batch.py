"""One `$batch` with one change set: several writes, all or none, in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import Any
from uuid import uuid4

import httpx

from connectors.dynamics365 import json_text


@dataclass(frozen=True)
class Upsert:
    """A row that is created under its own key, and refused where it exists."""

    address: str
    row: dict[str, Any]


def change_set(upserts: Sequence[Upsert]) -> tuple[str, bytes]:
    """The content type and the body; line ends are CRLF throughout, as the service requires."""
    outer, inner = f"batch_{uuid4()}", f"changeset_{uuid4()}"
    lines = [f"--{outer}", f'Content-Type: multipart/mixed; boundary="{inner}"', ""]
    for number, upsert in enumerate(upserts, 1):
        lines += [
            f"--{inner}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: {number}",
            "",
            f"PATCH {upsert.address} HTTP/1.1",
            "Content-Type: application/json; type=entry",
            "If-None-Match: *",
            "",
            json_text.dumps(upsert.row).decode("ascii"),
        ]
    lines += [f"--{inner}--", f"--{outer}--", ""]
    return f'multipart/mixed; boundary="{outer}"', "\r\n".join(lines).encode("ascii")


def answers(response: httpx.Response) -> list[tuple[int, httpx.Response]]:
    """The answers inside, each with its Content-ID (0 where it has none). Empty for what is no multipart answer."""
    head = f"Content-Type: {response.headers.get('content-type', '')}\r\n\r\n".encode("ascii", "replace")
    found = []
    for part in BytesParser().parsebytes(head + response.content).walk():
        if part.get_content_type() == "application/http" and (inner := _inner(part)) is not None:
            number = str(part.get("Content-ID") or inner.headers.get("content-id") or "").strip("<> ")
            found.append((int(number) if number.isdecimal() else 0, inner))
    return found


def _inner(part: Message) -> httpx.Response | None:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return None
    head, _, body = payload.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    first, *rest = head.decode("ascii", "ignore").split("\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdecimal():
        return None
    headers = [(name.strip(), value.strip()) for name, colon, value in (line.partition(":") for line in rest) if colon]
    kept = [(name, value) for name, value in headers if name.lower() not in ("content-length", "transfer-encoding")]
    return httpx.Response(int(words[1]), headers=kept, content=body.strip())
