"""The contract of a connector: what it can be asked, and the data that it describes itself with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from connectors.errors import NeedsPerson, RecordRefused
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


class Connector:
    """One remote system, as one connection of it. Never retries; raises the classes of `connectors.errors`."""

    name: ClassVar[str]
    label: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    entities: ClassVar[tuple[Entity, ...]]

    def __init__(self, settings: Mapping[str, str], session: Session | None = None) -> None:
        """`settings` by setting name; what is absent takes the setting's default. Raises NeedsPerson naming every
        required setting that is missing or not one of its choices."""
        self.values = complete_settings(self.label, self.settings, settings)
        self.session = session or Session()

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

    def close(self) -> None:
        """Gives its connections to the system back; the connector is not used afterwards."""

    def expected_total(self, entity: str, record: Record) -> Decimal:
        """The total, tax included, in the record's currency, that the system will compute for this record by its
        documented formulas. Only for entities that the system prices itself."""
        raise NotImplementedError


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
