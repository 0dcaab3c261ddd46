"""The contract of a connector: what it can be asked, and the data that it describes itself with."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Literal

from connectors.errors import ConnectorError, NeedsPerson, RecordRefused, SignInRefused, TryLater
from connectors.session import Session

# A record holds only these above a connector's client module: no wire quirk passes it.
Value = str | int | Decimal | bool | date | datetime | None | list[Any] | dict[str, Any]
Record = dict[str, Any]

FieldType = Literal["text", "integer", "decimal", "money", "boolean", "date", "datetime", "choice", "reference", "rows"]


@dataclass(frozen=True)
class Setting:
    """One answer that a connection needs; the connection's form builds itself from these."""

    name: str
    label: str
    secret: bool = False
    required: bool = True
    default: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """One field of an entity. `places` are the decimal places kept; `refers_to` is the entity that a reference
    points at; `fields` are the fields of each row where the type is rows."""

    name: str
    label: str
    type: FieldType = "text"
    required: bool = False
    max_length: int | None = None
    choices: tuple[tuple[int | str, str], ...] = ()
    unit: str = ""
    places: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    writable: bool = True
    refers_to: str = ""
    fields: tuple["Field", ...] = ()


@dataclass(frozen=True)
class Entity:
    """A kind of record. `key` is the field that identifies it, `number` the one that people call it by."""

    name: str
    label: str
    key: str
    fields: tuple[Field, ...]
    number: str = ""
    writable: bool = False

    def field(self, name: str) -> Field | None:
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True)
class Cursor:
    """Where a feed of changes stands: everything up to (`at`, `key`) has been handed out. `at` is aware UTC."""

    at: datetime
    key: str = ""


@dataclass(frozen=True)
class Change:
    """One record that changed. `cursor` is where to go on once this change is safely stored."""

    entity: str
    key: str
    at: datetime
    cursor: Cursor
    deleted: bool = False


@dataclass(frozen=True)
class Event:
    """What an inbound call hints at: a record that may have changed. `id` is the sender's own for the event, if any."""

    entity: str
    key: str
    id: str = ""


@dataclass(frozen=True)
class Written:
    """What a write left behind. `changed` is False where the record already stood there; `record` is the read-back."""

    key: str
    changed: bool
    link: str
    record: Record = field(default_factory=dict)


@dataclass(frozen=True)
class CheckResult:
    """The answer to "does this connection work", in words; `facts` are label and value pairs."""

    ok: bool
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pace:
    """No more than `calls` in any `seconds`, and no more than `at_once` in parallel; 0 is no limit."""

    calls: int
    seconds: int
    at_once: int


NO_LIMIT = Pace(0, 0, 0)


class Connector:
    """One remote system, as one connection of it. Never retries; raises the classes of `connectors.errors`. `pace` is
    what the system bears from one owner of a quota, as far as it is known."""

    name: ClassVar[str]
    label: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    entities: ClassVar[tuple[Entity, ...]]
    pace: ClassVar[Pace] = NO_LIMIT

    def __init__(self, settings: Mapping[str, str], session: Session | None = None) -> None:
        """`settings` by setting name; what is absent takes the setting's default. Raises NeedsPerson naming every
        required setting that is missing or not one of its choices."""
        self.values = complete_settings(self.label, self.settings, settings)
        self.session = session or Session()
        self.own_pace()  # a pace that is no number is told with the other settings

    def entity(self, name: str) -> Entity:
        return next(one for one in self.entities if one.name == name)

    def check(self) -> CheckResult:
        """Does it answer, as whom, what may this account do. Raises SignInRefused, TryLater or NeedsPerson."""
        raise NotImplementedError

    def changes(self, entity: str, since: Cursor | None = None) -> Iterator[Change]:
        """Records changed since the cursor, oldest first; windows overlap, so a change may come twice."""
        raise NotImplementedError

    def read(self, entity: str, key: str) -> Record:
        """One record with all that belongs to it. Raises NotFound."""
        raise NotImplementedError

    def read_many(self, entity: str, keys: Sequence[str]) -> dict[str, Record | ConnectorError]:
        """Each key with its record, or with the error that `read` would raise for it. What concerns the system as a
        whole is raised, whatever was read before it: SignInRefused, and TryLater where it is an outage."""
        found: dict[str, Record | ConnectorError] = {}
        for key in dict.fromkeys(keys):
            found[key] = attempt(partial(self.read, entity, key))
        return found

    def find(self, entity: str, **fields: Value) -> list[Record]:
        """Active records whose fields equal these, oldest first; empty where there are none."""
        raise NotImplementedError

    def write(self, entity: str, record: Record, key: str | None = None, *, idempotency_key: str = "") -> Written:
        """Creates the record, or updates the one with this key, and reads it back. The same idempotency key (a UUID)
        never creates twice. Raises RecordRefused, InDoubt, TryLater."""
        raise NotImplementedError

    def link(self, entity: str, key: str) -> str:
        """Where a person opens this record in the system's own screens; empty where it has none."""
        return ""

    @staticmethod
    def events(headers: Mapping[str, str], body: bytes) -> list[Event]:
        """What an inbound call means: the records that it hints at, none for an event that does not matter. Raises
        RecordRefused for a body that cannot be read, naming the place, and where the system is not listened to."""
        raise RecordRefused(
            "Webhooks of this system are not understood.", "Switch them off there: its changes are polled."
        )

    def own_pace(self) -> Pace:
        """The pace of this connection: its settings `calls_a_minute` and `calls_at_once` (see `pace_settings`) before
        the system's own. Raises NeedsPerson where one of them is no number."""
        if "calls_a_minute" not in self.values:
            return self.pace
        for one in self.settings:
            if one.name in PACE_SETTINGS and not re.fullmatch(r"\d{1,6}", self.values[one.name].strip(), re.ASCII):
                raise NeedsPerson(
                    f"{self.label} connection: {one.label} must be a whole number from 0 to 999999.",
                    "Correct it in the connection's settings; 0 is no limit.",
                    field=one.name,
                )
        at_once, a_minute = int(self.values["calls_at_once"]), int(self.values["calls_a_minute"])
        seconds = max(self.pace.seconds, 60)
        return Pace(a_minute * seconds // 60, seconds if a_minute else 0, at_once)

    def quota_owner(self) -> str:
        """Whom the system counts these calls against: connections that answer the same share one quota. Holds no
        secret."""
        open_values = {one.name: self.values[one.name] for one in self.settings if not one.secret}
        text = json.dumps(open_values, sort_keys=True)
        return f"{self.name} {hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def close(self) -> None:
        """Gives its connections to the system back; the connector is not used afterwards."""

    def expected_total(self, entity: str, record: Record) -> Decimal:
        """The total, tax included, in the record's currency, that the system will compute for this record by its
        documented formulas. Only for entities that the system prices itself."""
        raise NotImplementedError


PACE_SETTINGS = ("calls_a_minute", "calls_at_once")


def pace_settings(pace: Pace) -> tuple[Setting, Setting]:
    """The settings by which a connection keeps another pace than its system's, which is their default."""
    calls = pace.calls * 60 // pace.seconds if pace.seconds else 0
    return (
        Setting("calls_a_minute", "Calls a minute", default=str(calls), help="The most calls a minute; 0 is no limit."),
        Setting(
            "calls_at_once", "Calls at once", default=str(pace.at_once), help="The most in parallel; 0 is no limit."
        ),
    )


def concerns_all(error: ConnectorError) -> bool:
    """Whether the error is about the system or the whole connection, not about one record."""
    return isinstance(error, SignInRefused) or (isinstance(error, TryLater) and error.outage)


def attempt(read: Callable[[], Record]) -> Record | ConnectorError:
    """What it reads, or the error; raises one that concerns all records."""
    try:
        return read()
    except ConnectorError as error:
        if concerns_all(error):
            raise
        return error


def complete_settings(label: str, settings: tuple[Setting, ...], given: Mapping[str, str]) -> dict[str, str]:
    values = {one.name: given.get(one.name) or one.default for one in settings}
    wrong = [f"{one.label} is missing" for one in settings if one.required and not values[one.name]]
    wrong += [
        f"{one.label} must be one of {', '.join(one.choices)}"
        for one in settings
        if one.choices and values[one.name] and values[one.name] not in one.choices
    ]
    if wrong:
        raise NeedsPerson(
            f"{label} connection: " + "; ".join(wrong) + ".", "Open the connection and fill in its settings."
        )
    return values
