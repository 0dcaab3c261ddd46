"""What one organization says of itself: its name, how many decimals it keeps, and its own column for our reference."""

import re
from dataclasses import replace
from typing import Any

from connectors.base import Field
from connectors.dynamics365.client import Client, Row
from connectors.dynamics365.entities import TABLES, Table
from connectors.dynamics365.failures import Task
from connectors.dynamics365.wire import address, selection
from connectors.errors import NeedsPerson, NotFound, RecordRefused
from connectors.session import Cache

TEXT_TYPES = ("String", "Memo")
PRICES = ("priceperunit",)
COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Organization:
    """Answers are kept in the session's cache."""

    def __init__(self, client: Client, cache: Cache, reference_column: str) -> None:
        self._client = client
        self._cache = cache
        self._reference_column = reference_column.strip().lower()
        if self._reference_column and not COLUMN_NAME.fullmatch(self._reference_column):
            raise NeedsPerson(
                f"Dynamics 365 connection: {reference_column!r} is no column name.",
                "Enter the logical name of the column, such as new_shoporder, or leave it empty.",
            )

    def facts(self) -> Row:
        row: Row = self._kept("facts", self._read_facts)
        return row

    def pricing_places(self) -> int | None:
        """The decimals that a unit price keeps, None where the organization does not say."""
        places = self.facts().get("pricingdecimalprecision")
        return places if isinstance(places, int) else None

    def currency_places(self, key: str) -> int:
        table = TABLES["transactioncurrency"]
        task = Task("read", table, key, key=key)
        row = self._kept(
            f"currency {key}",
            lambda: self._client.get(address(table.entity_set, key), task, {"$select": "currencyprecision"}),
        )
        places = row.get("currencyprecision")
        if not isinstance(places, int):
            raise NeedsPerson(
                f"Dynamics 365: currency {key} has no precision.",
                "Power Platform admin center, environment, Settings, Business, Currencies: set the currency precision.",
            )
        return places

    def orders(self) -> Table:
        """The table of orders as this organization has it: with its own reference column, and the decimals of unit
        prices. Raises NeedsPerson where the column of the setting is missing or holds no text."""
        table: Table = self._kept(f"orders {self._reference_column}", self._orders)
        return table

    def _orders(self) -> Table:
        places = self.pricing_places()
        table = TABLES["salesorder"]
        for name, lines in table.rows.items():
            priced = tuple(replace(one, places=places) if one.name in PRICES else one for one in lines.entity.fields)
            child = replace(lines, entity=replace(lines.entity, fields=priced))
            rows = table.entity.field(name)
            if rows:
                table = replace(table.with_field(replace(rows, fields=priced)), rows={**table.rows, name: child})
        return table.with_field(self._reference_field(table)) if self._reference_column else table

    def _read_facts(self) -> Row:
        table = TABLES["organization"]
        query = {"$select": selection(table), "$top": "1"}
        rows = self._client.get(f"/{table.entity_set}", Task("read", table), query).get("value")
        return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}

    def _reference_field(self, table: Table) -> Field:
        name = self._reference_column
        path = f"/EntityDefinitions(LogicalName='{table.name}')/Attributes(LogicalName='{name}')"
        try:
            column = self._client.get(path, Task("read the columns of", table, key=name))
        except (NotFound, RecordRefused) as error:
            raise NeedsPerson(
                f"Dynamics 365: table {table.name} has no column {name}.",
                f"Power Apps, Tables, {table.entity.label}, Columns: add a text column of that name and publish it, or "
                "correct the order reference column of the connection.",
                field=name,
            ) from error
        if column.get("AttributeType") not in TEXT_TYPES or column.get("IsValidForCreate") is False:
            raise NeedsPerson(
                f"Dynamics 365: column {name} of {table.name} cannot take our reference: it is of type "
                f"{column.get('AttributeType')}, or not writable.",
                "Choose a text column in the order reference column of the connection.",
                field=name,
            )
        length = column.get("MaxLength")
        return Field(
            name,
            _label(column) or name,
            max_length=length if isinstance(length, int) else None,
            writable=True,
        )

    def _kept(self, name: str, make: Any) -> Any:
        return self._cache.get_or(("dynamics365", self._client.origin, name), make)


def _label(column: Row) -> str:
    label = column.get("DisplayName") or {}
    local = label.get("UserLocalizedLabel") if isinstance(label, dict) else None
    text = local.get("Label") if isinstance(local, dict) else None
    return text if isinstance(text, str) else ""
