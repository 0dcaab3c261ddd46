"""OData filters from fields and values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.base import Field
from connectors.dynamics365.entities import Table
from connectors.dynamics365.wire import is_guid
from connectors.errors import NeedsPerson

OLDEST_FIRST = "createdon asc,{key} asc"


def equals(table: Table, name: str, value: Any) -> str:
    """`column eq literal`. Raises NeedsPerson where the table has no such column or it does not hold such values."""
    field = table.entity.field(name)
    if field is None or field.type == "rows":
        raise NeedsPerson(
            f"Dynamics 365: {table.entity.label} cannot be looked up by {name}.", "Choose another field to look up by."
        )
    return f"{table.column(field)} eq {literal(table, field, value)}"


def literal(table: Table, field: Field, value: Any) -> str:
    if value is None:
        return "null"
    if field.type == "reference" or field.name == table.key:
        if not is_guid(value):
            raise NeedsPerson(
                f"Dynamics 365: {field.label} {value!r} is no key of Dynamics 365 (a GUID).",
                "Correct what the look-up compares with.",
            )
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
