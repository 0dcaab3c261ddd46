"""Create, update and delete, each in one transaction with the rules of its table."""

from typing import Any
from uuid import uuid4

from connectors.dynamics365.sandbox import rules
from connectors.dynamics365.sandbox.deletion import remove_with_dependents
from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused, already_there, invalid
from connectors.dynamics365.sandbox.payload import References, read_payload, refuse_read_only
from connectors.dynamics365.sandbox.states import settle_state
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Table


def create(
    environment: Environment,
    table: Table,
    payload: dict[str, Any],
    references: References | None = None,
    given: dict[str, Any] | None = None,
) -> Row:
    """Stores the record and everything nested in it, all or nothing. `given` are column values that stand beside the
    payload: the key of an upsert, the parent of a nested record; the payload wins over them. Raises Refused."""
    if table.fixed:
        raise Refused(403, "0x80040220", f"The user has no privilege to create records of the '{table.name}' entity.")
    store, known = environment.store, references or {}
    with store.transaction():
        draft = read_payload(environment, table, payload, known, creating=True)
        refuse_read_only(table, draft.values, None)
        row = defaults(environment, table) | (given or {}) | draft.values
        for navigation, one in draft.parents.items():
            column, target = table.navigations[navigation]
            parent = create(environment, environment.tables[target], one, known)
            row[column.name] = (target, parent[environment.tables[target].id])
        row[table.id] = row.get(table.id) or str(uuid4())
        if store.get(table.name, row[table.id]):
            raise already_there()
        settle_state(table, row, draft.values, None)
        row = save(environment, table, row, None)
        for navigation, rows in draft.children.items():
            child, column_name = table.collections[navigation]
            for one in rows:
                create(environment, environment.tables[child], one, known, {column_name: (table.name, row[table.id])})
    return store.rows[table.name][row[table.id]]


def update(
    environment: Environment, table: Table, before: Row, payload: dict[str, Any], references: References | None = None
) -> Row:
    """Changes only what the payload names. Raises Refused."""
    with environment.store.transaction():
        draft = read_payload(environment, table, payload, references or {}, creating=False)
        refuse_read_only(table, draft.values, before)
        rules.refuse_closed(environment, table, before, draft.values)
        row = before | draft.values
        settle_state(table, row, draft.values, before)
        return save(environment, table, row, before)


def delete(environment: Environment, table: Table, row: Row) -> None:
    """Raises Refused where the record is in use, closed, or the platform's own."""
    if table.fixed:
        raise Refused(403, "0x80040220", f"The user has no privilege to delete records of the '{table.name}' entity.")
    with environment.store.transaction():
        rules.before_delete(environment, table, row)
        remove_with_dependents(environment, table, row)
        rules.after_delete(environment, table, row)


def defaults(environment: Environment, table: Table) -> Row:
    row: Row = {
        name: bool(column.default) if column.type == "Boolean" and column.default is not None else column.default
        for name, column in table.columns.items()
    }
    if "ownerid" in table.columns:
        row["ownerid"] = ("systemuser", environment.user)
        row["owningbusinessunit"] = ("businessunit", environment.business_unit)
    return row


def save(environment: Environment, table: Table, row: Row, before: Row | None) -> Row:
    """Applies the table's rules, rounds amounts, checks what must be there and be unique, and stores the row."""
    stamp(environment, row, before)
    rules.prepare(environment, table, row, before)
    rules.round_amounts(environment, table, row)
    for column in table.columns.values():
        if column.required == "S" and row.get(column.name) is None:
            raise invalid(f"Attribute '{column.name}' cannot be NULL")
    refuse_doubles(environment, table, row)
    environment.store.put(table.name, row)
    rules.after_save(environment, table, row, before)
    return environment.store.rows[table.name][row[table.id]]


def stamp(environment: Environment, row: Row, before: Row | None) -> None:
    now, user = environment.now(), ("systemuser", environment.user)
    row["modifiedon"], row["modifiedby"] = now, user
    if before is None:
        row["createdon"], row["createdby"] = row.get("overriddencreatedon") or now, user
        if row.get("overriddencreatedon"):
            row["overriddencreatedon"] = now


def refuse_doubles(environment: Environment, table: Table, row: Row) -> None:
    """The unique index of each alternate key; a row without a value in one of its columns is outside the index."""
    for columns in table.keys.values():
        values = {name: row.get(name) for name in columns}
        if None in values.values():
            continue
        if any(other[table.id] != row[table.id] for other in environment.store.matching(table.name, values)):
            labels = ", ".join(table.columns[name].label for name in columns)
            raise Refused(
                412,
                "0x80060892",
                f"A record that has the attribute values {labels} already exists. The entity key requires that this "
                f"set of attributes contains unique values. Select unique values and try again.",
            )
