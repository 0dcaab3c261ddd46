"""What the shop's classes do beyond writing a row: defaults, computed values and rows of other tables."""

import hashlib
import re
import unicodedata
from datetime import timedelta
from typing import Any

import httpx

from connectors.prestashop.sandbox import checkout, states, stock
from connectors.prestashop.sandbox.errors import Crashed, Refused, php_warning
from connectors.prestashop.sandbox.schema import DATES, Field, Record, Resource, fixed, number
from connectors.prestashop.sandbox.shop import Shop

Rows = dict[str, list[dict[str, str]]]
# Values that PHP's classes start with, so that an answer to POST or PUT shows them although nobody sent them.
DEFAULTS = {
    "products": {"condition": "new", "visibility": "both", "id_shop_default": "1"},
    "customers": {"id_shop": "1", "id_shop_group": "1"},
}
PASSWORD_KEPT = timedelta(hours=6)  # how long the shop waits before a password may be asked for again
COMPUTED_KEPT = {"products": ("id_default_image", "id_default_combination", "type")}


def kept_by_put(resource: str, field: Field) -> bool:
    return field.name in COMPUTED_KEPT.get(resource, ())


def written(shop: Shop, resource: str, field: str, staged: Record) -> None:
    """What an order does as soon as a field is set, before anything is saved."""
    if resource != "orders":
        return
    if not staged["id"]:
        staged["current_state"] = ""  # a new order's state is the shop's to say
        return
    order = shop.store.tables["orders"][int(staged["id"])]
    if field == "current_state":
        states.set_current_state(shop, order, staged["current_state"])
        staged.update(order)
    elif field == "shipping_number":
        carriers = shop.store.find("order_carriers", id_order=order["id"])
        if carriers:
            shop.store.change("order_carriers", carriers[-1], tracking_number=staged["shipping_number"])


def complete_new(shop: Shop, resource: str, staged: Record) -> None:
    for name, value in DEFAULTS.get(resource, {}).items():
        staged[name] = staged[name] or value
    if resource == "customers":
        _complete_customer(shop, staged)
    elif resource == "products":
        _complete_product(shop, staged)
    if resource != "orders":
        staged.update({name: shop.now() for name in DATES if name in staged})


def complete_changed(shop: Shop, resource: str, method: str, stored: Record, staged: Record) -> None:
    if method == "PUT":
        for name, value in DEFAULTS.get(resource, {}).items():
            staged[name] = staged[name] or value
    if resource == "customers" and staged["passwd"] != stored["passwd"]:
        staged["passwd"] = hashed(staged["passwd"])
    elif resource == "products":
        manufacturer = shop.store.get("manufacturers", staged["id_manufacturer"])
        staged["manufacturer_name"] = manufacturer["name"] if manufacturer else ""
        if method == "PUT":
            staged.update(quantity="", unit_price_ratio=staged["unit_price_ratio"] or "0")
    elif resource == "stock_availables" and staged["depends_on_stock"] == "1":
        raise Refused(500, (133, "You cannot update the available stock when it depends on stock."))


def _complete_customer(shop: Shop, staged: Record) -> None:
    staged["id_lang"] = staged["id_lang"] or shop.default_language()
    staged["passwd"] = hashed(staged["passwd"])
    staged["secure_key"] = hashlib.md5(f"{staged['email']}{shop.now()}".encode(), usedforsecurity=False).hexdigest()
    staged["last_passwd_gen"] = shop.now(-PASSWORD_KEPT)


def _complete_product(shop: Shop, staged: Record) -> None:
    if not staged["name"]:
        warning = php_warning("foreach() argument must be of type array|object, string given", 8101)
        raise Refused(500, (3, warning.replace("webservice/WebserviceRequest.php", "Product.php")))
    if not staged["link_rewrite"]:
        staged["link_rewrite"] = {language: slug(text) for language, text in staged["name"].items()}
    in_category = shop.store.find("products", id_category_default=staged["id_category_default"])
    staged.update(type="simple", id_default_combination="0", position_in_category=str(len(in_category) + 1))


def add(shop: Shop, resource: Resource, staged: Record, rows: Rows, query: httpx.QueryParams) -> Record:
    """Saves a new object. Raises Crashed where the shop would, possibly after it saved something."""
    if resource.name == "orders":
        return checkout.order_from_cart(shop, staged)
    if resource.name == "order_histories":
        values = {name: staged[name] for name in resource.by_name}
        return {**staged, "id": states.post_history(shop, values, query.get("sendemail") == "1")["id"]}
    if resource.name == "customers":
        _refuse_known_email(shop, staged)
    saved = shop.store.insert(resource.name, {**staged, "associations": {}, **_texts(resource, staged)})
    _set_rows(resource.name, saved, rows)
    if resource.name == "carts" and not rows.get("cart_rows"):
        raise Crashed  # an empty list breaks the code behind, and the cart is saved by then
    if resource.name in ("products", "combinations"):
        stock.add_row(shop, resource.name, saved)
    elif resource.name == "customer_messages":
        thread = shop.store.get("customer_threads", saved["id_customer_thread"])
        if thread:
            thread["associations"]["customer_messages"].append({"id": saved["id"]})
    return {**staged, "id": saved["id"], "associations": saved["associations"]}


def change(
    shop: Shop, resource: Resource, stored: Record, staged: Record, rows: Rows, query: httpx.QueryParams
) -> Record:
    """Saves a changed object."""
    names = [one.name for one in resource.fields if staged[one.name] != stored[one.name]]
    if resource.name == "stock_availables" and stored["id_shop"] == "0":
        stock.write_lost_row(shop, stored)
    else:
        values = {**staged, **_texts(resource, staged)}
        shop.store.change(resource.name, stored, **{name: values[name] for name in names})
    if resource.name != "orders":
        _set_rows(resource.name, stored, rows)
    if resource.name == "stock_availables":
        stock.sum_up(shop, stored["id_product"])
    elif resource.name == "order_carriers":
        _tracking(shop, stored, query.get("sendemail") == "1")
    return {**staged, "associations": stored["associations"]}


def remove(shop: Shop, resource: str, key: int) -> None:
    store = shop.store
    if resource == "addresses":
        address = store.tables["addresses"][key]
        for order in store.tables["orders"].values():
            if address["id"] in (order["id_address_delivery"], order["id_address_invoice"]):
                store.change("addresses", address, deleted=1, date_upd=shop.now())
                return
    store.delete(resource, key)
    if resource in ("products", "combinations"):
        stock.remove_rows(shop, resource, str(key))


def _refuse_known_email(shop: Shop, staged: Record) -> None:
    if staged["is_guest"] == "1":
        return
    known = [
        shop.store.get("customers", key) for key in shop.store.indexed("customers", "email", [staged["email"]]) or ()
    ]
    if any(one and one["is_guest"] == "0" and one["deleted"] == "0" for one in known):
        raise Refused(
            500, (140, "The email is already used, please choose another one"), (46, "Unable to save resource")
        )


def _texts(resource: Resource, staged: Record) -> dict[str, Any]:
    """I18n fields as they are stored: an unset one is empty in every language."""
    return {one.name: staged[one.name] or {} for one in resource.fields if one.i18n}


def _set_rows(resource: str, record: Record, rows: Rows) -> None:
    for name, sent in rows.items():
        if name == "cart_rows":
            sent = [{"id_customization": "0", "id_product_attribute": "0", **one} for one in sent]
            sent.sort(key=lambda one: [int(one.get(part) or 0) for part in ("id_product", "id_product_attribute")])
        elif name == "order_slip_details":
            sent = [
                {
                    **{part: text for part, text in one.items() if not part.startswith("amount")},
                    **{part: fixed(number(text), 6) for part, text in one.items() if part.startswith("amount")},
                    "id": record["id"],
                }
                for one in sent
            ]
        record["associations"][name] = sent


def _tracking(shop: Shop, row: Record, send_mail: bool) -> None:
    """The number shows in the order too, whose date_upd stays; a mail goes out only where the carrier tracks."""
    order = shop.store.get("orders", row["id_order"])
    carrier = shop.store.get("carriers", row["id_carrier"])
    if not order:
        return
    shop.store.change("orders", order, shipping_number=row["tracking_number"])
    customer = shop.store.get("customers", order["id_customer"])
    if send_mail and carrier and carrier["url"] and customer:
        shop.mail("in_transit", customer["email"], order=order["id"], tracking_number=row["tracking_number"])


def hashed(password: str) -> str:
    """Something with the look of a bcrypt hash; one that is sent back stays as it is."""
    if password.startswith("$2y$"):
        return password
    return f"$2y$10${hashlib.sha256(password.encode()).hexdigest()[:53]}"


def slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
