"""Change tracking: a first full read that ends in a delta link, then what changed and what is gone since."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused, query_error
from connectors.dynamics365.sandbox.options import read_options
from connectors.dynamics365.sandbox.query import context, link, read_collection, shown
from connectors.dynamics365.sandbox.tables import Table
from connectors.dynamics365.sandbox.wire import Call

TOKEN = re.compile(r"(\d+)!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")
TIME = "%m/%d/%Y %H:%M:%S"
REFUSED_OPTIONS = ("$filter", "$orderby", "$expand", "$top")


def asked(call: Call) -> bool:
    return "odata.track-changes" in call.prefer or "$deltatoken" in call.options


def read_changes(environment: Environment, call: Call, table: Table) -> dict[str, Any]:
    """Raises Refused where the table is not tracked, an option does not go with it, or the token is too old."""
    if not table.tracked:
        raise query_error(f"Change tracking is not enabled for the {table.name} entity.")
    for name in REFUSED_OPTIONS:
        if name in call.options:
            raise query_error(f"The query option '{name}' cannot be used with change tracking.")
    if "$deltatoken" in call.options:
        return since(environment, call, table, call.options["$deltatoken"])
    body = read_collection(environment, call, table)
    if "@odata.nextLink" not in body:
        body["@odata.deltaLink"] = delta_link(environment, call)
    return body


def delta_link(environment: Environment, call: Call) -> str:
    return link(call, "$deltatoken", f"{environment.store.version}!{environment.clock().astimezone(UTC):{TIME}}")


def since(environment: Environment, call: Call, table: Table, token: str) -> dict[str, Any]:
    matched = TOKEN.fullmatch(token)
    if not matched:
        raise query_error("The delta token cannot be read.")
    given = datetime.strptime(matched[2], TIME).replace(tzinfo=UTC)
    if environment.clock() - given > timedelta(days=environment.organization["expirechangetrackingindays"]):
        raise Refused(
            400, "0x80044352", "Version stamp associated with the client has expired. Please perform a full sync."
        )
    version = int(matched[1])
    options = read_options(environment, table, {k: v for k, v in call.options.items() if k == "$select"})
    rows = sorted(environment.store.all(table.name), key=lambda row: int(row["versionnumber"]))
    changed = [
        shown(environment, table, row, options, call.annotations) for row in rows if row["versionnumber"] > version
    ]
    gone = [
        {"@odata.context": f"{call.root}$metadata#{table.set}/$deletedEntity", "id": one.id, "reason": "deleted"}
        for one in environment.store.deletions
        if one.table == table.name and one.version > version
    ]
    return {
        "@odata.context": context(call, table, options) + "/$delta",
        "value": changed + gone,
        "@odata.deltaLink": delta_link(environment, call),
    }
