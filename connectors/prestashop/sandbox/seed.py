"""The shop that a fresh sandbox shows. Its tables lie in `seeds/*.json`: rows by field, "english|français" for texts
in two languages."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from connectors.prestashop.sandbox.schema import DATES, RESOURCES, Record
from connectors.prestashop.sandbox.shop import Shop

# Not in the ERP that a demo seeds from this shop's catalogue.
UNKNOWN_TO_ERP = ("PROTO-VASE",)
OPTION_VALUES = {1: (1, 3), 2: (2, 3), 3: (1, 5), 4: (2, 5), 5: (3,), 6: (4,), 7: (5,)}
STOCK = 250


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for path in sorted((Path(__file__).parent / "seeds").glob("*.json")):
        tables.update(json.loads(path.read_text(encoding="utf-8")))
    return tables


def plant(shop: Shop) -> None:
    """Fills an empty shop."""
    for name in _tables():
        plant_table(shop, name)
    _join_catalogue(shop)


def plant_table(shop: Shop, name: str) -> None:
    table, resource, now = _tables()[name], RESOURCES[name], shop.now()
    for row in table["rows"]:
        record: Record = {one: now for one in DATES if one in resource.by_name}
        for field, value in zip(table["fields"], row, strict=True):
            known = resource.by_name.get(field)
            record[field] = _texts(str(value)) if known and known.i18n else str(value)
        shop.store.insert(name, record, int(record["id"]))


def _texts(text: str) -> dict[str, str]:
    english, _, french = text.partition("|")
    return {"1": english, "2": french or english}


def _join_catalogue(shop: Shop) -> None:
    """What ties the catalogue's tables together: associations and stock rows."""
    store = shop.store
    for customer in store.tables["customers"].values():
        customer["associations"]["groups"] = [{"id": "3"}]
    for combination in store.tables["combinations"].values():
        values = OPTION_VALUES[int(combination["id"])]
        combination["associations"]["product_option_values"] = [{"id": str(one)} for one in values]
    for value in store.tables["product_option_values"].values():
        option = store.tables["product_options"][int(value["id_attribute_group"])]
        option["associations"]["product_option_values"].append({"id": value["id"]})
    for product in store.tables["products"].values():
        _complete_product(shop, product)
    store.tables["products"][7]["associations"]["product_bundle"] = [
        {"id": "1", "id_product_attribute": "0", "quantity": "1"},
        {"id": "4", "id_product_attribute": "0", "quantity": "1"},
    ]


def _complete_product(shop: Shop, product: Record) -> None:
    store, category = shop.store, product["id_category_default"]
    manufacturer = store.tables["manufacturers"][int(product["id_manufacturer"])]
    combinations = store.find("combinations", id_product=product["id"])
    store.change(
        "products",
        product,
        manufacturer_name=manufacturer["name"],
        type={"1": "virtual"}.get(product["is_virtual"], "pack" if product["product_type"] == "pack" else "simple"),
        **dict.fromkeys(("id_shop_default", "state", "minimal_quantity", "show_price", "indexed"), "1"),
        available_for_order="1",
        condition="new",
        visibility="both",
        id_default_combination=combinations[0]["id"] if combinations else "0",
        cache_default_attribute=combinations[0]["id"] if combinations else "0",
        link_rewrite=dict.fromkeys(("1", "2"), f"product-{product['id']}"),
    )
    lists = product["associations"]
    lists["categories"] = [{"id": "2"}, {"id": category}]
    store.tables["categories"][int(category)]["associations"]["products"].append({"id": product["id"]})
    lists["combinations"] = [{"id": one["id"]} for one in combinations]
    values = [value["id"] for one in combinations for value in one["associations"]["product_option_values"]]
    lists["product_option_values"] = [{"id": one} for one in dict.fromkeys(values)]
    for attribute in ["0", *[one["id"] for one in combinations]]:
        quantity = STOCK * len(combinations) if combinations and attribute == "0" else STOCK
        row = {"id_product": product["id"], "id_product_attribute": attribute, "id_shop": "1", "out_of_stock": "2"}
        added = store.insert("stock_availables", {**row, "quantity": str(quantity)})
        lists["stock_availables"].append({"id": added["id"], "id_product_attribute": attribute})
