"""State and status reason: each status reason belongs to one state."""

from typing import Any

from connectors.dynamics365.sandbox.errors import invalid
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Table

# States of an order that only an action sets, since a close activity belongs to them.
BY_ACTION = {("salesorder", 2): "CancelSalesOrder", ("salesorder", 3): "FulfillSalesOrder"}
BY_ACTION[("salesorder", 4)] = "ConvertSalesOrderToInvoice"


def settle_state(table: Table, row: Row, values: dict[str, Any], before: Row | None) -> None:
    """Gives a new state its first status reason, and refuses a status reason that belongs to another state."""
    if "statecode" not in table.columns:
        return
    if row["statecode"] is None:
        raise invalid("Attribute 'statecode' cannot be NULL")
    state_of = {value: state for value, _, state in table.columns["statuscode"].choices}
    changed = before is not None and row["statecode"] != before["statecode"]
    if changed and (action := BY_ACTION.get((table.name, row["statecode"]))):
        raise invalid(f"The state of the {table.name} entity cannot be set to {row['statecode']}: use {action}.")
    if row["statuscode"] is None or (changed and "statuscode" not in values):
        row["statuscode"] = next(value for value, state in state_of.items() if state == row["statecode"])
    if state_of[row["statuscode"]] != row["statecode"]:
        state = next(label for value, label, _ in table.columns["statecode"].choices if value == row["statecode"])
        raise invalid(
            f"{row['statuscode']} is not a valid status code for state code {table.name}State.{state} on "
            f"{table.name} with Id {row[table.id]}.",
            "0x80048408",
        )
