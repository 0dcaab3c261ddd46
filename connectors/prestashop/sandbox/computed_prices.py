"""Prices that a request asks to have computed, as `price[final][use_tax]=1`: each becomes a field of the product."""

import re
from dataclasses import replace
from decimal import Decimal

import httpx

from connectors.prestashop.sandbox.pricing import ZERO, half_up
from connectors.prestashop.sandbox.schema import ZERO_DATETIME, Field, Record, Resource, fixed, number
from connectors.prestashop.sandbox.shop import Shop

ASKED = re.compile(r"price\[([a-z_][a-z0-9_]*)\]\[(\w+)\]", re.ASCII | re.IGNORECASE)


class ComputedPrices:
    """What a request asks for. Of the options, `use_tax` (1 unless told), `use_reduction` (1 unless told),
    `product_attribute`, `quantity` and `decimals` count; the customer is nobody in particular, the country the shop's
    own."""

    def __init__(self, shop: Shop, query: httpx.QueryParams) -> None:
        self._shop = shop
        self._asked: dict[str, dict[str, str]] = {}
        for name, value in query.multi_items():
            found = ASKED.fullmatch(name)
            if found:
                self._asked.setdefault(found[1], {})[found[2]] = value

    def resource(self, resource: Resource) -> Resource:
        """The resource with a field more for each price, after its own; itself where none is asked for."""
        names = [one for one in self._asked if one not in (*resource.by_name, "id", "associations")]
        if resource.name != "products" or not names:
            return resource
        return replace(resource, fields=(*resource.fields, *(Field(one, "dec6") for one in names)))

    def record(self, resource: Resource, record: Record) -> Record:
        """A record of the resource that `resource` gave, with those prices."""
        prices = [one.name for one in resource.fields if one.name not in record]
        return {**record, **{name: fixed(self._price(record, self._asked[name]), 6) for name in prices}}

    def _price(self, product: Record, options: dict[str, str]) -> Decimal:
        combination = self._shop.store.get("combinations", options.get("product_attribute", "0"))
        price = Decimal(product["price"]) + (Decimal(combination["price"]) if combination else ZERO)
        factor = 1 + self._rate(product) / 100
        if options.get("use_reduction", "1") == "1":
            quantity = int(number(options.get("quantity", "1"))) or 1
            price = self._reduced(price, product["id"], combination["id"] if combination else "0", quantity, factor)
        if options.get("use_tax", "1") == "1":
            price *= factor
        return half_up(max(price, ZERO), min(int(number(options.get("decimals", "2"))), 6))

    def _rate(self, product: Record) -> Decimal:
        """The tax of the shop's own country, in percent."""
        store = self._shop.store
        country = store.configuration("PS_COUNTRY_DEFAULT", "8")
        rules = store.find("tax_rules", id_tax_rules_group=product["id_tax_rules_group"], id_country=country)
        taxes = [store.get("taxes", one["id_tax"]) for one in rules if one["id_state"] == "0"][:1]
        return sum((Decimal(one["rate"]) for one in taxes if one), ZERO)

    def _reduced(self, price: Decimal, product: str, combination: str, quantity: int, factor: Decimal) -> Decimal:
        """The price that suits the customer best of those that hold for everybody at this moment."""
        reduced = [price]
        for one in self._shop.store.find("specific_prices", id_product=product):
            if not self._holds(one, combination, quantity):
                continue
            base = price if Decimal(one["price"]) < 0 else Decimal(one["price"])
            reduction = Decimal(one["reduction"])
            if one["reduction_type"] == "percentage":
                reduced.append(base * (1 - reduction))
            else:
                reduced.append(base - (reduction / factor if one["reduction_tax"] == "1" else reduction))
        return min(reduced)

    def _holds(self, price: Record, combination: str, quantity: int) -> bool:
        now = self._shop.now()
        begun = price["from"] in ("", ZERO_DATETIME) or price["from"] <= now
        over = price["to"] not in ("", ZERO_DATETIME) and price["to"] < now
        only = ("id_cart", "id_currency", "id_country", "id_group", "id_customer")
        for_all = all(price[name] in ("", "0") for name in only) and price["id_product_attribute"] in ("0", combination)
        return begun and not over and for_all and int(price["from_quantity"]) <= quantity
