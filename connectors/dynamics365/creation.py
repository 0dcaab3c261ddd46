"""Creates rows under keys that we choose, so that a repeat finds the first: orders with their lines in one
transaction, everything else by a create-only upsert."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import httpx

from connectors.base import Record
from connectors.dynamics365.batch import Upsert, answers, change_set
from connectors.dynamics365.client import Client
from connectors.dynamics365.entities import Table
from connectors.dynamics365.failures import (
    Task,
    failure,
    named_field,
    refusal,
    request_id,
    request_note,
    says_already_there,
)
from connectors.dynamics365.wire import address, new_row
from connectors.errors import InDoubt, RecordRefused

MOST_OPERATIONS = 1000
ONLY_CREATE = {"If-None-Match": "*"}


def line_key(order_key: str, number: int) -> str:
    """The key of an order's line, counted from 1, where lines have keys of their own."""
    return str(uuid5(UUID(order_key), f"line:{number}"))


def create(client: Client, table: Table, record: Record, key: str, task: Task) -> httpx.Response:
    """One row under our key. Returns the answer of success, or the one that says it stands already."""
    row = new_row(table, record)
    return client.write("PATCH", address(table.entity_set, key), task, row, ONLY_CREATE)


def create_deep(client: Client, table: Table, record: Record, key: str, task: Task) -> httpx.Response:
    """An order with its lines nested, in one POST and one transaction."""
    row = {table.key: key, **new_row(table, record)}
    return client.write("POST", f"/{table.entity_set}", task, row, {})


def create_in_batch(client: Client, table: Table, record: Record, key: str, task: Task) -> httpx.Response:
    """The same by documented upserts only: one change set, each line under a key of its own."""
    upserts = _upserts(client, table, record, key)
    if len(upserts) > MOST_OPERATIONS:
        raise RecordRefused(
            f"Dynamics 365 takes {MOST_OPERATIONS} operations a batch, and to {task} needs {len(upserts)}.",
            "Set 'how orders are written' to deep insert, or split the order.",
        )
    content_type, body = change_set(upserts)
    response = client.send("POST", "/$batch", body, {"Content-Type": content_type})
    inside = answers(response)
    failed = next(((number, one) for number, one in inside if not one.is_success), None)
    if failed is None and not response.is_success:
        raise failure(response, task, client.clock())
    if failed is None and len(inside) < len(upserts):
        raise InDoubt(
            f"Dynamics 365 was asked to {task} in one batch, and its answer cannot be read{request_note(response)}."
        )
    if failed is None:
        return response
    number, answer = failed
    if not request_id(answer):
        answer.headers["REQ_ID"] = request_id(response)
    if says_already_there(answer):
        return answer
    raise failure(answer, _part(table, record, task, number), client.clock())


def _upserts(client: Client, table: Table, record: Record, key: str) -> list[Upsert]:
    row = new_row(table, record)
    lines: Mapping[str, list[dict[str, Any]]] = {name: row.pop(name, []) for name in table.rows}
    upserts = [Upsert(client.root + address(table.entity_set, key), row)]
    for name, rows in lines.items():
        child = table.rows[name]
        parent = {f"{child.parent}@odata.bind": address(table.entity_set, key)}
        upserts += [
            Upsert(client.root + address(child.entity_set, line_key(key, number)), one | parent)
            for number, one in enumerate(rows, 1)
        ]
    return upserts


def _part(table: Table, record: Record, task: Task, number: int) -> Task:
    """The task of one operation of the change set; the first is the record's own, the others are its lines."""
    place = number - 2
    for name, child in table.rows.items():
        lines = record.get(name) or []
        if 0 <= place < len(lines):
            who = f"{number - 1} of {task.who or task.table.entity.label}"
            return replace(task, table=child, who=who, record=lines[place], path=f"{name}[{place}].")
        place -= len(lines)
    return task


def refused_by_another(answer: httpx.Response, task: Task) -> RecordRefused:
    """For a 412 although nothing has our key: another row has a value that must be unique."""
    told = refusal(answer)
    return RecordRefused(
        f"Dynamics 365 refused to {task}: another row has a value that must be unique: {told.words} {told.tail()}.",
        "Look in Dynamics 365 for a row with the same number or alternate key, and merge or rename it.",
        field=named_field(told.words, task),
        code=told.code,
    )
