"""A folder of recorded resources as the shop's data: `<resource>/*.xml`, a record or a list a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lxml import etree

from connectors.prestashop.sandbox import seed, states
from connectors.prestashop.sandbox.schema import RESOURCES, Record, Resource
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.store import Store
from connectors.prestashop.sandbox.xml import text_of

CONFIGURATIONS = {
    "PS_TIMEZONE": "Europe/Paris",
    "PS_LANG_DEFAULT": "1",
    "PS_CURRENCY_DEFAULT": "1",
    "PS_VERSION_DB": "8.2.1",
    "PS_SHOP_NAME": "Recorded shop",
    "PS_PRICE_ROUND_MODE": "2",
    "PS_ROUND_TYPE": "2",
    "PS_OS_ERROR": "8",
    "PS_OS_CANCELED": "6",
}
# What a shop always has; the rest may well be empty.
NEEDED = ("languages", "shops", "shop_groups", "order_states", "currencies", "countries", "zones", "groups", "carriers")


def read(path: Path) -> Store:
    """The records as they stand in the files. Raises ValueError naming the file and, for broken XML, the line."""
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder. Name a folder that holds <resource>/*.xml.")
    store = Store()
    found = False
    for name, resource in RESOURCES.items():
        for file in sorted((path / name).glob("*.xml"), key=lambda one: (len(one.stem), one.stem)):
            found = True
            for record in _records(file, resource):
                store.insert(name, record, int(record["id"]))
    if not found:
        raise ValueError(
            f"{path} holds no recorded resource. It needs files like orders/1.xml or order_states/all.xml."
        )
    return store


def _records(file: Path, resource: Resource) -> list[Record]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.parse(str(file), parser).getroot()
    except etree.XMLSyntaxError as error:
        raise ValueError(f"{file}, line {error.lineno}: this is no well-formed XML: {error.msg}.") from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise ValueError(f"{file}, line 1: a document type is not accepted.")
    nodes = [
        node
        for child in root
        for node in (child if child.tag == resource.plural and not _is_record(child) else [child])
    ]
    return [_record(file, resource, node) for node in nodes]


def _is_record(node: Any) -> bool:
    return any(one.tag == "id" for one in node)


def _record(file: Path, resource: Resource, node: Any) -> Record:
    where = f"{file}, line {node.sourceline}"
    if node.tag != resource.node:
        raise ValueError(f"{where}: <{node.tag}> is no {resource.node}, which files in {resource.name} hold.")
    record: Record = {"associations": {}}
    for child in node:
        field = resource.by_name.get(child.tag)
        if child.tag == "id":
            record["id"] = text_of(child).strip()
        elif child.tag == "associations":
            record["associations"] = {
                rows.tag: [{cell.tag: text_of(cell) for cell in row} for row in rows]
                for rows in child
                if resource.association(rows.tag)
            }
        elif field and field.i18n:
            record[child.tag] = {one.get("id", ""): text_of(one) for one in child}
        elif field:
            record[child.tag] = text_of(child)
    if not record.get("id", "").isdigit():
        raise ValueError(f"{where}: this {resource.node} has no id. A list must be recorded with display=full.")
    return record


def complete(shop: Shop) -> None:
    """Fills in what the folder leaves out: settings, reference tables and the short rows' long form."""
    store = shop.store
    for name in NEEDED:
        if not store.tables[name]:
            seed.plant_table(shop, name)
    known = {one["name"] for one in store.tables["configurations"].values()}
    settings = dict(CONFIGURATIONS)
    for name, table in (("PS_LANG_DEFAULT", "languages"), ("PS_CURRENCY_DEFAULT", "currencies")):
        settings[name] = str(min(store.tables[table]))
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    for name, value in settings.items():
        if name not in known:
            store.insert("configurations", {"name": name, "value": value, "date_add": moment, "date_upd": moment})
    for order in store.tables["orders"].values():
        rows = order["associations"].get("order_rows", [])
        if rows and not store.find("order_details", id_order=order["id"]):
            _spell_out(shop, order, rows)
        order["associations"]["order_rows"] = []
    states.link_known_payments(shop)


def _spell_out(shop: Shop, order: Record, rows: list[dict[str, str]]) -> None:
    """Order details from an order's short rows, where only those were recorded."""
    for row in rows:
        detail = {**row, "id_order": order["id"], "id_shop": order["id_shop"]}
        for price in ("tax_incl", "tax_excl"):
            unit, quantity = row.get(f"unit_price_{price}", "0"), row.get("product_quantity", "0")
            detail[f"total_price_{price}"] = str(shop.rounded(order["id_currency"], unit, quantity))
        shop.store.insert("order_details", detail, int(row["id"]))
