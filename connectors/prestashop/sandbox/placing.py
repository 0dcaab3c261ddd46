"""Placing an order the way the shop's own checkout does: cart, order, rows, vouchers, carrier, payment, invoice,
history and stock, with the totals that the shop computes."""

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal

from connectors.prestashop.sandbox import states
from connectors.prestashop.sandbox.goods import Goods
from connectors.prestashop.sandbox.pricing import (
    ZERO,
    Amount,
    Discount,
    Priced,
    Row,
    half_up,
    priced_order,
    priced_row,
    taxed,
)
from connectors.prestashop.sandbox.purchase import MODULES, Line, Purchase
from connectors.prestashop.sandbox.schema import Record
from connectors.prestashop.sandbox.shop import Shop


def place(shop: Shop, purchase: Purchase) -> Record:
    """Places the order and returns its row. Raises ValueError for a customer, product or currency that is not there."""
    return _Placing(shop, purchase).order()


class _Placing:
    def __init__(self, shop: Shop, purchase: Purchase) -> None:
        self.shop = shop
        self.store = shop.store
        self.purchase = purchase
        self.lines = [one if isinstance(one, Line) else Line(*one) for one in purchase.lines]
        self.customer = self.shop.known("customers", purchase.customer)
        addresses = [one["id"] for one in self.store.find("addresses", id_customer=purchase.customer, deleted=0)]
        first = int(addresses[0]) if addresses else 0
        self.delivery = self.shop.known("addresses", purchase.delivery_address or first)
        self.invoice = self.shop.known("addresses", purchase.invoice_address or purchase.delivery_address or first)
        self.state = shop.known("order_states", purchase.state) if purchase.state else None
        self.currency = self._currency(purchase.currency)
        self.places = int(self.currency["precision"])
        self.goods = Goods(shop, purchase, self.delivery, self.currency)
        self.rates = [self.goods.rates(one) for one in self.lines]

    def order(self) -> Record:
        priced = self._priced()
        cart_id = str(self.purchase.id_cart) if self.purchase.id_cart else self._cart()["id"]
        order = self.store.insert("orders", self._order_fields(priced, cart_id))
        self._details(order, priced.rows)
        for discount, taken in zip(self.purchase.discounts, priced.discounts, strict=True):
            self._cart_rule(order, discount, taken)
        if self.purchase.carrier:
            self._order_carrier(order, priced.shipping)
        self._begin(order, priced.paid.incl)
        self.store.change("orders", order, **self.purchase.fields)
        return order

    def _priced(self) -> Priced:
        purchase = self.purchase
        rows = [
            priced_row(self.goods.unit_price(line), line.quantity, rates, purchase.round_type, self.places)
            for line, rates in zip(self.lines, self.rates, strict=True)
        ]
        shipping = taxed(self.goods.postage(), [self.goods.shipping_rate()])
        wrapping = taxed(purchase.wrapping_tax_excl, [purchase.wrapping_rate])
        return priced_order(rows, shipping, wrapping, purchase.discounts, self.places)

    def _cart(self) -> Record:
        rows = [
            {
                "id_product": str(line.product_id),
                "id_product_attribute": str(line.attribute_id),
                "id_address_delivery": self.delivery["id"],
                "id_customization": "0",
                "quantity": str(line.quantity),
            }
            for line in self.lines
        ]
        option = json.dumps({self.delivery["id"]: f"{self.purchase.carrier},"}, separators=(",", ":"))
        cart = {**self._parties(), **self._gift(), "delivery_option": option, "id_carrier": str(self.purchase.carrier)}
        return self.store.insert("carts", {**cart, "associations": {"cart_rows": rows}})

    def _parties(self) -> dict[str, str]:
        now = self.shop.now()
        return {
            "id_address_delivery": self.delivery["id"],
            "id_address_invoice": self.invoice["id"],
            "id_currency": self.currency["id"],
            "id_lang": str(self.purchase.language),
            "id_customer": self.customer["id"],
            "id_shop_group": "1",
            "id_shop": "1",
            "secure_key": self.customer["secure_key"],
            "date_add": now,
            "date_upd": now,
        }

    def _gift(self) -> dict[str, str]:
        message = self.purchase.gift_message
        return {"gift": "0" if message is None else "1", "gift_message": message or ""}

    def _order_fields(self, priced: Priced, cart_id: str) -> Record:
        purchase = self.purchase
        number = self.store.last_ids["orders"] + 1
        amounts = {}
        totals = {
            "discounts": priced.discount,
            "shipping": priced.shipping,
            "wrapping": priced.wrapping,
            "paid": priced.paid,
        }
        for name, amount in totals.items():
            amounts[f"total_{name}_tax_excl"] = str(amount.excl)
            amounts[f"total_{name}_tax_incl"] = amounts[f"total_{name}"] = str(amount.incl)
        return {
            **self._parties(),
            **self._gift(),
            **amounts,
            "total_products": str(priced.products.excl),
            "total_products_wt": str(priced.products.incl),
            "id_cart": cart_id,
            "id_carrier": str(purchase.carrier),
            "module": purchase.module,
            "payment": purchase.payment or MODULES.get(purchase.module, purchase.module),
            "note": purchase.note,
            "carrier_tax_rate": str(self.goods.shipping_rate()),
            "round_mode": "2",
            "round_type": str(purchase.round_type),
            "conversion_rate": self.currency["conversion_rate"],
            "reference": purchase.reference or reference(number),
        }

    def _details(self, order: Record, rows: Sequence[Row]) -> None:
        for line, row, rates in zip(self.lines, rows, self.rates, strict=True):
            taxes = [{"id": self.goods.tax(one)} for one in rates if one]
            price, reduction = str(half_up(self.goods.list_price(line), 6)), str(self.goods.reduction(line) * 100)
            listed = {"product_price": price, "original_product_price": price, "reduction_percent": reduction}
            detail = {**self.goods.described(line), **_prices(row), **listed, "id_order": order["id"], "id_shop": "1"}
            self.store.insert("order_details", {**detail, "associations": {"taxes": taxes}})

    def _cart_rule(self, order: Record, discount: Discount, taken: Amount) -> None:
        row = {
            "id_order": order["id"],
            "id_cart_rule": str(discount.cart_rule),
            "name": discount.name,
            "value": str(taken.incl),
            "value_tax_excl": str(taken.excl),
            "free_shipping": "1" if discount.free_shipping else "0",
        }
        self.store.insert("order_cart_rules", row)

    def _order_carrier(self, order: Record, shipping: Amount) -> None:
        products = [self.store.get("products", one.product_id) for one in self.lines]
        weights = [Decimal(one["weight"]) if one else ZERO for one in products]
        weight = sum((one * line.quantity for one, line in zip(weights, self.lines, strict=True)), ZERO)
        row = {
            "id_order": order["id"],
            "id_carrier": str(self.purchase.carrier),
            "weight": str(weight),
            "shipping_cost_tax_excl": str(shipping.excl),
            "shipping_cost_tax_incl": str(shipping.incl),
            "date_add": self.shop.now(),
        }
        self.store.insert("order_carriers", row)

    def _begin(self, order: Record, total: Decimal) -> None:
        if self.purchase.message:
            self._conversation(order)
        if self.state:
            paid = self.purchase.paid
            if paid is None and self.state["logable"] == "1":
                paid = total
            begin(self.shop, order, self.state, paid, self.purchase.transaction_id)

    def _conversation(self, order: Record) -> None:
        now = self.shop.now()
        thread = self.store.insert(
            "customer_threads",
            {
                **{name: order[name] for name in ("id_lang", "id_shop", "id_customer")},
                "id_order": order["id"],
                "id_contact": "0",
                "email": self.customer["email"],
                "token": hashlib.sha256(order["id"].encode()).hexdigest()[:12],
                "status": "open",
                "date_add": now,
                "date_upd": now,
            },
        )
        message = {"id_customer_thread": thread["id"], "message": self.purchase.message, "private": "0"}
        added = self.store.insert("customer_messages", {**message, "date_add": now, "date_upd": now})
        thread["associations"]["customer_messages"].append({"id": added["id"]})

    def _currency(self, iso_code: str) -> Record:
        found = self.store.find("currencies", iso_code=iso_code, deleted=0)
        if not found:
            raise ValueError(f"The shop has no currency {iso_code}.")
        return found[0]


def begin(shop: Shop, order: Record, state: Record, paid: Decimal | None, transaction_id: str = "") -> None:
    """The first state with what it brings: the payment (None: none), stock, invoice, history and mail. An order without
    it is half made, as a crashed checkout leaves it."""
    if paid is not None:
        states.add_payment(shop, order, paid, order["payment"], transaction_id)
        shop.store.change("orders", order, total_paid_real=str(paid))
    if state["id"] not in ("6", "8"):
        for detail in shop.store.find("order_details", id_order=order["id"]):
            quantity = int(detail["product_quantity"])
            states.add_stock(shop, detail["product_id"], detail["product_attribute_id"], -quantity)
    states.begin(shop, order, state)


def _prices(row: Row) -> dict[str, str]:
    return {
        "unit_price_tax_excl": str(row.unit.excl),
        "unit_price_tax_incl": str(row.unit.incl),
        "total_price_tax_excl": str(row.total.excl),
        "total_price_tax_incl": str(row.total.incl),
    }


def reference(number: int) -> str:
    """Nine letters that look drawn by lot, yet always the same for one order."""
    digest = hashlib.sha256(f"order {number}".encode()).digest()
    return "".join(chr(ord("A") + one % 26) for one in digest[:9])
