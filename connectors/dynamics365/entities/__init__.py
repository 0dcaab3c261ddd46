"""The tables that the connector speaks of, read from the JSON files beside this module, one file a table."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.base import Entity, Field

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Table:
    """An entity with what only the wire needs to know. `columns` leads from a reference field to its lookup column
    where the two differ (one navigation name for each target of a polymorphic lookup); `active` is the statecode of a
    row in use, None where closed rows count too; `rows` are the tables of fields that hold rows; `parent` is the
    reference from such a row to its record; `identity` are the fields that make a record the one it is."""

    entity: Entity
    entity_set: str
    columns: Mapping[str, str]
    active: int | None
    not_on_create: frozenset[str]
    not_on_update: frozenset[str]
    rows: Mapping[str, "Table"]
    parent: str
    identity: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.entity.name

    @property
    def key(self) -> str:
        return self.entity.key

    def column(self, field: Field) -> str:
        """The name under which a query selects or filters this field."""
        if field.type != "reference":
            return field.name
        return f"_{self.columns.get(field.name, field.name)}_value"

    def scalars(self) -> Iterator[Field]:
        return (field for field in self.entity.fields if field.type != "rows")

    def with_field(self, field: Field) -> "Table":
        kept = tuple(one for one in self.entity.fields if one.name != field.name)
        return replace(self, entity=replace(self.entity, fields=(*kept, field)))


def _field(data: dict[str, Any], rows: Mapping[str, Table]) -> Field:
    name = data["name"]
    return Field(
        name,
        data["label"],
        data["type"],
        required=data.get("required", False),
        max_length=data.get("max_length"),
        choices=tuple((value, label) for value, label in data.get("choices", ())),
        unit=data.get("unit", ""),
        places=data.get("places"),
        minimum=Decimal(data["minimum"]) if "minimum" in data else None,
        maximum=Decimal(data["maximum"]) if "maximum" in data else None,
        writable=data.get("writable", True),
        refers_to=data.get("refers_to", ""),
        fields=rows[name].entity.fields if name in rows else (),
    )


def _table(name: str) -> Table:
    data = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    rows = {one["name"]: _table(one["table"]) for one in data["fields"] if one["type"] == "rows"}
    fields = tuple(_field(one, rows) for one in data["fields"])
    return Table(
        entity=Entity(
            data["name"],
            data["label"],
            data["key"],
            fields,
            number=data.get("number", ""),
            writable=data.get("writable", False),
        ),
        entity_set=data["set"],
        columns={one["name"]: one["column"] for one in data["fields"] if "column" in one},
        active=data.get("active"),
        not_on_create=frozenset(one["name"] for one in data["fields"] if not one.get("on_create", True)),
        not_on_update=frozenset(one["name"] for one in data["fields"] if not one.get("on_update", True)),
        rows=rows,
        parent=data.get("parent", ""),
        identity=tuple(data.get("identity", ())),
    )


ORDER = (
    "salesorder",
    "contact",
    "account",
    "product",
    "pricelevel",
    "productpricelevel",
    "uomschedule",
    "uom",
    "transactioncurrency",
    "organization",
)
TABLES: dict[str, Table] = {name: _table(name) for name in ORDER}
SETS: dict[str, str] = {table.name: table.entity_set for table in TABLES.values()}
