"""POST, PATCH and DELETE of a record: conditions, what is answered, and where the record is said to be."""

from typing import Any

from connectors.dynamics365.sandbox import duplicates, records
from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused, already_there, query_error
from connectors.dynamics365.sandbox.query import read_row
from connectors.dynamics365.sandbox.references import Reference
from connectors.dynamics365.sandbox.rendering import etag
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Table
from connectors.dynamics365.sandbox.wire import Call, json_response
from connectors.sandbox import Response

HONOURED = ("Preference-Applied", "return=representation")


def located(call: Call, table: Table, key: str) -> list[tuple[str, str]]:
    address = f"{call.root}{table.set}({key})"
    return [("Location", address), ("OData-EntityId", address)]


def post(environment: Environment, call: Call, table: Table, given: dict[str, Any] | None = None) -> Response:
    """204 with the address, or 201 with the record and without an address where the representation is asked for."""
    payload = call.json()
    duplicates.refuse(environment, call, table, payload, None)
    row = records.create(environment, table, payload, call.references, given)
    if call.wants_representation:
        return json_response(201, read_row(environment, call, table, row), [HONOURED])
    return Response(204, b"", located(call, table, row[table.id]))


def patch(environment: Environment, call: Call, reference: Reference) -> Response:
    """An update where the record is there (If-Match: * insists on that), else a create; If-None-Match: * insists on
    the create. The address repeats the key as it was written."""
    table, row = reference.table, reference.row
    expected, forbidden = call.condition("If-Match"), call.condition("If-None-Match")
    if expected is not None:
        match(reference.found(), expected)
    if forbidden == "*" and row is not None:
        raise already_there()
    payload = call.json()
    duplicates.refuse(environment, call, table, payload, row)
    if row is None:
        made = records.create(
            environment, table, payload, call.references, reference.values or {table.id: reference.id}
        )
        return answered(environment, call, reference, made, 201)
    unkeyed = {name: value for name, value in payload.items() if name not in reference.values}
    if unkeyed.get(table.id, row[table.id]) != row[table.id]:
        raise query_error(f"The value of '{table.id}' in the payload is not the key in the address.")
    return answered(
        environment, call, reference, records.update(environment, table, row, unkeyed, call.references), 200
    )


def answered(environment: Environment, call: Call, reference: Reference, row: Row, status: int) -> Response:
    if call.wants_representation:
        body = read_row(environment, call, reference.table, row, expand=status == 201)
        return json_response(status, body, [HONOURED])
    return Response(204, b"", located(call, reference.table, reference.written))


def match(row: Row, expected: str) -> None:
    if expected != "*" and expected != etag(row):
        raise Refused(
            412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided."
        )


def delete(environment: Environment, call: Call, reference: Reference) -> Response:
    row = reference.found()
    match(row, call.condition("If-Match") or "*")
    records.delete(environment, reference.table, row)
    return Response(204)


def get(environment: Environment, call: Call, reference: Reference) -> Response:
    """304 where the row is still the one of If-None-Match; never with $expand or annotations."""
    row = reference.found()
    known = call.condition("If-None-Match")
    if known and known == etag(row) and "$expand" not in call.options and not call.annotations:
        return Response(304, b"", [("ETag", etag(row))])
    return json_response(200, read_row(environment, call, reference.table, row), [("ETag", etag(row))])
