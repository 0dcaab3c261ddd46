"""A shop and an ERP joined in one process, with the default flow of orders between them."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

from connectors import sandbox_of, systems
from connectors.session import Session
from hub.flows import default_flow
from hub.pipeline import process
from hub.work import Pair

NAMESPACE = uuid.UUID("5b2d7a52-7c1e-4f4e-9a63-0f6d1f3c2b11")
NOW = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)


class Joined:
    """`settings` are the flow's, `erp_settings` the ERP connection's. The ERP knows the shop's items but PROTO-VASE."""

    def __init__(self, settings=None, erp_settings=None, price_places=None):
        self.shop = sandbox_of("prestashop")(clock=lambda: NOW)
        self.erp = sandbox_of("dynamics365")(clock=lambda: NOW)
        if price_places is not None:
            self.erp.environment.organization["pricingdecimalprecision"] = price_places
        self.calls = []
        source = systems()["prestashop"](self.shop.connection(), self.session(self.shop))
        target = systems()["dynamics365"]({**self.erp.connection(), **(erp_settings or {})}, self.session(self.erp))
        self.pair = Pair(source, target, NAMESPACE, settings or {})
        items = [
            {"number": one["item_number"], "name": one["name"], "price": one["price"]}
            for one in source.find("items")
            if one["item_number"] != "PROTO-VASE"
        ]
        currencies = [
            {"iso_code": one["iso_code"], "precision": one["precision"], "rate": one["conversion_rate"]}
            for one in source.find("currencies")
        ]
        self.erp.seed(items, currencies)
        self.flow = default_flow("dynamics365", "orders")

    def session(self, sandbox):
        return Session(transport=sandbox.transport(), clock=lambda: NOW, after=lambda call: self.calls.append(call))

    def carry(self, order):
        """Returns the outcome, and the order as the ERP has it (None where it has none)."""
        outcome, _ = process(self.flow, self.pair, str(order))
        found = self.standing(order)
        return outcome, found[0] if found else None

    def standing(self, order):
        found = self.pair.target.find("salesorder", ordernumber=f"PS-{order}")
        return [self.pair.target.read("salesorder", one["salesorderid"]) for one in found]

    def shop_order(self, order):
        return self.shop.store.tables["orders"][int(order)]

    def product_number(self, key):
        return self.pair.target.read("product", key)["productnumber"] if key else ""


def amount(value, places=2):
    return str(Decimal(value or 0).quantize(Decimal(1).scaleb(-places)))
