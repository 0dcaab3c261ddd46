"""The shop as it stood before a recorded exchange, put together from what the recorded bodies say about it."""

import re
from base64 import b64decode
from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from connectors.prestashop.sandbox import PrestaShopSandbox, completing
from connectors.prestashop.sandbox.rights import METHODS, Key
from connectors.prestashop.sandbox.schema import RESOURCES, Record
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.store import Store
from connectors.prestashop.tests.recordings import ADDRESS, ORDERS, Exchange

PARIS = ZoneInfo("Europe/Paris")
# What exchanges that were not recorded did: (record, put back before, as it is in the answer of).
RESTORED = [
    (("products", 7), "700-post-address", "651-put-product-without-readonly"),
    (("stock_availables", 6), "633-patch-stock-quantity", "636-patch-stock-no-id-in-url"),
]
# What exchanges that were not recorded deleted: the record, and the exchange that no longer shows it.
VANISHED = [(("specific_prices", 3), "1710-list-full-filled-specific_prices")]
# All that an answer to POST /orders says truly: it repeats the request, and the order is another.
TRUE_OF_NEW_ORDERS = ("id", "id_cart", "id_customer", "id_currency", "id_lang", "module", "payment", "conversion_rate")
# Records without a date that are numbered as they are made.
NUMBERED = ("stock_availables", "combinations", "order_cart_rules", "order_details", "specific_prices")
SHOP_NAME = re.compile(rb'shopName="([^"]*)"')
FILTERED = re.compile(r"filter\[(\w+)\]=\[([^,|\]]+)\](?:&|$)")
Known = dict[tuple[str, int], list[tuple[int, Record]]]


class Rebuilt:
    """What is known of each record and since when; the exchanges are in order of time."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self._exchanges = exchanges
        self._known: Known = defaultdict(list)
        self._made: dict[tuple[str, int], int] = {}
        self._gone: dict[tuple[str, int], int] = {}
        self._first: dict[tuple[str, int], int] = {}
        self._keys = keys_in(exchanges)
        self._shop_name = next(name for name in (SHOP_NAME.search(one.answer) for one in exchanges) if name)[1].decode()
        for index, exchange in enumerate(exchanges):
            self._learn(index, exchange)
        names = [one.name for one in exchanges]
        for key, without in VANISHED:
            self._gone[key] = names.index(without) - 1
        for (resource, key), until, source in RESTORED:
            fact = next(one for at, one in self._known[resource, key] if at == names.index(source))
            self._known[resource, key].append((names.index(until) - 1, fact))
            self._known[resource, key].sort(key=lambda one: one[0])
        for path in sorted(ORDERS.glob("*/*.xml")):
            for resource, record in records_in(path.read_bytes(), path.parent.name):
                self._known[resource, int(record["id"])].append((len(exchanges), record))

    def _learn(self, index: int, exchange: Exchange) -> None:
        resource = exchange.resource
        if resource not in RESOURCES or exchange.status >= 300:
            return
        if exchange.method == "DELETE" or "ps_method=DELETE" in exchange.target:
            for key in re.findall(r"\d+", exchange.target):
                self._gone[resource, int(key)] = index
        elif exchange.answer.startswith(b"<?xml") and "schema=" not in exchange.target:
            for name, record in records_in(exchange.answer, resource):
                key = (name, int(record["id"]))
                if exchange.method == "POST":
                    self._made[key] = index
                self._known[key].append((index, _believed(exchange, record)))
                self._first[key] = min(index, self._first.get(key, index))

    def before(self, index: int) -> PrestaShopSandbox:
        """A sandbox in the state before this exchange."""
        exchange = self._exchanges[index]
        store = Store()
        needed = needed_by(exchange)
        # A reading shows the state itself, so that what it says counts; of a writing only what it did not send does.
        seen = index + 1 if exchange.method in ("GET", "HEAD") else index
        for (resource, key), facts in self._known.items():
            if resource in needed:
                record = _merged(facts, index, seen)
                if self._stands(resource, key, record, index, exchange.at):
                    store.insert(resource, record, key)
        _complete_states(store)
        sandbox = PrestaShopSandbox(clock=lambda: exchange.at)
        sandbox.address, sandbox.keys = ADDRESS, self._keys
        sandbox.shop = Shop(store, sandbox.clock)
        store.insert("configurations", {"name": "PS_SHOP_NAME", "value": self._shop_name})
        _spell_out_rows(sandbox.shop)
        completing.settle(sandbox.shop)
        for name, table in store.tables.items():
            store.last_ids[name] = max(table, default=0)
        if exchange.method == "POST" and exchange.status == 201:
            made = min((key for key, at in self._made.items() if at == index), default=None)
            if made:
                store.last_ids[made[0]] = made[1] - 1
        return sandbox

    def _stands(self, resource: str, key: int, record: Record, index: int, at: datetime) -> bool:
        if self._made.get((resource, key), -1) >= index or self._gone.get((resource, key), index) < index:
            return False
        if (resource, key) in self._made:
            return True
        added = record.get("date_add", "")
        if not added and resource in NUMBERED and self._first.get((resource, key), len(self._exchanges)) > index:
            return key <= max(
                (one for (name, one), at in self._first.items() if name == resource and at <= index), default=0
            )
        later = at.astimezone(PARIS).strftime("%Y-%m-%d %H:%M:%S")
        return not added or added <= later


def keys_in(exchanges: list[Exchange]) -> tuple[Key, ...]:
    """The shop's keys, told by the exchanges that show what each may do; the rest came with the key for everything."""
    sent = {one.name: b64decode(one.headers.get("Authorization", "")[6:]).decode()[:-1] for one in exchanges}
    reading = {"orders": ("GET", "HEAD"), "stock_availables": ("GET",)}
    without_patch = tuple(one for one in METHODS if one != "PATCH")
    return (
        Key("full", sent["100-list-full-orders"]),
        Key("read orders", sent["407-root-restricted-key"], resources=reading),
        Key("disabled", sent["404-disabled-key"], active=False),
        Key("no patch", sent["641-patch-key-without-patch-right"], without_patch),
    )


def _merged(facts: list[tuple[int, Record]], index: int, seen: int) -> Record:
    """What was said before `seen` counts most, the latest first; then what was said afterwards, the earliest first."""
    record: Record = {"associations": {}}
    later = [one for at, one in facts if at >= seen]
    earlier = [one for at, one in facts if at < seen]
    for one in [*reversed(later), *earlier]:
        rows = {**record["associations"], **one["associations"]}
        record = {**record, **one, "associations": rows}
    return record


def _believed(exchange: Exchange, record: Record) -> Record:
    """The record with what the request itself says about it: the values that a list was filtered by."""
    if (exchange.method, exchange.resource) == ("POST", "orders"):
        return {"associations": {}, **{name: record[name] for name in TRUE_OF_NEW_ORDERS}}
    filtered = dict(FILTERED.findall(exchange.target)) if exchange.method == "GET" else {}
    fields = RESOURCES[exchange.resource].by_name
    return {**{name: value for name, value in filtered.items() if name in fields and not fields[name].i18n}, **record}


def needed_by(exchange: Exchange) -> set[str]:
    if exchange.method not in ("GET", "HEAD"):
        return set(RESOURCES)
    priced = {"specific_prices", "tax_rules", "taxes"} if "price[" in exchange.target else set()
    return {exchange.resource, "languages", "shops", "configurations", "order_details", *priced}


def _complete_states(store: Store) -> None:
    """An order whose state nobody recorded has that of its latest history row."""
    for history in store.tables["order_histories"].values():
        order = store.get("orders", history["id_order"])
        if order and order["current_state"] == "0":
            state = store.get("order_states", store.find("order_histories", id_order=order["id"])[-1]["id_order_state"])
            if state:
                store.change("orders", order, current_state=state["id"], valid=state["logable"])


def _spell_out_rows(shop: Shop) -> None:
    """Order details of which only an order's short rows were recorded; a reading of orders shows no more of them."""
    for order in shop.store.tables["orders"].values():
        rows = order["associations"].get("order_rows", [])
        if not shop.store.find("order_details", id_order=order["id"]):
            for row in rows:
                detail = {**row, "id_order": order["id"], "id_shop": order["id_shop"]}
                for price in ("tax_incl", "tax_excl"):
                    total = shop.rounded(order["id_currency"], row[f"unit_price_{price}"], row["product_quantity"])
                    detail[f"total_price_{price}"] = str(total)
                shop.store.insert("order_details", detail, int(row["id"]))


def records_in(document: bytes, resource_name: str) -> list[tuple[str, Record]]:
    """The records in an answer, whole or in part; a list of ids gives records that are known by id alone."""
    resource = RESOURCES[resource_name]
    found: list[tuple[str, Record]] = []
    for node in etree.fromstring(document):
        for one in node if node.tag == resource.plural and node.find("id") is None else [node]:
            key = one.get("id") or one.findtext("id")
            if key:
                found.append((resource_name, {**_fields(one), "id": key}))
    return found


def _fields(node: Any) -> Record:
    record: Record = {"associations": {}}
    for child in node:
        if child.tag == "associations":
            record["associations"] = {
                rows.tag: [{cell.tag: cell.text or "" for cell in row} for row in rows] for rows in child
            }
        elif len(child):
            record[child.tag] = {one.get("id"): one.text or "" for one in child}
        else:
            record[child.tag] = child.text or ""
    return record
