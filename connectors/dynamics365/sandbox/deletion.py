"""What goes with a deleted record, what loses its link, and what keeps it from being deleted."""

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Table

# (table, lookup column): rows that are deleted with the record they point at
CASCADES = {
    ("salesorderdetail", "salesorderid"),
    ("salesorder", "customerid"),
    ("contact", "parentcustomerid"),
    ("productpricelevel", "pricelevelid"),
    ("productpricelevel", "productid"),
}
# rows that only lose their link
UNLINKS = {
    ("account", "primarycontactid"),
    ("account", "parentaccountid"),
    ("account", "defaultpricelevelid"),
    ("contact", "defaultpricelevelid"),
    ("product", "pricelevelid"),
    ("salesorder", "accountid"),
    ("salesorder", "contactid"),
}


def remove_with_dependents(environment: Environment, table: Table, row: Row) -> None:
    """Raises Refused (405) where a row that may not lose its link points at this one."""
    store, reference = environment.store, (table.name, row[table.id])
    for other in environment.tables.values():
        for column in other.columns.values():
            if not any(target == table.name for target, _ in column.targets):
                continue
            for dependent in store.where(other.name, column.name, reference):
                if dependent[other.id] not in store.rows[other.name] or dependent is row:
                    continue
                if (other.name, column.name) in CASCADES:
                    remove_with_dependents(environment, other, dependent)
                elif (other.name, column.name) in UNLINKS:
                    store.put(other.name, {**store.rows[other.name][dependent[other.id]], column.name: None})
                else:
                    raise Refused(
                        405,
                        "0x80040227",
                        "The object you tried to delete is associated with another object and cannot be deleted.",
                    )
    store.remove(table.name, row[table.id])
