"""Which record a request would write, as far as the request says so."""

import re
import urllib.parse

from connectors.sandbox import Request

READS = ("GET", "HEAD", "OPTIONS")
# What a new record belongs to, where it has no id of its own yet.
BELONGS_TO = {"order_histories": "id_order", "order_carriers": "id_order", "order_payments": "order_reference"}


def written_key(request: Request) -> str:
    """`orders/44`, of a new row of an order's history `order_histories/44`; only the resource where nothing is named.
    Of several records in one request it is the first."""
    method, body = request.method, request.body
    asked = request.query.get("ps_method")
    if not asked and b"ps_method=" in body:  # some hosts let nothing but GET and POST through
        form = urllib.parse.parse_qs(body.decode("utf-8", "replace"))
        asked, body = form["ps_method"][0], form.get("xml", [""])[0].encode()
    if (asked or method) in READS:
        return ""
    path = request.path.partition("&")[0].lstrip("/").removeprefix("api").strip("/")
    resource, _, rest = path.partition("/")
    named = rest.partition("/")[0] or _text(body, BELONGS_TO.get(resource, "id")) or _text(body, "id")
    key = named or request.query.get("id", "").strip("[]")
    return f"{resource}/{key}" if key else resource


def _text(body: bytes, name: str) -> str:
    found = re.search(rf"<{name}(?:\s[^>]*)?>\s*(?:<!\[CDATA\[)?\s*([\w-]+)".encode(), body)
    return found[1].decode("ascii", "replace") if found else ""
