"""Records to and from the Web API's rows: lookups as `@odata.bind`, amounts exact, dates and times typed."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.base import Field, Record
from connectors.dynamics365.entities import SETS, Table
from connectors.errors import RecordRefused

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
CORRECT_RULE = "Correct the rule of the mapping that fills this field."


def new_row(table: Table, record: Record, path: str = "") -> dict[str, Any]:
    """The row of a record that is to be created, rows of lines nested, empty fields left out. Raises RecordRefused
    naming the path of the first field that does not exist, cannot be written or holds a value of another type."""
    row: dict[str, Any] = {}
    for name, value in record.items():
        field = writable_field(table, name, table.not_on_create, path)
        if field.type == "rows":
            row[name] = [new_row(table.rows[name], one, f"{path}{name}[{n}].") for n, one in enumerate(value or [])]
        elif (wire := encoded(field, value, path + name)) is not None:
            row |= _property(field, wire)
    return row


def changed_row(table: Table, record: Record, current: Record) -> dict[str, Any]:
    """The columns of the record, lines apart, that differ from the current one; an emptied field is sent as null.
    Raises RecordRefused like new_row, for changed fields only."""
    row: dict[str, Any] = {}
    for name, value in record.items():
        field = table.entity.field(name)
        if field and (field.type == "rows" or same_value(field, value, current.get(name))):
            continue
        field = writable_field(table, name, table.not_on_update)
        wire = encoded(field, value, name)
        column = table.column(field)
        if wire is None and any(
            record.get(one.name) for one in table.scalars() if one is not field and table.column(one) == column
        ):
            continue  # another target of the same lookup is set: it replaces this one
        row |= _property(field, wire)
    return row


def same_value(field: Field, one: Any, other: Any) -> bool:
    return bool(encoded(field, one, field.name) == encoded(field, other, field.name))


def from_row(table: Table, row: Mapping[str, Any]) -> Record:
    """The record in a row, with every field of the table; what was not answered is None. Raises ValueError where a
    value is not of its column's type."""
    record: Record = {field.name: _decoded(table, field, row) for field in table.scalars()}
    for name, lines in table.rows.items():
        if name in row:
            record[name] = sorted((from_row(lines, one) for one in row[name]), key=_place_of_line(lines))
    return record


def selection(table: Table) -> str:
    return ",".join(dict.fromkeys(table.column(field) for field in table.scalars()))


def encoded(field: Field, value: Any, path: str) -> Any:
    """The value as JSON carries it. Raises RecordRefused where it is not of the field's type or choices."""
    if value is None or value == "":
        return None
    wire = _encoders[field.type](value)
    if wire is None:
        raise RecordRefused(
            f"Dynamics 365: {path} cannot take {value!r}: '{field.label}' is of type {field.type}.",
            CORRECT_RULE,
            field=path,
        )
    if field.choices and wire not in [code for code, _ in field.choices]:
        offered = ", ".join(f"{code} {label}" for code, label in field.choices)
        raise RecordRefused(
            f"Dynamics 365: {path} cannot take {value!r}: '{field.label}' offers {offered}.",
            "Add the value to the lookup table that fills this field.",
            field=path,
        )
    return wire


def writable_field(table: Table, name: str, refused: frozenset[str], path: str = "") -> Field:
    field = table.entity.field(name)
    if field and field.writable and name not in refused:
        return field
    if field is None:
        words = f"{table.entity.label} has no field {path}{name}"
    elif not field.writable:
        words = f"{path}{name} is computed by Dynamics 365 and cannot be written"
    else:
        when = "while the record is created" if refused is table.not_on_create else "once the record exists"
        words = f"{path}{name} cannot be set {when}"
    raise RecordRefused(f"Dynamics 365: {words}.", CORRECT_RULE, field=path + name)


def is_guid(value: Any) -> bool:
    return isinstance(value, str) and bool(GUID.fullmatch(value))


def address(entity_set: str, key: str) -> str:
    return f"/{entity_set}({key})"


def _property(field: Field, wire: Any) -> dict[str, Any]:
    if field.type != "reference":
        return {field.name: wire}
    return {f"{field.name}@odata.bind": wire and address(SETS[field.refers_to], wire)}


def _amount(value: Any) -> Decimal | int | None:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return _integer(value)


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _date(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else None


def _datetime(value: Any) -> str | None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_encoders: dict[str, Any] = {
    "text": lambda value: value if isinstance(value, str) else None,
    "reference": lambda value: value.lower() if is_guid(value) else None,
    "boolean": lambda value: value if isinstance(value, bool) else None,
    "integer": _integer,
    "choice": _integer,
    "decimal": _amount,
    "money": _amount,
    "date": _date,
    "datetime": _datetime,
}


def _decoded(table: Table, field: Field, row: Mapping[str, Any]) -> Any:
    value = row.get(table.column(field))
    if value is None:
        return None
    if field.type == "reference" and field.name in table.columns:
        return value if row.get(f"{table.column(field)}@{LOOKUP_NAME}") == field.refers_to else None
    try:
        return _decoders.get(field.type, _same)(value)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise ValueError(f"{field.name} holds {value!r}, which is not of type {field.type}") from error


def _same(value: Any) -> Any:
    return value


def _exact(value: Any) -> Decimal:
    if isinstance(value, bool | str):
        raise TypeError(value)
    return Decimal(value)


def _utc(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


_decoders: dict[str, Any] = {
    "decimal": _exact,
    "money": _exact,
    "date": lambda value: date.fromisoformat(value[:10]),
    "datetime": _utc,
}


def _place_of_line(lines: Table) -> Any:
    def place(line: Record) -> tuple[bool, int, str, str]:
        number, created = line.get("lineitemnumber"), line.get("createdon")
        return number is None, number or 0, created.isoformat() if created else "", line[lines.key] or ""

    return place


def guids_in(record: Record, path: str = "") -> Iterator[tuple[str, str]]:
    """The path and the value of everything in the record that is a GUID, lines too."""
    for name, value in record.items():
        if isinstance(value, list):
            for number, row in enumerate(value):
                yield from guids_in(row, f"{path}{name}[{number}].")
        elif is_guid(value):
            yield path + name, value.lower()
