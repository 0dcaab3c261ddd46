"""Operations on many records in one request, all or nothing."""

from typing import Any

from connectors.dynamics365.sandbox import records
from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import not_implemented, payload_error
from connectors.dynamics365.sandbox.references import resolve, segments
from connectors.dynamics365.sandbox.tables import Table
from connectors.dynamics365.sandbox.wire import Call


def targets(call: Call, table: Table) -> list[dict[str, Any]]:
    given = call.json().get("Targets")
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise payload_error("The parameter 'Targets' needs a list of records.")
    kind = f"Microsoft.Dynamics.CRM.{table.name}"
    for one in given:
        if str(one.get("@odata.type", "")).lstrip("#") != kind:
            raise payload_error(f"A type named '{one.get('@odata.type')}' is not '{kind}': each target names its type.")
    return given


def create_multiple(environment: Environment, call: Call, table: Table) -> dict[str, Any]:
    with environment.store.transaction():
        rows = [records.create(environment, table, one, call.references) for one in targets(call, table)]
    return {
        "@odata.context": f"{call.root}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse",
        "Ids": [row[table.id] for row in rows],
    }


def update_multiple(environment: Environment, call: Call, table: Table) -> None:
    with environment.store.transaction():
        for one in targets(call, table):
            key = keyed(one) or str(one.get(table.id, ""))
            row = resolve(environment, table, key, in_url=False).found()
            records.update(environment, table, row, one, call.references)


def upsert_multiple(environment: Environment, call: Call, table: Table) -> dict[str, Any]:
    results = []
    with environment.store.transaction():
        for one in targets(call, table):
            reference = resolve(environment, table, keyed(one) or str(one.get(table.id, "")), in_url=False)
            payload = {name: value for name, value in one.items() if name not in reference.values}
            if reference.row is None:
                given = reference.values or {table.id: reference.id}
                row = records.create(environment, table, payload, call.references, given)
            else:
                row = records.update(environment, table, reference.row, payload, call.references)
            results.append({"RecordCreated": reference.row is None, "id": row[table.id]})
    return {
        "@odata.context": f"{call.root}$metadata#Microsoft.Dynamics.CRM.UpsertMultipleResponse",
        "Results": [
            {"RecordCreated": one["RecordCreated"], "Target": {"@odata.id": f"{table.set}({one['id']})"}}
            for one in results
        ],
    }


def keyed(target: dict[str, Any]) -> str:
    """The key in `@odata.id`, empty where the target has none."""
    written = target.get("@odata.id")
    return (segments(str(written))[-1].key or "") if written else ""


def delete_matching(environment: Environment, body: dict[str, Any]) -> None:
    """Reads the one query that clients send: a list of ids with the operator In."""
    try:
        query = body["QuerySet"][0]
        table = environment.tables[query["EntityName"]]
        [condition] = query["Criteria"]["Conditions"]
        ids = [one["Value"] for one in condition["Values"]]
        known = condition["AttributeName"] == table.id and condition["Operator"] == "In"
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise not_implemented("BulkDelete with any other query than a list of ids") from error
    if not known:
        raise not_implemented("BulkDelete with any other query than a list of ids")
    with environment.store.transaction():
        for id in ids:
            if row := environment.store.get(table.name, str(id).lower()):
                records.delete(environment, table, row)
