"""What a shop's webhook means. PrestaShop itself sends none; its modules post ids in bodies of their own, unsigned or
signed by a shared secret. So a body is a hint: it names a record, and the record is read from the shop.

Understood: {"event": "order.created", "id": 44}, {"action": "update", "entity": "Order", "data": {"id": 44}} (with
`id_order`, `id_customer` … in place of `id`), lists of these, and the webservice's own XML of one record.
"""

import json
from collections.abc import Mapping
from typing import Any

from lxml import etree

from connectors.base import Event
from connectors.errors import RecordRefused

ENTITIES = {"order": "orders", "customer": "customers", "address": "addresses", "product": "products"}
# An event about a part of an order is one about the order.
PARTS = {"orderhistory": "order", "orderpayment": "order", "orderslip": "order", "ordercarrier": "order"}
LONGEST_ID = 20  # digits
LIKE_ORDER = {**{name: name for name in ENTITIES}, **PARTS}


def events(headers: Mapping[str, str], body: bytes) -> list[Event]:
    """Raises RecordRefused."""
    text = body.lstrip()
    if text[:1] == b"<":
        return _from_xml(text)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RecordRefused("The webhook's body is neither JSON nor XML.", "Let the shop send JSON or XML.") from error
    rows = data if isinstance(data, list) else [data]
    found = [_event(one, f"[{number}]" if isinstance(data, list) else "body") for number, one in enumerate(rows)]
    return [one for one in found if one]


def _event(data: Any, place: str) -> Event | None:
    if not isinstance(data, dict):
        raise RecordRefused(f"The webhook's {place} is no object.", "Let the shop send an object with event and id.")
    name = str(data.get("entity") or data.get("resource") or data.get("event") or data.get("type") or "")
    kind = _kind(name)
    if not name:
        raise RecordRefused(f"The webhook's {place}.event is missing.", "Let the shop name the event: order.created.")
    if not kind:
        return None
    inner = data["data"] if isinstance(data.get("data"), dict) else data
    key = next((inner[one] for one in (f"id_{kind}", "id") if inner.get(one) not in (None, "")), None)
    if key is None or not str(key).isdecimal() or len(str(key)) > LONGEST_ID:
        raise RecordRefused(f"The webhook's {place}.id is missing or no number.", "Let the shop send the record's id.")
    return Event(ENTITIES[kind], str(int(str(key))), str(data.get("event_id") or ""))


def _kind(name: str) -> str:
    """The entity that an event's name is about: order.created, Order, orders, OrderHistory, order_history."""
    word = name.split(".")[0].split("/")[0].replace("_", "").lower()
    for known, kind in LIKE_ORDER.items():
        if word in (known, f"{known}s", f"{known}es"):
            return kind
    return ""


def _from_xml(body: bytes) -> list[Event]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise RecordRefused("The webhook's body is neither JSON nor XML.", "Let the shop send whole XML.") from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise RecordRefused("The webhook's XML has a document type, which is refused.", "Let the shop send plain XML.")
    found = []
    for node in root if root.tag == "prestashop" else [root]:
        kind = _kind(str(node.tag))
        key = (node.findtext("id") or node.get("id") or "").strip()
        if kind and (not key.isdecimal() or len(key) > LONGEST_ID):
            raise RecordRefused(f"The webhook's {node.tag}/id is missing or no number.", "Let the shop send the id.")
        if kind:
            found.append(Event(ENTITIES[kind], key))
    return found
