"""What hangs on one record: a single property, a related record or collection, and links between records."""

from typing import Any

from connectors.dynamics365.sandbox import query, records, writes
from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import (
    method_not_allowed,
    no_resource,
    not_implemented,
    payload_error,
    unknown_property,
)
from connectors.dynamics365.sandbox.references import Reference, Segment, bound, resolve
from connectors.dynamics365.sandbox.rendering import wire_value
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Column
from connectors.dynamics365.sandbox.wire import Call, json_response
from connectors.sandbox import Response


def answer(environment: Environment, call: Call, reference: Reference, steps: list[Segment]) -> Response:
    name, table = steps[0].name, reference.table
    if name not in table.by_property and name not in table.navigations and name not in table.collections:
        raise no_resource(name)
    if len(steps) == 2 and steps[1].name == "$ref":
        return link(environment, call, reference, steps[0])
    if len(steps) == 2 and steps[1].name == "$count" and name in table.collections and call.method == "GET":
        child, rows = members(environment, reference, name)
        return query.count(environment, call, environment.tables[child], rows)
    if len(steps) > 1 or steps[0].key is not None:
        raise not_implemented(f"the address {'/'.join(one.name for one in steps)} below a record")
    if name in table.by_property:
        return one_property(environment, call, reference, table.by_property[name])
    if name in table.collections:
        return collection(environment, call, reference, name)
    if call.method != "GET":
        raise method_not_allowed(call.method)
    column, target = table.navigations[name]
    found = environment.target(reference.found().get(column.name))
    if found is None or reference.found()[column.name][0] != target:
        return Response(204)
    return json_response(200, query.read_row(environment, call, environment.tables[target], found))


def members(environment: Environment, reference: Reference, name: str) -> tuple[str, list[Row]]:
    """The table of a collection and its rows. Raises Refused (404) where its owner does not exist."""
    child, lookup = reference.table.collections[name]
    owner = (reference.table.name, reference.found()[reference.table.id])
    return child, environment.store.where(child, lookup, owner)


def one_property(environment: Environment, call: Call, reference: Reference, column: Column) -> Response:
    row, table = reference.found(), reference.table
    if call.method == "GET":
        value = wire_value(column, row.get(column.name))
        if value is None:
            return Response(204)
        path = f"{call.root}$metadata#{table.set}({row[table.id]})/{column.property_name}"
        return json_response(200, {"@odata.context": path, "value": value})
    if call.method == "PUT":
        body = call.json()
        if "value" not in body:
            raise unknown_property(next(iter(body), ""), table.name)
        records.update(environment, table, row, {column.property_name: body["value"]})
    elif call.method == "DELETE" and not column.is_lookup:
        records.update(environment, table, row, {column.name: None})
    else:
        raise method_not_allowed(call.method)
    return Response(204)


def collection(environment: Environment, call: Call, reference: Reference, name: str) -> Response:
    child, rows = members(environment, reference, name)
    if call.method == "GET":
        return json_response(200, query.read_collection(environment, call, environment.tables[child], rows))
    if call.method == "POST":
        lookup = reference.table.collections[name][1]
        owner = (reference.table.name, reference.found()[reference.table.id])
        return writes.post(environment, call, environment.tables[child], {lookup: owner})
    raise method_not_allowed(call.method)


def link(environment: Environment, call: Call, reference: Reference, step: Segment) -> Response:
    """`PUT …/{lookup}/$ref` and `POST …/{collection}/$ref` link, DELETE unlinks; 204."""
    row, table = reference.found(), reference.table
    if call.method == "GET":
        raise not_implemented("reading links by $ref")
    if step.name in table.navigations:
        if call.method not in ("PUT", "DELETE"):
            raise method_not_allowed(call.method)
        target = identified(call) if call.method == "PUT" else None
        records.update(environment, table, row, {f"{step.name}@odata.bind": target}, call.references)
        return Response(204)
    if step.name not in table.collections:
        raise no_resource(step.name)
    child, lookup = table.collections[step.name]
    navigation = next(
        name for target, name in environment.tables[child].columns[lookup].targets if target == table.name
    )
    if call.method == "POST":
        kind, id = bound(environment, identified(call), call.references)
        if kind != child:
            raise payload_error(f"A {kind} cannot be linked by '{step.name}'.")
        other, target = environment.store.rows[child][id], f"/{table.set}({row[table.id]})"
    elif call.method == "DELETE" and step.key is not None:
        other, target = resolve(environment, environment.tables[child], step.key).found(), None
    else:
        raise method_not_allowed(call.method)
    records.update(environment, environment.tables[child], other, {f"{navigation}@odata.bind": target})
    return Response(204)


def identified(call: Call) -> Any:
    body = call.json()
    if "@odata.id" not in body:
        raise payload_error("The reference needs '@odata.id'.")
    return body["@odata.id"]
