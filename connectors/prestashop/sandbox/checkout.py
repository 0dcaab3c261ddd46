"""POST /orders: turns a cart into an order. Of what is sent, the shop takes module, payment and total_paid; the rest is
the cart's."""

import json
from decimal import Decimal

from connectors.prestashop.sandbox.errors import Crashed
from connectors.prestashop.sandbox.placing import begin, place
from connectors.prestashop.sandbox.pricing import half_up
from connectors.prestashop.sandbox.purchase import MODULES, Line, Purchase
from connectors.prestashop.sandbox.schema import Record, number
from connectors.prestashop.sandbox.shop import Shop

REMOTE_PAYMENT, PAYMENT_ERROR = 11, 8


def order_from_cart(shop: Shop, staged: Record) -> Record:
    """The answer shows what was sent, with the new id; the order itself is made from the cart. Raises Crashed with the
    shop's sentence for a cart that is unknown, used or somebody else's, and without one for an unknown module."""
    store = shop.store
    cart = store.get("carts", staged["id_cart"])
    if staged["module"] not in MODULES:
        raise Crashed
    if not cart or store.find("orders", id_cart=cart["id"]):
        raise Crashed("Cart cannot be loaded or an order has already been placed using this cart")
    customer = store.get("customers", cart["id_customer"])
    if not customer or cart["secure_key"] not in ("", customer["secure_key"]):
        raise Crashed("Error processing order. Secure key does not match.")
    try:
        order = place(shop, _purchase(shop, cart, staged))
    except (ValueError, KeyError) as error:
        raise Crashed from error  # something that the cart names is not there
    if any(not _named(shop, row["id_product"]) for row in cart["associations"]["cart_rows"]):
        for resource in ("order_details", "order_carriers"):
            for row in store.find(resource, id_order=order["id"]):
                store.delete(resource, int(row["id"]))
        raise Crashed  # the row fails on the name, and the order stays behind half made
    sent = number(staged["total_paid"])
    places = shop.precision(cart["id_currency"])
    right = half_up(sent, places) == half_up(Decimal(order["total_paid_tax_incl"]), places)
    begin(shop, order, store.tables["order_states"][REMOTE_PAYMENT if right else PAYMENT_ERROR], sent)
    return {**staged, "id": order["id"]}


def _named(shop: Shop, product_id: str) -> bool:
    product = shop.store.get("products", product_id)
    return bool(product and shop.text(product, "name"))


def _purchase(shop: Shop, cart: Record, staged: Record) -> Purchase:
    currency = shop.store.tables["currencies"][int(cart["id_currency"])]
    return Purchase(
        lines=[
            Line(int(row["id_product"]), int(row["id_product_attribute"]), int(row["quantity"]))
            for row in cart["associations"]["cart_rows"]
        ],
        customer=int(cart["id_customer"]),
        delivery_address=int(cart["id_address_delivery"]),
        invoice_address=int(cart["id_address_invoice"]),
        currency=currency["iso_code"],
        carrier=_carrier(shop, cart),
        state=0,
        module=staged["module"],
        payment=staged["payment"],
        id_cart=int(cart["id"]),
        gift_message=cart["gift_message"] if cart["gift"] == "1" else None,
        language=int(cart["id_lang"]),
        round_type=int(shop.store.configuration("PS_ROUND_TYPE", "2")),
    )


def _carrier(shop: Shop, cart: Record) -> int:
    """The carrier of the cart's delivery option; without one the first free carrier; none for virtual goods."""
    products = [shop.store.get("products", row["id_product"]) for row in cart["associations"]["cart_rows"]]
    if all(one and one["is_virtual"] == "1" for one in products):
        return 0
    try:
        option = json.loads(cart["delivery_option"] or "{}")
        return int(str(option[cart["id_address_delivery"]]).strip(","))
    except (ValueError, KeyError, TypeError):
        free = shop.store.find("carriers", is_free=1, active=1, deleted=0)
        return int(free[0]["id"]) if free else int(cart["id_carrier"])
