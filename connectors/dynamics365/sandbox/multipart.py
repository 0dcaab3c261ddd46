"""Multipart bodies, read strictly: lines end with CRLF, as the service insists."""

import re
from dataclasses import dataclass

import httpx

from connectors.dynamics365.sandbox.errors import Refused, query_error

BOUNDARY = re.compile(r'multipart/mixed\s*;.*?boundary="?([^";,\s]+)"?', re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    headers: httpx.Headers
    body: bytes

    @property
    def type(self) -> str:
        return str(self.headers.get("Content-Type", ""))

    @property
    def is_multipart(self) -> bool:
        return self.type.lower().startswith("multipart/mixed")


def boundary_of(content_type: str) -> str:
    matched = BOUNDARY.match(content_type.strip())
    if not matched:
        raise malformed("the Content-Type names no multipart/mixed boundary")
    return matched[1]


def malformed(why: str) -> Refused:
    return query_error(f"The batch request cannot be read: {why}.")


def read_parts(body: bytes, boundary: str) -> list[Part]:
    """Raises Refused (400)."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise malformed("a boundary is missing, or lines do not end with CRLF")
    parts = []
    for piece in pieces[1:-1]:
        if not piece.startswith(b"\r\n"):
            raise malformed("a boundary line does not end with CRLF")
        head, found, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not found:
            raise malformed("a part has no blank line after its headers")
        lines = [line for line in head.decode("utf-8", "replace").split("\r\n") if line]
        if not all(":" in line for line in lines):
            raise malformed("a part has a header without a colon")
        headers = [(line.split(":", 1)[0].strip(), line.split(":", 1)[1].strip()) for line in lines]
        parts.append(Part(httpx.Headers(headers), content))
    return parts


def write_parts(parts: list[Part], boundary: str) -> bytes:
    out = b""
    for part in parts:
        head = "\r\n".join(f"{name}: {value}" for name, value in part.headers.items())
        out += f"--{boundary}\r\n{head}\r\n\r\n".encode() + part.body + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()
