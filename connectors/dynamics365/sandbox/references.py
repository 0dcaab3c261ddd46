"""How records are named: `salesorders(guid)`, alternate keys in URLs and in binds, and `$1` inside a change set."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import (
    Refused,
    invalid,
    no_such_key_values,
    not_there,
    payload_error,
    query_error,
)
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Table

SEGMENT = re.compile(r"([^()]+)(?:\((.*)\))?", re.DOTALL)
KEY_VALUE = re.compile(r"\s*([\w@.]+)\s*=\s*('(?:[^']|'')*'|[^,']+)\s*(?:,|$)")
UNUSABLE_IN_KEYS = set("/<>*%&:\\?+")


@dataclass(frozen=True)
class Segment:
    """One step of a path: `salesorders(…)` has the key as written between its parentheses, or None without any."""

    name: str
    key: str | None = None


def segments(path: str) -> list[Segment]:
    """Splits at the slashes outside quotes. Raises Refused (404) where a step cannot be read."""
    steps, quoted, step = [], False, ""
    for character in path.strip("/"):
        quoted ^= character == "'"
        if character == "/" and not quoted:
            steps.append(step)
            step = ""
        else:
            step += character
    found = []
    for one in [*steps, step]:
        matched = SEGMENT.fullmatch(one)
        if not matched:
            raise Refused(404, "0x80060888", f"Resource not found for the segment '{one}'.")
        found.append(Segment(matched[1], matched[2]))
    return found


def as_guid(key: str) -> str | None:
    try:
        return str(UUID(key.strip().strip("'"))) if len(key.strip().strip("'")) == 36 else None
    except ValueError:
        return None


def key_values(text: str) -> dict[str, str]:
    """`a='x',b=2` as raw texts by name, quotes taken off. Raises Refused (400)."""
    values, at = {}, 0
    while at < len(text):
        matched = KEY_VALUE.match(text, at)
        if not matched:
            raise query_error(f"Bad Request - Error in query syntax near '{text[at:]}'.")
        raw = matched[2].strip()
        values[matched[1]] = raw[1:-1].replace("''", "'") if raw.startswith("'") else raw
        at = matched.end()
    return values


@dataclass(frozen=True)
class Reference:
    """A record that may or may not exist. `values` are the alternate key's, empty where it is named by id; `row` is
    what was found."""

    table: Table
    id: str | None
    values: dict[str, Any]
    row: Row | None
    written: str

    def found(self) -> Row:
        """Raises Refused (404)."""
        if self.row is not None:
            return self.row
        if self.values:
            raise no_such_key_values(self.table.name)
        raise not_there(self.table.name, str(self.id))


def resolve(environment: Environment, table: Table, key: str, *, in_url: bool = True) -> Reference:
    """Finds the record by id or by a defined alternate key. Raises Refused where the key cannot be read or is not
    defined."""
    id = as_guid(key)
    if id:
        return Reference(table, id, {}, environment.store.get(table.name, id), id)
    raw = key_values(key)
    if set(raw) == {table.id} and (id := as_guid(raw[table.id])):
        return Reference(table, id, {}, environment.store.get(table.name, id), id)
    if not raw or tuple(sorted(raw)) not in {tuple(sorted(columns)) for columns in table.keys.values()}:
        raise Refused(
            400, "0x80060890", f"The specified key attributes are not a defined key for the {table.name} entity"
        )
    if in_url:
        refuse_unusable(raw)
    values = {name: key_value(table, name, text) for name, text in raw.items()}
    row = next(iter(environment.store.matching(table.name, values)), None)
    return Reference(table, None, values, row, key)


def key_value(table: Table, name: str, text: str) -> Any:
    column = table.columns[name]
    if column.is_lookup:
        return (column.targets[0][0], as_guid(text))
    if column.type in ("String", "DateTime"):
        return text
    try:
        return Decimal(text) if column.type == "Decimal" else int(text)
    except (ValueError, ArithmeticError) as error:
        raise query_error(f"The key value '{text}' of '{name}' cannot be converted.") from error


def refuse_unusable(values: dict[str, str]) -> None:
    """Key values with these characters do not work in URLs; Microsoft documents that, and the answer here is how the
    web server in front refuses a path (unconfirmed)."""
    for value in values.values():
        for character in value:
            if character in UNUSABLE_IN_KEYS:
                raise invalid(
                    f"A potentially dangerous Request.Path value was detected from the client ({character}).", ""
                )


def bound(environment: Environment, text: Any, references: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """(table, id) of what `@odata.bind` or `@odata.id` names: relative, absolute, by alternate key, or `$1`. Raises
    Refused: 404 where the record does not exist."""
    if not isinstance(text, str) or not text.strip():
        raise payload_error(f"The value '{text}' is not a reference to a record.")
    if text.strip("/").startswith("$"):
        set_name, id = content_reference(text.strip("/"), references)
        return environment.table_of_set(set_name).name, id
    path = unquote(text.split("/api/data/", 1)[-1].split("/", 1)[-1] if "/api/data/" in text else text)
    step = segments(path)[-1]
    if step.key is None:
        raise payload_error(f"The value '{text}' is not a reference to a record.")
    table = environment.table_of_set(step.name)
    row = resolve(environment, table, step.key, in_url=False).found()
    return table.name, row[table.id]


def content_reference(text: str, references: dict[str, tuple[str, str]]) -> tuple[str, str]:
    number = text.removeprefix("$")
    if number not in references:
        raise invalid(f"Content-ID Reference: '${number}' does not exist in the batch context.", "0x80060888")
    return references[number]
