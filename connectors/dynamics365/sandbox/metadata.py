"""Descriptions of tables and columns, for clients that discover them."""

import re
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused, no_resource, not_implemented, query_error
from connectors.dynamics365.sandbox.options import split
from connectors.dynamics365.sandbox.references import Segment, key_values
from connectors.dynamics365.sandbox.tables import CHOICES, Column, Table
from connectors.dynamics365.sandbox.wire import Call, json_response
from connectors.sandbox import Response

NAMED = re.compile(r"\s*(LogicalName|EntitySetName|SchemaName)\s+eq\s+'([^']*)'\s*")
EXPAND = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
CAST = "Microsoft.Dynamics.CRM."
REQUIRED = {"S": "SystemRequired", "A": "ApplicationRequired", "": "None"}


def answer(environment: Environment, call: Call, steps: list[Segment]) -> Response:
    if steps[0].name != "EntityDefinitions" or call.method not in ("GET", "HEAD"):
        raise not_implemented(f"{call.method} {steps[0].name}")
    context = f"{call.root}$metadata#EntityDefinitions"
    if steps[0].key is None:
        found = [chosen(described(one), call.options, one) for one in matching(environment, call)]
        return json_response(200, {"@odata.context": context, "value": found})
    table = one_table(environment, steps[0].key)
    if len(steps) == 1:
        body = chosen(described(table), call.options, table)
        return json_response(200, {"@odata.context": f"{context}/$entity", **body})
    if steps[1].name == "Keys":
        return json_response(200, {"@odata.context": f"{context}/Keys", "value": keys(table)})
    if steps[1].name != "Attributes":
        raise no_resource(steps[1].name)
    return attributes(call, table, steps[1:])


def matching(environment: Environment, call: Call) -> list[Table]:
    """Tables that `$filter` names by one property, or all of them."""
    text = call.options.get("$filter", "")
    if not text:
        return list(environment.tables.values())
    wanted: list[Table] = []
    for part in re.split(r"\s+or\s+", text):
        matched = NAMED.fullmatch(part)
        if not matched:
            raise query_error(f"The filter '{text}' is not understood for metadata.")
        wanted += [one for one in environment.tables.values() if described(one)[matched[1]] == matched[2]]
    return wanted


def one_table(environment: Environment, key: str) -> Table:
    name = key_values(key).get("LogicalName", "") if "=" in key else key
    for table in environment.tables.values():
        if name in (table.name, metadata_id(table.name)):
            return table
    raise Refused(404, "0x80060888", f"Could not find an entity with name {name}.")


def metadata_id(*names: str) -> str:
    return str(uuid5(NAMESPACE_OID, "/".join(names)))


def label(text: str) -> dict[str, Any]:
    one = {"Label": text, "LanguageCode": 1033, "IsManaged": True}
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}


def described(table: Table) -> dict[str, Any]:
    return {
        "MetadataId": metadata_id(table.name),
        "LogicalName": table.name,
        "SchemaName": table.schema,
        "EntitySetName": table.set,
        "LogicalCollectionName": table.set,
        "PrimaryIdAttribute": table.id,
        "PrimaryNameAttribute": table.name_column,
        "DisplayName": label(table.label),
        "ChangeTrackingEnabled": table.tracked,
        "IsOptimisticConcurrencyEnabled": True,
        "IsCustomEntity": False,
    }


def chosen(full: dict[str, Any], options: dict[str, str], table: Table) -> dict[str, Any]:
    """`$select` and, of a table, `$expand=Keys(…),Attributes(…)`; the id always comes along."""
    out = selected(full, options.get("$select", ""))
    for one in split(options.get("$expand", ""), ","):
        matched = EXPAND.fullmatch(one)
        if not matched or matched[1] not in ("Keys", "Attributes"):
            raise not_implemented(f"$expand={one} of metadata")
        inner = dict(part.split("=", 1) for part in split(matched[2] or "", ";") if "=" in part)
        rows = keys(table) if matched[1] == "Keys" else [attribute(table, column) for column in table.columns.values()]
        out[matched[1]] = [selected(row, inner.get("$select", "")) for row in rows]
    return out


def selected(full: dict[str, Any], select: str) -> dict[str, Any]:
    names = split(select, ",")
    for name in names:
        if name not in full and not name[0].isupper():
            raise query_error(f"Could not find a property named '{name}' in the metadata.")
    if not names:
        return dict(full)
    return {name: full[name] for name in full if name in (*names, "MetadataId") or name.startswith("@")}


def keys(table: Table) -> list[dict[str, Any]]:
    return [
        {
            "MetadataId": metadata_id(table.name, name),
            "SchemaName": name,
            "LogicalName": name.lower(),
            "EntityLogicalName": table.name,
            "KeyAttributes": list(columns),
            "EntityKeyIndexStatus": "Active",
            "DisplayName": label(name),
        }
        for name, columns in table.keys.items()
    ]


def attributes(call: Call, table: Table, steps: list[Segment]) -> Response:
    """`Attributes`, `Attributes(LogicalName='…')` and either with a cast to one attribute type."""
    context = f"{call.root}$metadata#EntityDefinitions('{table.name}')/Attributes"
    cast = steps[1].name.removeprefix(CAST) if len(steps) > 1 else ""
    rows = [attribute(table, one) for one in table.columns.values() if not cast or cast == metadata_type(one)]
    key = steps[0].key if len(steps) < 2 or steps[1].key is None else steps[1].key
    if key is not None:
        name = key_values(key).get("LogicalName", "") if "=" in key else key
        for row in rows:
            if name in (row["LogicalName"], row["MetadataId"]):
                return json_response(200, {"@odata.context": f"{context}/$entity", **narrowed(call, row)})
        raise Refused(404, "0x80060888", f"Could not find an attribute with specified name: '{name}'.")
    return json_response(
        200, {"@odata.context": context, "value": [narrowed(call, row) for row in filtered(call, rows)]}
    )


def filtered(call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    text = call.options.get("$filter", "")
    if not text:
        return rows
    matched = re.fullmatch(r"\s*(\w+)\s+eq\s+(?:'([^']*)'|(true|false))\s*", text)
    if not matched:
        raise query_error(f"The filter '{text}' is not understood for metadata.")
    wanted: Any = matched[2] if matched[2] is not None else matched[3] == "true"
    return [row for row in rows if row.get(matched[1]) == wanted]


def narrowed(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    out = selected({name: value for name, value in row.items() if name != "OptionSet"}, call.options.get("$select", ""))
    if "OptionSet" in row and "OptionSet" in call.options.get("$expand", ""):
        out["OptionSet"] = row["OptionSet"]
    return out


def metadata_type(column: Column) -> str:
    own = "Lookup" if column.is_lookup else {"Uniqueidentifier": "UniqueIdentifier"}.get(column.type, column.type)
    return f"{own}AttributeMetadata"


def attribute(table: Table, column: Column) -> dict[str, Any]:
    required = {
        "Value": REQUIRED[column.required],
        "CanBeChanged": False,
        "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
    }
    out: dict[str, Any] = {
        "@odata.type": f"#{CAST}{metadata_type(column)}",
        "MetadataId": metadata_id(table.name, column.name),
        "EntityLogicalName": table.name,
        "LogicalName": column.name,
        "SchemaName": column.schema_name or column.name,
        "AttributeType": column.type,
        "AttributeTypeName": {"Value": f"{column.type}Type"},
        "DisplayName": label(column.label),
        "RequiredLevel": required,
        "IsValidForCreate": column.on_create,
        "IsValidForUpdate": column.on_update,
        "IsValidForRead": True,
        "IsCustomAttribute": bool(column.schema_name),
        "IsPrimaryId": column.name == table.id,
        "IsPrimaryName": column.name == table.name_column,
    }
    return out | of_type(column)


def of_type(column: Column) -> dict[str, Any]:
    """What only columns of this type have."""
    if column.type in ("String", "Memo"):
        return {"MaxLength": column.size}
    if column.type in ("Money", "Decimal", "Integer"):
        own: dict[str, Any] = {"MinValue": column.low, "MaxValue": column.high}
        own |= {"Precision": column.precision} if column.type != "Integer" else {}
        return own | ({"PrecisionSource": column.source} if column.type == "Money" else {})
    if column.type == "DateTime":
        date_only = column.date_format == "date"
        behavior = {"Value": "DateOnly" if date_only else "UserLocal"}
        format = "DateAndTime" if column.date_format == "datetime" else "DateOnly"
        return {"Format": format, "DateTimeBehavior": behavior}
    if column.is_lookup:
        return {"Targets": [target for target, _ in column.targets]}
    if column.type in CHOICES:
        return {"DefaultFormValue": column.default if column.default is not None else -1, "OptionSet": options(column)}
    return {}


def options(column: Column) -> dict[str, Any]:
    return {
        "Options": [
            {"Value": value, "Label": label(text), **({"State": state} if state is not None else {})}
            for value, text, state in column.choices
        ]
    }
