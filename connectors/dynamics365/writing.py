"""Writes that are read back: creation under our key, found again by a repeat, and updates of changed columns only."""

from connectors.base import Record
from connectors.dynamics365.client import Client
from connectors.dynamics365.creation import create, create_deep, create_in_batch, refused_by_another
from connectors.dynamics365.entities import Table
from connectors.dynamics365.failures import Task, failure
from connectors.dynamics365.lines import differing
from connectors.dynamics365.options import BATCH
from connectors.dynamics365.organization import Organization
from connectors.dynamics365.reading import Reader
from connectors.dynamics365.repeats import refuse_another
from connectors.dynamics365.wire import address, changed_row
from connectors.errors import InDoubt, NotFound, RecordRefused, TryLater


class Writer:
    def __init__(self, client: Client, reader: Reader, organization: Organization, order_write: str) -> None:
        self._client = client
        self._organization = organization
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
            refuse_another(table, record, stands, task, self._amounts(table, record, stands))
            return stands, False
        return self._read_back(table, key, task), True

    def update(self, table: Table, record: Record, key: str) -> tuple[Record, bool]:
        """The record as it stands there, and whether anything had to be changed. Raises TryLater where somebody else
        changed the row after it was read here."""
        current, etag = self._reader.read_version(table, key)
        task = Task("update", table, _who(table, {**current, **record}, key), record, key=key, writes=True)
        _refuse_other_lines(table, record, current, task, self._amounts(table, record, current))
        row = changed_row(table, record, current)
        if not row:
            return current, False
        answer = self._client.write("PATCH", address(table.entity_set, key.lower()), task, row, {"If-Match": etag})
        if not answer.is_success:
            raise failure(answer, task, self._client.clock())
        return self._read_back(table, key, task), True

    def _amounts(self, table: Table, record: Record, stands: Record) -> int | None:
        """The decimals of the currency, where there are lines to compare."""
        currency = stands.get("transactioncurrencyid")
        if not currency or not any(record.get(name) for name in table.rows):
            return None
        return self._organization.currency_places(currency)

    def _read_back(self, table: Table, key: str, task: Task) -> Record:
        try:
            return self._reader.read(table, key)
        except (TryLater, NotFound) as error:
            raise InDoubt(f"Dynamics 365 was asked to {task} and agreed; it could not be read back: {error}") from error


def _who(table: Table, record: Record, key: str) -> str:
    return str(record.get(table.entity.number) or record.get("name") or key)


def _refuse_other_lines(table: Table, record: Record, current: Record, task: Task, amounts: int | None) -> None:
    for name, lines in table.rows.items():
        sent, there = record.get(name), list(current.get(name) or [])
        if sent is None:
            continue
        for number, line in enumerate(sent):
            match = next((one for one in there if not differing(lines, line, one, line, amounts)), None)
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
