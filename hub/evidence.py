"""Evidence: what came in, was mapped, was sent and was answered, kept for every attempt without anybody's secrets."""

import hashlib
import threading
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from connectors.base import Record
from connectors.session import Call
from hub.models import Attempt, Evidence, Message
from hub.records import from_json, to_json
from hub.scrubbing import clean_record, scrubbed, without_secrets
from hub.secrets import CannotDecrypt

LARGEST_BODY = 64 * 1024  # bytes of one body
LARGEST_CALLS = 512 * 1024  # bytes of the bodies of one attempt
LARGEST_RECORD = 2 * 1024 * 1024  # characters
MOST_CALLS = 1000
TOLD = {"prefer", "if-match", "if-none-match", "content-type", "idempotency-key", "soapaction", "location", "etag"}
TOLD |= {"retry-after", "odata-entityid", "req_id", "x-ms-service-request-id", "x-ms-client-request-id", "date"}
TOLD |= {"x-request-id", "psws-version", "mscrm.solutionuniquename", "mscrm.suppressduplicatedetection"}
# Beside the mapped records, under names that no mapping can have.
LINEAGE, ANSWERED = " lineage", " answered"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_mine = threading.local()


@dataclass
class Recorder:
    """The calls of one attempt, in the order in which they ended."""

    calls: list[Call] = field(default_factory=list)

    @property
    def last_call(self) -> Call | None:
        return self.calls[-1] if self.calls else None


@contextmanager
def recording() -> Iterator[Recorder]:
    """Keeps the calls of this thread until it is left; one around it keeps none meanwhile."""
    outer, recorder = getattr(_mine, "recorder", None), Recorder()
    _mine.recorder = recorder
    try:
        yield recorder
    finally:
        _mine.recorder = outer


def note_call(call: Call) -> None:
    """A session's `after` hook: adds the call to what this thread records, if it does."""
    recorder = getattr(_mine, "recorder", None)
    if recorder is not None:
        recorder.calls.append(call)


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(one) for one in keys])


def kept(pair_id: int, text: str) -> Evidence:
    """An unsaved row of the text, compressed and encrypted, under the digest of pair and text. `size` is what it takes
    up, in bytes."""
    plain = text.encode(errors="surrogatepass")
    found = hashlib.sha256(b"%d\n" % pair_id + plain).hexdigest()
    token = _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(zlib.compress(plain, 1))
    content = urlsafe_b64decode(token)
    return Evidence(digest=found, pair_id=pair_id, content=content, size=len(content))


def attempt_of(
    message: Message,
    number: int,
    started_at: datetime,
    ended_at: datetime,
    ended_in: str,
    kind: str,
    reason: str,
    steps: list[dict[str, Any]],
    came_in: Record | None,
    mapped: dict[str, Record],
    recorder: Recorder,
    versions: dict[str, int] | None = None,
) -> tuple[Attempt, list[Evidence]]:
    """An unsaved attempt and the rows that it points at, for `store`. `steps` are [{"name", "kind", "seconds"}]. Reads
    no row but the message's flow. Nothing that a record or a call holds makes it fail."""
    texts = {
        "came_in": _record_text(came_in) if came_in is not None else "",
        "mapped": _record_text(mapped) if mapped else "",
        "calls": to_json(_calls(recorder.calls)) if recorder.calls else "",
    }
    rows = {name: kept(message.flow.pair_id, text) for name, text in texts.items() if text}
    attempt = Attempt(
        message=message,
        number=number,
        started_at=started_at,
        ended_at=ended_at,
        ended_in=ended_in,
        kind=kind,
        reason=scrubbed(reason),
        steps=steps,
        versions=versions or {},
        **{name: row.digest for name, row in rows.items()},
    )
    return attempt, list(rows.values())


def _record_text(value: Any) -> str:
    try:
        text = to_json(value)
        if len(text) > LARGEST_RECORD:
            return to_json({"not kept": f"It is larger than {LARGEST_RECORD // 1024**2} MB."})
        plain = text.encode(errors="surrogatepass")
        return text if without_secrets([plain])[0] is plain else to_json(clean_record(value))
    except (TypeError, ValueError, RecursionError) as error:
        return to_json({"not kept": scrubbed(f"It cannot be kept: {error}.")})


def _calls(calls: list[Call]) -> list[dict[str, Any]]:
    """The last ones whole, as many as there is room for; of those before them only what was called and answered."""
    told: list[dict[str, Any]] = []
    room, latest = LARGEST_CALLS, calls[-MOST_CALLS:]
    texts = iter(without_secrets([text for call in reversed(latest) for text in _texts(call)]))
    for call in reversed(latest):
        url, error, sent, answered = (next(texts).decode(errors="replace") for _ in range(4))
        room -= len(sent) + len(answered)
        one: dict[str, Any] = {
            "method": call.method,
            "url": url,
            "status": call.status,
            "seconds": round(call.seconds, 3),
        }
        one |= {"error": error} if error else {}
        if room >= 0:
            one |= {"request_headers": _headers(call.request_headers), "request_body": sent + _cut(call.request_body)}
            one |= {"response_headers": _headers(call.response_headers)}
            one |= {"response_body": answered + _cut(call.response_body)}
        else:
            one["cut"] = f"All bodies together are more than {LARGEST_CALLS // 1024} KB, so this call's are not kept."
        told.append(one)
    if len(calls) > MOST_CALLS:
        told.append({"cut": f"{len(calls) - MOST_CALLS} calls before these are not kept."})
    return told[::-1]


def _texts(call: Call) -> tuple[bytes, bytes, bytes, bytes]:
    url, error = (one[:4000].encode(errors="replace") for one in (call.url, call.error))
    return url, error, _body(call.request_body), _body(call.response_body)


def _headers(headers: dict[str, str]) -> dict[str, str]:
    few = {name: headers[name][:1000] for name in TOLD & headers.keys()}
    return {name: scrubbed(value) if "://" in value else value for name, value in few.items()}


def _body(body: bytes) -> bytes:
    """The body as UTF-8, as much of it as is kept."""
    if len(body) <= LARGEST_BODY and body.isascii() and b"\0" not in body:
        return body
    if body[:2] in UTF_16:
        body = body[: 4 * LARGEST_BODY].decode("utf-16", "replace").encode(errors="replace")
    elif _is_no_text(body):
        return b"[%d bytes that are no text]" % len(body)
    cut = len(body) > LARGEST_BODY
    if cut:
        body = body[:LARGEST_BODY].rstrip(b"0123456789 -")  # half of a card number would not be known as one
    try:
        body.decode()
    except UnicodeDecodeError as error:
        half = cut and error.start > len(body) - 4
        body = body[: error.start] if half else body.decode("cp1252", "replace").encode()
    return body


def _is_no_text(body: bytes) -> bool:
    return b"\0" in body[:1024] and body[:2] not in UTF_16


def _cut(body: bytes) -> str:
    if len(body) <= LARGEST_BODY or _is_no_text(body):
        return ""
    return f"\n[cut: the first {LARGEST_BODY // 1024} KB of {len(body) // 1024} KB are kept]"


def store(rows: Iterable[Evidence]) -> None:
    """Adds the rows in one statement; one that stands already is as new, so that whoever tidies up at the same moment
    leaves it. Belongs into the transaction that adds the attempts."""
    by_digest = {one.digest: one for one in rows}
    Evidence.objects.bulk_create(
        [by_digest[one] for one in sorted(by_digest)],  # in one order everywhere: no two wait for each other
        update_conflicts=True,
        unique_fields=["digest"],
        update_fields=["stored_at"],
    )


def read(digest: str) -> Any | None:
    """The record, the mapped records by mapping, or the calls; None where it was tidied away. Raises CannotDecrypt."""
    content = Evidence.objects.filter(pk=digest).values_list("content", flat=True).first()
    if content is None:
        return None
    try:
        packed = _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(urlsafe_b64encode(bytes(content)))
    except InvalidToken as error:
        raise CannotDecrypt(
            f"The evidence {digest[:12]} fits none of the ENCRYPTION_KEYS; put the removed key back."
        ) from error
    return from_json(zlib.decompress(packed).decode(errors="surrogatepass"))
