"""Functions and actions: WhoAmI, closing an order, locking its prices, and the operations on many records."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from connectors.dynamics365.sandbox import bulk
from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import invalid, not_there, payload_error
from connectors.dynamics365.sandbox.references import bound
from connectors.dynamics365.sandbox.tables import Table
from connectors.dynamics365.sandbox.wire import Call, json_response
from connectors.sandbox import Response

FULFILLED, CANCELED = 3, 2


def who_am_i(environment: Environment, call: Call) -> Response:
    return json_response(
        200,
        {
            "@odata.context": f"{call.root}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": environment.business_unit,
            "UserId": environment.user,
            "OrganizationId": environment.organization_id,
        },
    )


def close_order(environment: Environment, call: Call, state: int) -> Response:
    """FulfillSalesOrder and CancelSalesOrder; `Status` -1 asks for the state's first status reason. 204."""
    body = call.json()
    close, status = body.get("OrderClose"), body.get("Status")
    if not isinstance(close, dict) or "salesorderid@odata.bind" not in close:
        raise payload_error("The parameter 'OrderClose' needs 'salesorderid@odata.bind'.")
    table, id = bound(environment, close["salesorderid@odata.bind"], call.references)
    order = environment.target((table, id))
    if order is None or table != "salesorder":
        raise not_there("salesorder", id)
    statuses = [value for value, _, of in environment.tables[table].columns["statuscode"].choices if of == state]
    if status == -1:
        status = statuses[0]
    if status not in statuses:
        raise invalid(
            f"{status} is not a valid status code for the state of the action on salesorder with Id {id}.", "0x80048408"
        )
    if order["statecode"] not in (0, 1):
        raise invalid("The order is already closed.", "0x8004022e")
    changed = order | {"statecode": state, "statuscode": status, "modifiedon": environment.now()}
    if state == FULFILLED:
        changed["datefulfilled"] = str(close.get("actualend") or environment.now())[:10] + "T00:00:00Z"
    with environment.store.transaction():
        environment.store.put("salesorder", changed)
        for line in environment.store.where("salesorderdetail", "salesorderid", ("salesorder", id)):
            environment.store.put("salesorderdetail", line | {"salesorderstatecode": state})
    return Response(204)


def lock_prices(environment: Environment, call: Call, locked: bool) -> Response:
    table, id = bound(environment, f"/salesorders({call.json().get('SalesOrderId')})", call.references)
    environment.store.put(table, environment.store.rows[table][id] | {"ispricelocked": locked})
    return Response(204)


def bulk_delete(environment: Environment, call: Call) -> Response:
    """Starts a job; this one has ended before the answer leaves."""
    bulk.delete_matching(environment, call.json())
    return json_response(
        200,
        {"@odata.context": f"{call.root}$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse", "JobId": str(uuid4())},
    )


Unbound = Callable[[Environment, Call], Response]
UNBOUND: dict[str, Unbound] = {
    "FulfillSalesOrder": lambda environment, call: close_order(environment, call, FULFILLED),
    "CancelSalesOrder": lambda environment, call: close_order(environment, call, CANCELED),
    "LockSalesOrderPricing": lambda environment, call: lock_prices(environment, call, True),
    "UnlockSalesOrderPricing": lambda environment, call: lock_prices(environment, call, False),
    "BulkDelete": bulk_delete,
}
# The older reference binds these two to the collection, the newer one to nothing.
BOUND_TO_ORDERS = ("FulfillSalesOrder", "CancelSalesOrder")
ON_MANY: dict[str, Callable[[Environment, Call, Table], Any]] = {
    "CreateMultiple": bulk.create_multiple,
    "UpdateMultiple": bulk.update_multiple,
    "UpsertMultiple": bulk.upsert_multiple,
}


def bound_action(environment: Environment, call: Call, table: Table, name: str) -> Response | None:
    """An action on an entity set, by its short name; None where there is none of that name."""
    if table.name == "salesorder" and name in BOUND_TO_ORDERS:
        return UNBOUND[name](environment, call)
    if name in ON_MANY:
        body = ON_MANY[name](environment, call, table)
        return Response(204) if body is None else json_response(200, body)
    return None
