"""A JSON body read against a table: plain columns, binds, and records nested for a deep insert."""

from dataclasses import dataclass, field
from typing import Any

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import (
    Refused,
    payload_error,
    query_error,
    undeclared_navigation,
    unknown_property,
)
from connectors.dynamics365.sandbox.references import bound
from connectors.dynamics365.sandbox.tables import Column, Table
from connectors.dynamics365.sandbox.values import stored

References = dict[str, tuple[str, str]]


@dataclass
class Draft:
    """`values` by column name; `parents` are records to create first, by navigation property, `children` those to
    create afterwards, by collection."""

    values: dict[str, Any] = field(default_factory=dict)
    parents: dict[str, dict[str, Any]] = field(default_factory=dict)
    children: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def read_payload(
    environment: Environment, table: Table, payload: dict[str, Any], references: References, *, creating: bool
) -> Draft:
    """Raises Refused for unknown names, wrong types, lengths and ranges, and records that binds do not find."""
    draft = Draft()
    for name, value in payload.items():
        if name.endswith("@odata.bind"):
            bind(environment, table, draft, name.removesuffix("@odata.bind"), value, references)
        elif "@" in name:
            continue
        elif name in table.columns and not table.columns[name].is_lookup:
            draft.values[name] = stored(table, table.columns[name], value)
        else:
            nested(table, draft, name, value, creating)
    return draft


def bind(environment: Environment, table: Table, draft: Draft, name: str, value: Any, references: References) -> None:
    """Navigation names are case-sensitive, and each target of a polymorphic lookup has its own."""
    if name not in table.navigations:
        raise undeclared_navigation(name)
    column, target = table.navigations[name]
    if value is None:
        draft.values[column.name] = None
        return
    found = bound(environment, value, references)
    if found[0] != target:
        raise payload_error(
            f"A property '{name}' of type 'Microsoft.Dynamics.CRM.{target}' cannot refer to "
            f"'Microsoft.Dynamics.CRM.{found[0]}'."
        )
    draft.values[column.name] = found


def nested(table: Table, draft: Draft, name: str, value: Any, creating: bool) -> None:
    if name in table.by_property or (name in table.columns and not isinstance(value, dict | None)):
        raise query_error(
            "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead."
        )
    if name in table.navigations and value is None:
        draft.values[table.navigations[name][0].name] = None
    elif name in table.navigations and isinstance(value, dict):
        refuse_deep_update(name, creating)
        draft.parents[name] = value
    elif name in table.collections and isinstance(value, list) and all(isinstance(one, dict) for one in value):
        refuse_deep_update(name, creating)
        draft.children[name] = value
    elif name in table.navigations or name in table.collections:
        raise payload_error(f"The value of the navigation property '{name}' cannot be read.")
    else:
        raise unknown_property(name, table.name)


def refuse_deep_update(name: str, creating: bool) -> None:
    if not creating:
        raise query_error(
            f"Deep update of the navigation property '{name}' is not supported: records cannot be nested."
        )


def refuse_read_only(table: Table, values: dict[str, Any], before: dict[str, Any] | None) -> None:
    """Columns that the platform computes. A value that already stands there passes, so that an upsert may be sent
    twice. Raises Refused (400)."""
    for name, value in values.items():
        column = table.columns[name]
        if before is not None and before.get(name) == value:
            continue
        if not (column.on_create if before is None else column.on_update):
            raise read_only(table, column, "create" if before is None else "update")


def read_only(table: Table, column: Column, operation: str) -> Refused:
    return Refused(
        400,
        "0x80040203",
        f"The column '{column.name}' of the '{table.name}' entity is not valid for {operation}.",
    )
