"""Which record a request would write, as far as the request says so."""

import json
import re
from urllib.parse import unquote

from connectors.dynamics365.sandbox.tables import Table
from connectors.sandbox import Request

ADDRESS = re.compile(r"/api/data/v[\d.]+/([$\w.]+)(?:\(([^)]*)\))?")
OPERATION = re.compile(rb"^(POST|PATCH|PUT|DELETE) (\S+) HTTP/1\.1\s*$", re.MULTILINE)


def written_key(request: Request, tables: dict[str, Table]) -> str:
    """`salesorders/<key>`, from the address or, for a row that is created under a key, from the body; only the entity
    set where nothing names a key. A batch goes by its first write: an order comes before its lines."""
    if request.method == "GET" or not (found := ADDRESS.match(unquote(request.target))):
        return ""
    if found[1] == "$batch":
        return _first_of(request.body)
    return _named(found) or _of_new(found[1], request.body, tables)


def _first_of(batch: bytes) -> str:
    operation = OPERATION.search(batch)
    if operation is None:
        return ""
    address = unquote(operation[2].decode("utf-8", "replace"))
    found = ADDRESS.search(address) or ADDRESS.match(f"/api/data/v9.2/{address.lstrip('/')}")
    return (_named(found) or found[1]) if found else ""


def _named(address: re.Match[str]) -> str:
    return f"{address[1]}/{address[2].lower()}" if address[2] else ""


def _of_new(entity_set: str, body: bytes, tables: dict[str, Table]) -> str:
    table = next((one for one in tables.values() if one.set == entity_set), None)
    try:
        row = json.loads(body)
    except (ValueError, RecursionError):
        row = None
    key = row.get(table.id) if table and isinstance(row, dict) else None
    return f"{entity_set}/{key.lower()}" if isinstance(key, str) else entity_set
