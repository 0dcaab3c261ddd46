"""A stored row as the service writes it: lookups as `_x_value`, annotations on request, numbers with their scale."""

from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from connectors.dynamics365.sandbox.environment import Environment, round_half_up
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import CHOICES, Column, Table

FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
MONEY_SCALE, DECIMAL_SCALE = 4, 10


def etag(row: Row) -> str:
    return f'W/"{row["versionnumber"]}"'


def wire_value(column: Column, value: Any) -> Any:
    """Amounts carry at least four decimals and other decimals ten, whatever their precision."""
    if column.is_lookup:
        return value[1] if value else None
    if isinstance(value, Decimal):
        scale = MONEY_SCALE if column.type == "Money" else max(DECIMAL_SCALE, column.precision or 0)
        return round_half_up(value, scale)
    return value


def render(
    environment: Environment, table: Table, row: Row, selected: list[str] | None, annotations: list[str]
) -> dict[str, Any]:
    """The row with its etag and key and the selected properties, or all of them."""
    names = list(table.by_property) if selected is None else [table.id, *(one for one in selected if one != table.id)]
    out: dict[str, Any] = {"@odata.etag": etag(row)}
    for name in names:
        column = table.by_property[name]
        value = row.get(column.name)
        if annotations and value is not None:
            for annotation, text in annotate(environment, column, row, value).items():
                if any(fnmatchcase(annotation, pattern) for pattern in annotations):
                    out[f"{name}@{annotation}"] = text
        out[name] = wire_value(column, value)
    return out


def annotate(environment: Environment, column: Column, row: Row, value: Any) -> dict[str, str]:
    if column.is_lookup:
        target = environment.tables[value[0]]
        found = environment.store.get(*value)
        navigation = next(name for table, name in column.targets if table == value[0])
        names = {NAVIGATION: navigation, LOOKUP_NAME: value[0]}
        shown = found[target.name_column] if found else None
        return names | ({FORMATTED: shown} if shown else {})
    shown = formatted(environment, column, row, value)
    return {FORMATTED: shown} if shown is not None else {}


def formatted(environment: Environment, column: Column, row: Row, value: Any) -> str | None:
    """As an English-speaking user sees the value; None for types that have no second form."""
    if column.type in CHOICES or column.type == "Boolean":
        return next((label for number, label, _ in column.choices if number == int(value)), None)
    if column.type == "Money":
        in_base = column.name.endswith("_base")
        currency = environment.target(environment.organization["basecurrencyid"]) if in_base else None
        currency = currency or environment.currency_of(row) or {}
        places = environment.places(column, row) if not in_base else int(currency.get("currencyprecision", 2))
        return f"{currency.get('currencysymbol', '')}{value:,.{places}f}"
    if column.type == "Decimal":
        return f"{value:,.{environment.places(column, row)}f}"
    if column.type in ("Integer", "BigInt"):
        return f"{value:,}"
    if column.type == "DateTime":
        return format_time(column, value)
    return None


def format_time(column: Column, value: str) -> str:
    year, month, day = (int(part) for part in value[:10].split("-"))
    shown = f"{month}/{day}/{year}"
    if column.date_format != "datetime":
        return shown
    hour, minute = int(value[11:13]), value[14:16]
    return f"{shown} {hour % 12 or 12}:{minute} {'AM' if hour < 12 else 'PM'}"
