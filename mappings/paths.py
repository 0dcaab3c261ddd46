"""Where a value stands in a record: `customer.email`, `order_rows[2].product_reference`, `order_rows[].quantity`.

`$.` leads from a row back to the whole record. An empty place on the way (an order without a carrier) makes the
value empty; a name that the record does not have at all is a mistake in the rule and raises NoSuchPath.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

PART = re.compile(r"(?P<name>[^.\[\]]+)(?P<index>\[\d*\])?")


class NoSuchPath(Exception):
    """`path` names something that the record does not have."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the source record has no field {path!r}")
        self.path = path


@dataclass(frozen=True)
class Scope:
    """What a rule sees: the whole record and, inside rows, one row with its place (`order_rows[2]`). `reads` collects
    every path from the top that was read, with its value."""

    record: dict[str, Any]
    row: dict[str, Any] | None = None
    place: str = ""
    reads: dict[str, Any] | None = field(default=None, compare=False)

    def get(self, path: str) -> Any:
        if path.startswith("$."):
            value = get(self.record, path[2:])
        else:
            value = get(self.record if self.row is None else self.row, path)
        if self.reads is not None:
            self.reads[self.full(path)] = value
        return value

    def full(self, path: str) -> str:
        """The path from the top of the record."""
        if path.startswith("$."):
            return path[2:]
        return f"{self.place}.{path}" if self.place else path


def get(record: Any, path: str) -> Any:
    """The value at a path; with `[]` in it, the list of the values in every row."""
    return _walk(record, _parts(path), path)


def top(path: str) -> str:
    """The name that a path begins with."""
    return _parts(path)[0][0]


@lru_cache(maxsize=10_000)
def _parts(path: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((found["name"], found["index"]) for found in PART.finditer(path))


def _walk(value: Any, parts: tuple[tuple[str, str | None], ...], path: str) -> Any:
    for position, (name, index) in enumerate(parts):
        if value is None:
            return None
        if not isinstance(value, dict) or name not in value:
            raise NoSuchPath(path)
        value = value[name]
        if index == "[]":
            rest = parts[position + 1 :]
            return [_walk(one, rest, path) for one in value or []]
        if index:
            number = int(index[1:-1])
            value = value[number] if value and number < len(value) else None
    return value
