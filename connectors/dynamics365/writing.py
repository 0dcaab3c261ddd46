"""Writes that are read back: creation under our key, found again by a repeat, and updates of changed columns only."""

from decimal import Decimal
from typing import Any

from connectors.base import Field, Record
from connectors.dynamics365.client import Client
from connectors.dynamics365.creation import create, create_deep, create_in_batch, line_key, refused_by_another
from connectors.dynamics365.entities import Table
from connectors.dynamics365.failures import Task, failure
from connectors.dynamics365.options import BATCH
from connectors.dynamics365.pricing import rounded
from connectors.dynamics365.reading import Reader
from connectors.dynamics365.wire import address, changed_row, same_value
from connectors.errors import InDoubt, NeedsPerson, NotFound, RecordRefused, TryLater

ANY_VERSION = {"If-Match": "*"}


class Writer:
    def __init__(self, client: Client, reader: Reader, order_write: str) -> None:
        self._client = client
        self._reader = reader
        self._create_order = create_in_batch if order_write == BATCH else create_deep

    def create(self, table: Table, record: Record, key: str) -> tuple[Record, bool]:
        """The record as it stands there, and whether this call made it."""
        task = Task("create", table, _who(table, record, key), record, writes=True)
        how = self._create_order if table.rows else create
        answer = how(self._client, table, record, key, task)
        if not answer.is_success:
            try:
                stands = self._reader.read(table, key)
            except NotFound as error:
                raise refused_by_another(answer, task) from error
            _refuse_missing_lines(table, record, stands, task)
            return stands, False
        return self._read_back(table, key, task), True

    def update(self, table: Table, record: Record, key: str) -> tuple[Record, bool]:
        """The record as it stands there, and whether anything had to be changed."""
        current = self._reader.read(table, key)
        task = Task("update", table, _who(table, {**current, **record}, key), record, key=key, writes=True)
        _refuse_other_lines(table, record, current, task)
        row = changed_row(table, record, current)
        if not row:
            return current, False
        answer = self._client.write("PATCH", address(table.entity_set, key.lower()), task, row, ANY_VERSION)
        if not answer.is_success:
            raise failure(answer, task, self._client.clock())
        return self._read_back(table, key, task), True

    def _read_back(self, table: Table, key: str, task: Task) -> Record:
        try:
            return self._reader.read(table, key)
        except (TryLater, NotFound) as error:
            raise InDoubt(f"Dynamics 365 was asked to {task} and agreed; it could not be read back: {error}") from error


def _who(table: Table, record: Record, key: str) -> str:
    return str(record.get(table.entity.number) or record.get("name") or key)


def _refuse_missing_lines(table: Table, record: Record, stands: Record, task: Task) -> None:
    """A row with our key stands already: a line that was sent with it and is gone is for a person to judge."""
    for name, lines in table.rows.items():
        sent, there = record.get(name) or [], stands.get(name) or []
        if len(there) >= len(sent):
            continue
        keys = {line[lines.key] for line in there}
        gone = [number for number in range(1, len(sent) + 1) if line_key(stands[table.key], number) not in keys]
        which = f": line {', '.join(map(str, gone))} of ours is missing" if len(gone) < len(sent) else ""
        raise NeedsPerson(
            f"Dynamics 365: {table.entity.label} {task.who} is there with {len(there)} of {len(sent)} lines{which}.",
            "Somebody removed lines. Add them by hand in Dynamics 365, or delete the order there and send it again.",
        )


def _refuse_other_lines(table: Table, record: Record, current: Record, task: Task) -> None:
    for name, lines in table.rows.items():
        sent, there = record.get(name), list(current.get(name) or [])
        if sent is None:
            continue
        for number, line in enumerate(sent):
            match = next((one for one in there if _same_line(lines, line, one)), None)
            if match is None:
                raise _other_lines(table, task, f"line {number + 1} differs", f"{name}[{number}]")
            there.remove(match)
        if there:
            raise _other_lines(table, task, f"there are {len(there)} more lines there", name)


def _other_lines(table: Table, task: Task, what: str, path: str) -> RecordRefused:
    return RecordRefused(
        f"Dynamics 365: {table.entity.label} {task.who} has other lines than are sent: {what}.",
        "Lines are written once, with their order. Change them by hand in Dynamics 365, or map no lines in this flow.",
        field=path,
    )


def _same_line(lines: Table, sent: Record, there: Record) -> bool:
    from_list = sent.get("productid") and not sent.get("ispriceoverridden")
    for name, value in sent.items():
        field = lines.entity.field(name)
        if name == "priceperunit" and from_list:
            continue
        if field is None or not same_value(field, _kept(field, value), there.get(name)):
            return False
    return True


def _kept(field: Field, value: Any) -> Any:
    """The value with the decimals that the system keeps."""
    if isinstance(value, Decimal) and value.is_finite() and field.places is not None:
        return rounded(value, field.places)
    return value
