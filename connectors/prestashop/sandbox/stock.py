"""Stock rows: they come and go with products and combinations, and row 0 is the sum over the combinations."""

from connectors.prestashop.sandbox.schema import Record
from connectors.prestashop.sandbox.shop import Shop


def add_row(shop: Shop, resource: str, record: Record) -> None:
    """The row of a new product or combination, empty, and the places where others list it."""
    product_id = record["id"] if resource == "products" else record["id_product"]
    attribute_id = "0" if resource == "products" else record["id"]
    row = shop.store.insert(
        "stock_availables",
        {
            "id_product": product_id,
            "id_product_attribute": attribute_id,
            "id_shop": "1",
            "quantity": "0",
            "out_of_stock": "2",
        },
    )
    product = shop.store.get("products", product_id)
    if not product:
        return
    product["associations"]["stock_availables"].append({"id": row["id"], "id_product_attribute": attribute_id})
    if resource == "combinations":
        product["associations"]["combinations"].append({"id": record["id"]})
        if product["id_default_combination"] == "0":
            defaults = {"id_default_combination": record["id"], "cache_default_attribute": record["id"]}
            shop.store.change("products", product, **defaults, product_type="combinations")
        values = product["associations"]["product_option_values"]
        values += [one for one in record["associations"]["product_option_values"] if one not in values]


def remove_rows(shop: Shop, resource: str, key: str) -> None:
    name = "id_product" if resource == "products" else "id_product_attribute"
    for row in shop.store.find("stock_availables", **{name: key}):
        shop.store.delete("stock_availables", int(row["id"]))
        product = shop.store.get("products", row["id_product"])
        if product:
            lists = product["associations"]
            lists["stock_availables"] = [one for one in lists["stock_availables"] if one["id"] != row["id"]]
            lists["combinations"] = [one for one in lists["combinations"] if one["id"] != row["id_product_attribute"]]
    if resource == "products":
        for combination in shop.store.find("combinations", id_product=key):
            shop.store.delete("combinations", int(combination["id"]))


def sum_up(shop: Shop, product_id: str) -> None:
    rows = shop.store.find("stock_availables", id_product=product_id, id_shop=1)
    parts = [int(one["quantity"]) for one in rows if one["id_product_attribute"] != "0"]
    if parts:
        for row in rows:
            if row["id_product_attribute"] == "0":
                shop.store.change("stock_availables", row, quantity=sum(parts))


def write_lost_row(shop: Shop, row: Record) -> None:
    """A row whose shop was wiped takes no write any more; the shop makes itself a second one."""
    wanted = {"id_product": row["id_product"], "id_product_attribute": row["id_product_attribute"], "id_shop": "1"}
    if not shop.store.find("stock_availables", **wanted):
        shop.store.insert("stock_availables", {**wanted, "quantity": "0", "out_of_stock": row["out_of_stock"]})
