"""What a refusing answer of Dataverse means, in the classes of `connectors.errors` and the operator's words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from connectors.base import Record
from connectors.dynamics365 import json_text
from connectors.dynamics365.codes import CODES, UNKNOWN, Kind
from connectors.dynamics365.entities import SETS, Table
from connectors.dynamics365.wire import guids_in
from connectors.errors import ConnectorError, InDoubt, NeedsPerson, NotFound, RecordRefused, SignInRefused, TryLater

QUOTED = re.compile(r"['\"‘“]([A-Za-z_][A-Za-z0-9_.]*)['\"’”]")
PRIVILEGE = re.compile(r"\bprv\w+")
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
TARGET = re.compile(r"(\w+)['\"]?\s+With\s+Id\s*=", re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """What a call is for, as messages say it: "create Order SHOP-12". `path` leads to the part of the record that the
    call carries; `key` is the row that is read or changed."""

    verb: str
    table: Table
    who: str = ""
    record: Record = field(default_factory=dict)
    key: str = ""
    path: str = ""
    writes: bool = False

    def __str__(self) -> str:
        who = f'"{self.who}"' if " " in self.who and not self.path else self.who
        return " ".join(filter(None, (self.verb, self.table.entity.label.lower(), who)))


@dataclass(frozen=True)
class Refusal:
    """The parts of an error answer; `code` in lower case and empty where there was none."""

    status: int
    code: str
    words: str
    request_id: str

    def tail(self) -> str:
        parts = [f"HTTP {self.status}", self.code, f"request id {self.request_id}" if self.request_id else ""]
        return f"({', '.join(filter(None, parts))})"


def refusal(response: httpx.Response) -> Refusal:
    code, words = "", ""
    try:
        error = json_text.loads(response.content)["error"]
        code, words = str(error.get("code") or "").lower(), str(error.get("message") or "").strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        words = "" if b"<" in response.content[:200] else response.text[:200].strip()
    return Refusal(response.status_code, code, words.rstrip("."), request_id(response))


def says_already_there(response: httpx.Response) -> bool:
    """Whether a precondition or the uniqueness of a key stood against a write."""
    if response.is_success:
        return False
    code = refusal(response).code
    return CODES[code].kind is Kind.EXISTS if code in CODES else response.status_code == 412


def request_id(response: httpx.Response) -> str:
    return response.headers.get("x-ms-service-request-id") or response.headers.get("req_id") or ""


def request_note(response: httpx.Response) -> str:
    known = request_id(response)
    return f", request id {known}" if known else ""


def retry_after(response: httpx.Response, now: datetime) -> datetime | None:
    """The time before which no call may be made, from seconds or from an HTTP date; None where it does not say."""
    text = response.headers.get("retry-after", "").strip()
    try:
        return now + timedelta(seconds=float(text)) if re.fullmatch(r"[\d.]+", text) else _http_date(text)
    except (ValueError, OverflowError):
        return None


def _http_date(text: str) -> datetime | None:
    if not text:
        return None
    time = parsedate_to_datetime(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def failure(response: httpx.Response, task: Task, now: datetime) -> ConnectorError:
    """The exception for an answer that is no success. Codes decide where they are known, the status otherwise."""
    told = refusal(response)
    kind = CODES[told.code].kind if told.code in CODES else None
    if told.status == 429 or kind is Kind.BUSY:
        return _busy(told, task, retry_after(response, now))
    if told.status in (401, 403) or kind is Kind.SIGN_IN:
        return _not_allowed(told, task)
    if kind is Kind.CLOSED:
        return _closed(told, task)
    if kind is Kind.CHANGED or (told.status == 412 and not kind):
        return TryLater(f"Dynamics 365 did not {task}: {CODES['0x80060882'].meaning} {told.tail()}.")
    if kind is Kind.MISSING:
        return _missing(told, task)
    if kind is Kind.WRONG:
        return NeedsPerson(
            f"Dynamics 365 did not {task}: {CODES[told.code].meaning} {told.tail()}.",
            CODES[told.code].hint,
            code=told.code,
        )
    if kind:
        return _refused(told, task)
    if told.status >= 500 or told.status == 408:
        return _broken(told, task, retry_after(response, now))
    if told.status == 404 and told.code and task.key and not task.writes:
        return NotFound(f"Dynamics 365: {task.table.entity.label} {task.key} is not there {told.tail()}.")
    if told.status in (404, 405) or 300 <= told.status < 400:
        return NeedsPerson(
            f"Dynamics 365 did not {task}: this address does not answer as a Dataverse Web API {told.tail()}.",
            "Compare the environment address of the connection with the one in the Power Platform admin center.",
            code=told.code,
        )
    return _refused(told, task)


def _busy(told: Refusal, task: Task, after: datetime | None) -> TryLater:
    meaning = CODES[told.code].meaning if told.code in CODES else "too many requests"
    return TryLater(f"Dynamics 365 holds calls back, could not {task}: {meaning} {told.tail()}.", after, outage=True)


def _broken(told: Refusal, task: Task, after: datetime | None) -> ConnectorError:
    words = f": {told.words}" if told.words else ""
    if told.status == 501:
        return NeedsPerson(f"Dynamics 365 cannot {task}{words} {told.tail()}.", "Check the Web API version.")
    if task.writes and not (told.status == 503 and after):
        return InDoubt(f"Dynamics 365 failed while it was asked to {task}{words} {told.tail()}; it may be done.")
    away = told.status in (502, 503, 504)
    return TryLater(f"Dynamics 365 could not {task}{words} {told.tail()}.", after, outage=away)


def _not_allowed(told: Refusal, task: Task) -> SignInRefused:
    privilege = PRIVILEGE.search(told.words)
    known = CODES.get(told.code)
    meaning = f"privilege {privilege[0]} is missing" if privilege else (known or CODES["0x80048306"]).meaning
    where = f"table {task.table.name}"
    return SignInRefused(
        f"Dynamics 365 does not let the application user {task} ({where}): {meaning} {told.tail()}.",
        (known or CODES["0x80048306"]).hint,
        code=told.code,
    )


def _closed(told: Refusal, task: Task) -> NeedsPerson:
    return NeedsPerson(
        f"Dynamics 365 cannot {task}: {CODES[told.code].meaning} {told.tail()}.",
        "It has been fulfilled, invoiced or cancelled. Change it in Dynamics 365 by hand (reopen it, or note the "
        "change on a new document), then close this message.",
        code=told.code,
    )


def _missing(told: Refusal, task: Task) -> NeedsPerson:
    wanted = GUID.search(told.words)
    target = TARGET.search(told.words)
    what = f"{target[1].lower()} {wanted[0].lower()}" if target and wanted else told.words or CODES[told.code].meaning
    path = _path_of(wanted[0].lower(), task) if wanted else ""
    if task.key and not path and (not wanted or wanted[0].lower() == task.key.lower()):
        return NotFound(f"Dynamics 365: {task.table.entity.label} {task.key} is not there {told.tail()}.")
    return RecordRefused(
        f"Dynamics 365 refused to {task}: {path or 'a field'} points at {what}, which does not exist {told.tail()}.",
        "It was deleted there, or belongs to another environment: choose another one in the mapping or lookup table, "
        "or remove the cross-reference so that it is found again.",
        field=path,
        code=told.code,
    )


def _path_of(guid: str, task: Task) -> str:
    return next((task.path + path for path, value in guids_in(task.record) if value == guid), "")


def _refused(told: Refusal, task: Task) -> RecordRefused:
    known = CODES.get(told.code, UNKNOWN)
    path = named_field(told.words, task)
    where = f" ({path})" if path else ""
    words = f": {told.words}" if told.words else ""
    return RecordRefused(
        f"Dynamics 365 refused to {task}: {known.meaning}{where}{words} {told.tail()}.",
        known.hint,
        field=path,
        code=told.code,
    )


def named_field(words: str, task: Task) -> str:
    """The path of the field that the system's text names, lines included; empty where it names none."""
    names = [name.split("@")[0] for name in QUOTED.findall(words)]
    for prefix, table in _tables(task.table, names):
        fields = {table.columns.get(one.name, one.name): one.name for one in table.entity.fields}
        fields |= {one.name: one.name for one in table.entity.fields}
        found = next((fields[name.lower()] for name in names if name.lower() in fields), "")
        if found:
            return task.path + prefix + found
    return ""


def _tables(table: Table, names: Iterable[str]) -> list[tuple[str, Table]]:
    """The table and those of its lines with their path prefix; one that the text names by its name goes first."""
    both = [("", table), *((f"{name}.", lines) for name, lines in table.rows.items())]
    lowered = {name.lower() for name in names}
    known = set(SETS) | {lines.name for lines in table.rows.values()}
    return sorted(both, key=lambda one: one[1].name not in lowered & known)
