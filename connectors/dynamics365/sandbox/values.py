"""A value as sent becomes a value as stored, or is refused with the code of its fault."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from connectors.dynamics365.sandbox.environment import wire_time
from connectors.dynamics365.sandbox.errors import invalid, payload_error
from connectors.dynamics365.sandbox.tables import CHOICES, Column, Table

EDM = {"String": "String", "Memo": "String", "Integer": "Int32", "BigInt": "Int64", "Boolean": "Boolean"}
EDM |= {"Money": "Decimal", "Decimal": "Decimal", "Uniqueidentifier": "Guid", "DateTime": "DateTimeOffset"}
EDM |= dict.fromkeys(CHOICES, "Int32")
DATE = re.compile(r"\d{4}-\d\d-\d\d")


def stored(table: Table, column: Column, value: Any) -> Any:
    """Raises Refused (400). Amounts are not rounded here: their precision may depend on the row's currency."""
    if value is None:
        return None
    if column.type in ("String", "Memo"):
        return text(table, column, value)
    if column.type == "Boolean":
        if not isinstance(value, bool):
            raise unconvertible(column, value)
        return value
    if column.type == "DateTime":
        return moment(column, value)
    if column.type == "Uniqueidentifier":
        return guid(column, value)
    return number(table, column, value)


def unconvertible(column: Column, value: Any) -> Exception:
    kind = "Date" if column.date_format == "date" else EDM[column.type]
    return payload_error(f"Cannot convert the literal '{value}' to the expected type 'Edm.{kind}'.")


def text(table: Table, column: Column, value: Any) -> str | None:
    if not isinstance(value, str):
        raise unconvertible(column, value)
    if column.size is not None and len(value) > column.size:
        raise invalid(
            f"A validation error occurred.  The length of the '{column.name}' attribute of the '{table.name}' entity "
            f"exceeded the maximum allowed length of '{column.size}'.",
            "0x80044331",
        )
    return value or None


def guid(column: Column, value: Any) -> str:
    try:
        return str(UUID(value))
    except (ValueError, AttributeError, TypeError) as error:
        raise unconvertible(column, value) from error


def moment(column: Column, value: Any) -> str:
    """A date-only column takes only a date; any other takes a moment with its offset, or a date as its midnight in
    UTC."""
    try:
        if not isinstance(value, str):
            raise ValueError
        if DATE.fullmatch(value):
            date.fromisoformat(value)
            return value if column.date_format == "date" else f"{value}T00:00:00Z"
        at = datetime.fromisoformat(value)
        if column.date_format == "date" or at.tzinfo is None:
            raise ValueError
        return wire_time(at)
    except (ValueError, OverflowError) as error:
        raise unconvertible(column, value) from error


def number(table: Table, column: Column, value: Any) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise unconvertible(column, value)
    if column.type in CHOICES:
        return choice(table, column, value)
    if column.type == "Integer" and not isinstance(value, int):
        raise unconvertible(column, value)
    if (column.low is not None and value < column.low) or (column.high is not None and value > column.high):
        raise invalid(
            f"A validation error occurred.  The value {value} of '{column.name}' on record of type '{table.name}' is "
            f"outside the valid range. Accepted Values: between {column.low} and {column.high}.",
            "0x8004432f" if column.type == "Integer" else "0x80044330",
        )
    return value if column.type == "Integer" else Decimal(value)


def choice(table: Table, column: Column, value: int | Decimal) -> int:
    if not isinstance(value, int):
        raise unconvertible(column, value)
    accepted = [one[0] for one in column.choices]
    if value not in accepted:
        raise invalid(
            f"A validation error occurred.  The value {value} of '{column.name}' on record of type '{table.name}' is "
            f"outside the valid range. Accepted Values: {','.join(str(one) for one in accepted)}",
            "0x8004431a",
        )
    return value
