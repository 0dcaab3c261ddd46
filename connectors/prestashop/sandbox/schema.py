"""What each resource of the webservice looks like: its fields in the order in which they are written, with the column
behind each (which decides defaults and comparisons), and its associations. The tables lie in `resources/*.json`."""

import json
import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

ZERO_DATETIME = "0000-00-00 00:00:00"
ZERO_DATE = "0000-00-00"
DATES = ("date_add", "date_upd")
NUMBER = re.compile(r"\s*[-+]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})")

# A record holds texts; an i18n field holds a text by language id; "associations" holds rows by association name.
Record = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """`computed` fields cannot be filtered, `refused` ones cannot be written, `readonly` ones only say so."""

    name: str
    column: str = "text"
    link: str = ""
    required: bool = False
    computed: bool = False
    refused: bool = False
    readonly: bool = False
    max_length: str = ""
    format: str = ""

    @property
    def i18n(self) -> bool:
        return self.column == "i18n"

    @property
    def nullable(self) -> bool:
        return self.column.endswith("?")

    def stored(self, text: str) -> str:
        """The text as the database column gives it back."""
        column = self.column.rstrip("?")
        if text == "" and self.nullable:
            return ""
        if column == "int":
            return str(int(number(text)))
        if column.startswith("dec"):
            return fixed(number(text), int(column[3:]))
        if column == "datetime":
            return f"{text} 00:00:00" if len(text) == 10 else text or ZERO_DATETIME
        if column == "date":
            return text[:10] or ZERO_DATE
        return text


@dataclass(frozen=True)
class Association:
    """`virtual` rows belong to the record itself; others name records of the resource `api`."""

    name: str
    node: str
    fields: tuple[Field, ...]
    api: str = ""
    virtual: bool = False


@dataclass(frozen=True)
class Resource:
    name: str
    node: str
    plural: str
    object: str
    fields: tuple[Field, ...]
    associations: tuple[Association, ...]

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {one.name: one for one in self.fields}

    def association(self, name: str) -> Association | None:
        return next((one for one in self.associations if one.name == name), None)

    def blank(self) -> Record:
        """An empty record as a fresh row of its table."""
        record: Record = {one.name: {} if one.i18n else one.stored("") for one in self.fields}
        record["id"] = ""
        record["associations"] = {one.name: [] for one in self.associations}
        return record

    def stored(self, record: Record) -> Record:
        """The record as the database gives it back, whatever texts were written to it."""
        kept = self.blank()
        for one in self.fields:
            if one.name in record:
                kept[one.name] = record[one.name] if one.i18n else one.stored(str(record[one.name]))
        kept["id"] = str(record.get("id", ""))
        kept["associations"].update(record.get("associations", {}))
        return kept


def number(text: str) -> Decimal:
    """A number as MySQL reads one from a text: as far as it goes, else 0."""
    found = NUMBER.match(text)
    return Decimal(found[0].strip()) if found else Decimal(0)


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """The text as the database compares it: without regard to case, accents and trailing blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold()).rstrip()
    return letters if letters.isascii() else "".join(one for one in letters if not unicodedata.combining(one))


def fixed(value: Decimal, places: int) -> str:
    """The value with this many decimal places, halves away from zero, never "-0"."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{abs(rounded) if rounded == 0 else rounded:f}"


def _field(text: str) -> Field:
    name, *marks = text.split()
    values: dict[str, Any] = {"name": name}
    for mark in marks:
        if mark.startswith(">"):
            values["link"] = mark[1:]
        elif mark.startswith("max="):
            values["max_length"] = mark[4:]
        elif mark in ("required", "computed", "refused", "readonly"):
            values[mark] = True
        elif mark[:2] in ("is", "Is"):
            values["format"] = mark
        else:
            values["column"] = mark
    return Field(**values)


def _association(table: dict[str, Any]) -> Association:
    return Association(**{**table, "fields": tuple(_field(one) for one in table["fields"])})


def _load() -> dict[str, Resource]:
    tables: dict[str, Any] = {}
    for path in sorted((Path(__file__).parent / "resources").glob("*.json")):
        tables.update(json.loads(path.read_text(encoding="utf-8")))
    return {
        name: Resource(
            name,
            table["node"],
            table["plural"],
            table["object"],
            tuple(_field(one) for one in table["fields"]),
            tuple(_association(one) for one in table["associations"]),
        )
        for name, table in sorted(tables.items())
    }


RESOURCES = _load()
