"""The tables of the organization: columns, lookups, keys and collections, read from data files and open to custom
columns. Names, lengths, ranges and precision sources follow Microsoft's table reference."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOOKUPS = ("Lookup", "Customer", "Owner")
PLAIN = ("String", "Memo", "Integer", "Decimal", "Money", "Boolean", "DateTime")
CHOICES = ("Picklist", "State", "Status")
MONEY_LIMIT = Decimal("922337203685477")
DECIMAL_LIMIT = Decimal("100000000000")
ALTERNATE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Column:
    """`source` says whose precision a money column has: 0 its own, 1 the organization's pricing precision, 2 its
    currency's. `targets` are (table, navigation property) pairs of a lookup; `choices` are (value, label, state)."""

    name: str
    label: str
    type: str
    required: str = ""
    on_create: bool = True
    on_update: bool = True
    size: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    precision: int | None = None
    source: int = 0
    date_format: str = ""
    targets: tuple[tuple[str, str], ...] = ()
    choices: tuple[tuple[int, str, int | None], ...] = ()
    default: int | Decimal | None = None
    schema_name: str = ""

    @property
    def is_lookup(self) -> bool:
        return self.type in LOOKUPS

    @property
    def property_name(self) -> str:
        """The name that the column has in a row on the wire."""
        return f"_{self.name}_value" if self.is_lookup else self.name


@dataclass
class Table:
    """`keys` are alternate keys by name; `collections` are (table, lookup column) by navigation property; `fixed`
    tables have rows that only the platform makes and deletes."""

    name: str
    set: str
    schema: str
    label: str
    id: str
    name_column: str
    tracked: bool = False
    fixed: bool = False
    columns: dict[str, Column] = field(default_factory=dict)
    collections: dict[str, tuple[str, str]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index()

    def index(self) -> None:
        """Renews what is looked up by wire name; to be called after a column is added."""
        self.by_property = {one.property_name: one for one in self.columns.values()}
        self.navigations: dict[str, tuple[Column, str]] = {
            navigation: (one, target) for one in self.columns.values() for target, navigation in one.targets
        }


def expand(text: str) -> Iterator[str]:
    """`{a|b}_c` gives `a_c` and `b_c`."""
    parts = ALTERNATE.split(text)
    choices = [part.split("|") if place % 2 else [part] for place, part in enumerate(parts)]
    return ("".join(one) for one in product(*choices))


def load_tables() -> dict[str, Table]:
    """Every table by its logical name, as a fresh organization has it."""
    described: dict[str, dict[str, Any]] = json.loads((HERE / "tables.json").read_text())
    tables = {name: make_table(name, given) for name, given in described.items()}
    choices = load_choices()
    with (HERE / "columns.csv").open(newline="") as file:
        for given in csv.DictReader(file):
            names = list(tables) if given["tables"] == "*" else given["tables"].split()
            for name, label in zip(expand(given["name"]), expand(given["label"]), strict=True):
                for table in names:
                    add_column(tables[table], make_column(name, label, given, choices))
    return tables


def make_table(name: str, given: dict[str, Any]) -> Table:
    collections = {key: tuple(path.split(".")) for key, path in given.get("collections", {}).items()}
    own = Column(given["id"], given["label"], "Uniqueidentifier", required="S", on_update=False)
    return Table(
        name=name,
        set=given["set"],
        schema=given["schema"],
        label=given["label"],
        id=given["id"],
        name_column=given["name"],
        tracked=given.get("tracked", False),
        fixed=given.get("fixed", False),
        columns={own.name: own},
        collections=collections,
    )


def add_column(table: Table, column: Column) -> None:
    """Adds the column, and for money its read-only twin in the organization's base currency."""
    table.columns[column.name] = column
    if column.type == "Money":
        twin = f"{column.name}_base"
        table.columns[twin] = Column(
            twin, f"{column.label} (Base)", "Money", "", False, False, None, -MONEY_LIMIT, MONEY_LIMIT, 4
        )
    table.index()


def custom_column(name: str, kind: str, size: int | None, label: str) -> Column:
    """A column that one organization added; raises ValueError for a type that is not a plain one."""
    if kind not in PLAIN:
        raise ValueError(f"a custom column is one of {', '.join(PLAIN)}, not {kind!r}")
    low, high = limits(kind, "", "")
    return Column(
        name=name.lower(),
        label=label or name,
        type=kind,
        size=size if kind in ("String", "Memo") else None,
        low=low,
        high=high,
        precision=2 if kind in ("Money", "Decimal") else None,
        date_format="datetime" if kind == "DateTime" else "",
        choices=((0, "No", None), (1, "Yes", None)) if kind == "Boolean" else (),
        schema_name=name,
    )


def load_choices() -> dict[str, tuple[tuple[int, str, int | None], ...]]:
    raw: dict[str, dict[str, Any]] = json.loads((HERE / "choices.json").read_text())
    return {
        name: tuple(
            (int(value), label, None) if isinstance(label, str) else (int(value), label[0], label[1])
            for value, label in options.items()
        )
        for name, options in raw.items()
    }


def make_column(
    name: str, label: str, given: dict[str, str], choices: dict[str, tuple[tuple[int, str, int | None], ...]]
) -> Column:
    kind, refers = given["type"], given["refers"]
    low, high = limits(kind, given["low"], given["high"])
    targets = tuple((one.split(":")[0], one.split(":")[1]) for one in refers.split()) if kind in LOOKUPS else ()
    return Column(
        name=name,
        label=label,
        type=kind,
        required=given["required"],
        on_create="c" in given["valid"],
        on_update="u" in given["valid"],
        size=int(given["size"]) if given["size"] else None,
        low=low,
        high=high,
        precision=int(given["precision"]) if given["precision"] else None,
        source=int(given["source"] or 0),
        date_format=(refers or "datetime") if kind == "DateTime" else "",
        targets=targets,
        choices=choices[refers] if kind in (*CHOICES, "Boolean") else (),
        default=int(given["default"]) if given["default"] else None,
    )


def limits(kind: str, low: str, high: str) -> tuple[Decimal | None, Decimal | None]:
    """The smallest and the largest value of a number column; the platform's own where the column names none."""
    widest = {"Money": MONEY_LIMIT, "Decimal": DECIMAL_LIMIT, "Integer": Decimal(2**31 - 1)}.get(kind)
    if widest is None:
        return None, None
    return Decimal(low) if low else -widest, Decimal(high) if high else widest
