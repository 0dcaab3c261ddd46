"""Rows as records: one by its key, many by their fields, and what changed since."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from connectors.base import Change, Cursor, Record, Value
from connectors.dynamics365.client import Client, Row
from connectors.dynamics365.entities import Table
from connectors.dynamics365.failures import Task
from connectors.dynamics365.queries import OLDEST_FIRST, equals, time
from connectors.dynamics365.wire import address, from_row, is_guid, selection
from connectors.errors import NeedsPerson, NotFound, TryLater

# A transaction may run for two minutes after its rows got their time, and shows only at its end.
OVERLAP = timedelta(minutes=3)
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
ETAG = re.compile(r'(W/)?"[!#-~]*"')


class Reader:
    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, table: Table, key: str) -> Record:
        """Raises NotFound."""
        row, task = self._row(table, key)
        return self._record(table, row, task)

    def read_version(self, table: Table, key: str) -> tuple[Record, str]:
        """The record, and the etag of its row as it was read. Raises NotFound."""
        row, task = self._row(table, key)
        etag = row.get("@odata.etag")
        if not isinstance(etag, str) or not ETAG.fullmatch(etag):
            raise _unreadable(task, f"the row's version (@odata.etag) is {etag!r}")
        return self._record(table, row, task), etag

    def _row(self, table: Table, key: str) -> tuple[Row, Task]:
        if not is_guid(key):
            raise NotFound(f"Dynamics 365: {table.entity.label} {key!r} is not there: keys are GUIDs.")
        task = Task("read", table, key, key=key)
        return self._client.get(address(table.entity_set, key.lower()), task, _columns(table)), task

    def find(self, table: Table, fields: Mapping[str, Value]) -> list[Record]:
        """Rows in use, oldest first."""
        filters = [equals(table, name, value) for name, value in fields.items()]
        if table.active is not None and "statecode" not in fields:
            filters.append(f"statecode eq {table.active}")
        query = {**_columns(table), "$orderby": OLDEST_FIRST.format(key=table.key)}
        if filters:
            query["$filter"] = " and ".join(filters)
        task = Task("look up", table)
        return [self._record(table, row, task) for row in self._client.rows(table, task, query)]

    def changes(self, table: Table, since: Cursor | None) -> Iterator[Change]:
        """Oldest first, from a little before the cursor on; the cursors handed out never go back."""
        start = max(since.at - OVERLAP, BEGINNING) if since else BEGINNING
        query = {
            "$select": f"{table.key},modifiedon",
            "$filter": f"modifiedon ge {time(start)}",
            "$orderby": f"modifiedon asc,{table.key} asc",
        }
        last = since
        task = Task("read changes of", table)
        for row in self._client.rows(table, task, query):
            record = self._record(table, row, task)
            at, key = record["modifiedon"], record[table.key]
            if at is None:
                raise _unreadable(task, "a row has no modification time")
            if last is None or (at, key) > (last.at, last.key):
                last = Cursor(at, key)
            yield Change(table.name, key, at, last)

    def _record(self, table: Table, row: Row, task: Task) -> Record:
        if not is_guid(row.get(table.key)):
            raise TryLater(f"Dynamics 365 answered a row without its key when asked to {task}.")
        for name in table.rows:
            following = row.get(f"{name}@odata.nextLink")
            if following:
                row[name] = [*row[name], *self._client.pages(following, task)]
        try:
            return from_row(table, row)
        except (ValueError, TypeError, AttributeError) as error:
            raise _unreadable(task, str(error)) from error


def _unreadable(task: Task, words: str) -> NeedsPerson:
    return NeedsPerson(
        f"Dynamics 365 answered something unexpected when asked to {task}: {words}.",
        "Check that the environment's address and Web API version are right; then report it with this message.",
    )


def _columns(table: Table) -> dict[str, str]:
    query = {"$select": selection(table)}
    if table.rows:
        query["$expand"] = ",".join(f"{name}($select={selection(lines)})" for name, lines in table.rows.items())
    return query
