"""Duplicate detection: off unless the request turns it on, and then by the rules that an organization starts with."""

from typing import Any

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Table
from connectors.dynamics365.sandbox.wire import Call

RULES = {
    "account": (("name",), ("emailaddress1",)),
    "contact": (("emailaddress1",), ("firstname", "lastname")),
}


def refuse(environment: Environment, call: Call, table: Table, payload: dict[str, Any], row: Row | None) -> None:
    """Raises Refused where an active record has the same values in every column of a rule that the payload touches.
    Microsoft documents the status 500; newer environments are said to answer 412."""
    if call.headers.get("MSCRM.SuppressDuplicateDetection", "true").lower() != "false":
        return
    values = (row or {}) | payload
    for columns in RULES.get(table.name, ()):
        wanted = {name: values.get(name) for name in columns}
        if not wanted.keys() & payload.keys() or not all(isinstance(one, str) and one for one in wanted.values()):
            continue
        if any(other is not row for other in environment.store.matching(table.name, wanted | {"statecode": 0})):
            raise Refused(
                environment.switches.duplicate_status,
                "0x80040333",
                "A record was not created or updated because a duplicate of the current record already exists.",
            )
