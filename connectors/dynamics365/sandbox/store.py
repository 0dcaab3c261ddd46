"""The rows, with row versions, deletions for change tracking, indexes and transactions that nest."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.dynamics365.sandbox.tables import Table

# A row holds str, int, bool, Decimal, None and, for a lookup, (table, id). Rows are replaced, never changed in place.
Row = dict[str, Any]
FIRST_VERSION = 1000000


@dataclass(frozen=True)
class Deletion:
    version: int
    table: str
    id: str


class Store:
    """`touched` is called after every change."""

    def __init__(self, tables: dict[str, Table], touched: Callable[[], None]) -> None:
        self.tables = tables
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in tables}
        self.deletions: list[Deletion] = []
        self.version = FIRST_VERSION
        self.numbers = 1000
        self.changes = 0  # of rows, but those that were undone
        self._touched = touched
        self._undo: list[tuple[str, str, Row | None]] = []
        self._open = 0
        self._index: dict[tuple[str, str, Any], dict[str, None]] = defaultdict(dict)

    def get(self, table: str, id: str) -> Row | None:
        return self.rows[table].get(id)

    def all(self, table: str) -> Iterator[Row]:
        return iter(list(self.rows[table].values()))

    def where(self, table: str, column: str, value: Any) -> list[Row]:
        """Rows whose column equals the value, in order of id; text without regard to case."""
        found = self._index.get((table, column, _comparable(value)), {})
        return [self.rows[table][id] for id in sorted(found)]

    def matching(self, table: str, values: dict[str, Any]) -> list[Row]:
        """Rows that have all of these values; text without regard to case."""
        wanted = {name: _comparable(value) for name, value in values.items()}
        by_index = next((name for name, value in values.items() if _indexed(value)), None)
        rows = self.where(table, by_index, values[by_index]) if by_index else self.all(table)
        return [row for row in rows if all(_comparable(row.get(name)) == value for name, value in wanted.items())]

    def put(self, table: str, row: Row) -> Row:
        """Stores the row under a new row version."""
        self.version += 1
        stamped = {**row, "versionnumber": self.version}
        self._replace(table, row[self.tables[table].id], stamped)
        return stamped

    def remove(self, table: str, id: str) -> None:
        self.version += 1
        self._replace(table, id, None)
        self.deletions.append(Deletion(self.version, table, id))

    def next_number(self) -> int:
        """The next automatic number; numbers of refused rows stay unused, as the platform leaves them."""
        self.numbers += 1
        return self.numbers

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an exception undoes everything since the beginning of this block and goes on."""
        mark, deleted, changes = len(self._undo), len(self.deletions), self.changes
        self._open += 1
        try:
            yield
        except BaseException:
            while len(self._undo) > mark:
                table, id, before = self._undo.pop()
                self._set(table, id, before)
            del self.deletions[deleted:]
            self.changes = changes
            raise
        finally:
            self._open -= 1
            if not self._open:
                self._undo.clear()

    def _replace(self, table: str, id: str, row: Row | None) -> None:
        if self._open:
            self._undo.append((table, id, self.rows[table].get(id)))
        self._set(table, id, row)
        self.changes += 1
        self._touched()

    def _set(self, table: str, id: str, row: Row | None) -> None:
        before = self.rows[table].pop(id, None)
        for column, value in (before or {}).items():
            if _indexed(value):
                self._index[table, column, _comparable(value)].pop(id, None)
        if row is not None:
            self.rows[table][id] = row
            for column, value in row.items():
                if _indexed(value):
                    self._index[table, column, _comparable(value)][id] = None

    def dump(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "numbers": self.numbers,
            "rows": {name: [_plain(row) for row in rows.values()] for name, rows in self.rows.items()},
            "deletions": [[one.version, one.table, one.id] for one in self.deletions],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes the place of everything; raises KeyError or ValueError where the state is not a dump."""
        self.version, self.numbers = int(state["version"]), int(state["numbers"])
        self.deletions = [Deletion(int(version), table, id) for version, table, id in state["deletions"]]
        self.rows = {name: {} for name in self.tables}
        self._index.clear()
        for name, rows in state["rows"].items():
            for row in rows:
                self._set(name, row[self.tables[name].id], self._typed(self.tables[name], row))

    def _typed(self, table: Table, row: Row) -> Row:
        typed = {}
        for name, value in row.items():
            kind = table.columns[name].type
            if value is not None and kind in ("Money", "Decimal"):
                value = Decimal(value)
            elif isinstance(value, list):
                value = (value[0], value[1])
            typed[name] = value
        return typed


def _indexed(value: Any) -> bool:
    """Texts (numbers, names, e-mails) and lookups are looked for; amounts and choices are not."""
    return isinstance(value, str | tuple)


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _plain(row: Row) -> Row:
    return {
        name: str(value) if isinstance(value, Decimal) else list(value) if isinstance(value, tuple) else value
        for name, value in row.items()
    }
