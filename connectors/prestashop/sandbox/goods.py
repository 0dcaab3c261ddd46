"""What the catalogue says about the lines of a purchase: prices, taxes, names and weights."""

from decimal import Decimal

from connectors.prestashop.sandbox.pricing import ZERO, half_up
from connectors.prestashop.sandbox.purchase import Line, Purchase
from connectors.prestashop.sandbox.schema import Record
from connectors.prestashop.sandbox.shop import Shop

# Before tax, in the shop's default currency, by carrier.
POSTAGE = {"0": Decimal(0), "1": Decimal(0), "3": Decimal("5.75"), "4": Decimal("12.40"), "5": Decimal("48.00")}


class Goods:
    """The catalogue as one purchase sees it: in its currency, with the taxes of its delivery address."""

    def __init__(self, shop: Shop, purchase: Purchase, delivery: Record, currency: Record) -> None:
        self._shop = shop
        self._store = shop.store
        self._purchase = purchase
        self._delivery = delivery
        self._rate = Decimal(currency["conversion_rate"])

    def unit_price(self, line: Line) -> Decimal:
        if line.unit_price_tax_excl is not None:
            return line.unit_price_tax_excl
        return self.list_price(line) * (1 - self.reduction(line))

    def reduction(self, line: Line) -> Decimal:
        """The part of the list price that the catalogue's specific prices take off."""
        if line.unit_price_tax_excl is not None:
            return ZERO
        found = [
            Decimal(one["reduction"])
            for one in self._store.find("specific_prices", id_product=line.product_id, reduction_type="percentage")
            if one["id_product_attribute"] in ("0", str(line.attribute_id))
            and int(one["from_quantity"]) <= line.quantity
        ]
        return max(found, default=ZERO)

    def list_price(self, line: Line) -> Decimal:
        if line.unit_price_tax_excl is not None:
            return line.unit_price_tax_excl
        price = Decimal(self._shop.known("products", line.product_id)["price"])
        if line.attribute_id:
            price += Decimal(self._shop.known("combinations", line.attribute_id)["price"])
        return half_up(price * self._rate, 6)

    def rates(self, line: Line) -> tuple[Decimal, ...]:
        if line.tax_rates is not None:
            return line.tax_rates
        return self._rates_of_group(self._shop.known("products", line.product_id)["id_tax_rules_group"])

    def postage(self) -> Decimal:
        given = self._purchase.shipping_tax_excl
        if given is not None:
            return given
        carrier = self._store.get("carriers", self._purchase.carrier)
        if not carrier or carrier["is_free"] == "1":
            return ZERO
        return POSTAGE.get(carrier["id"], Decimal(7)) * self._rate

    def shipping_rate(self) -> Decimal:
        if self._purchase.shipping_rate is not None:
            return self._purchase.shipping_rate
        carrier = self._store.get("carriers", self._purchase.carrier)
        return sum(self._rates_of_group(carrier["id_tax_rules_group"]), ZERO) if carrier else ZERO

    def tax(self, rate: Decimal) -> str:
        for tax in self._store.tables["taxes"].values():
            if Decimal(tax["rate"]) == rate and tax["deleted"] == "0":
                return str(tax["id"])
        texts = {one: f"Tax {rate.normalize():f}%" for one in self._shop.languages()}
        return str(self._store.insert("taxes", {"rate": str(rate), "active": "1", "name": texts})["id"])

    def described(self, line: Line) -> dict[str, str]:
        product = self._store.get("products", line.product_id) or self._vanished(line)
        combination = self._store.get("combinations", line.attribute_id)
        name = self._shop.text(product, "name", str(self._purchase.language))
        source = combination or product
        return {
            "product_id": str(line.product_id),
            "product_attribute_id": str(line.attribute_id),
            "product_name": f"{name}{self._options(combination)}",
            "product_quantity": str(line.quantity),
            "product_quantity_in_stock": str(line.quantity),
            "product_reference": source["reference"] or product["reference"],
            "product_ean13": source["ean13"] or product["ean13"],
            "product_weight": product["weight"],
            "id_tax_rules_group": product["id_tax_rules_group"],
        }

    def _options(self, combination: Record | None) -> str:
        """The chosen values as a product's name carries them."""
        if not combination:
            return ""
        parts = []
        for one in combination["associations"]["product_option_values"]:
            value = self._shop.known("product_option_values", int(one["id"]))
            option = self._shop.known("product_options", int(value["id_attribute_group"]))
            texts = ((option, "public_name"), (value, "name"))
            parts.append(":".join(self._shop.text(one, field, str(self._purchase.language)) for one, field in texts))
        return f" ({' - '.join(parts)})" if parts else ""

    def _vanished(self, line: Line) -> Record:
        """A product that the catalogue no longer has: the order keeps a name and a reference of its own."""
        gone = {"1": f"Withdrawn product {line.product_id}"}
        return {
            "name": gone,
            "reference": f"GONE-{line.product_id}",
            "ean13": "",
            "weight": "0",
            "id_tax_rules_group": "1",
        }

    def _rates_of_group(self, group: str) -> tuple[Decimal, ...]:
        country, state = self._delivery["id_country"], self._delivery["id_state"]
        rules = self._store.find("tax_rules", id_tax_rules_group=group, id_country=country)
        rules = [one for one in rules if one["id_state"] in ("0", state)][:1]
        return tuple(Decimal(self._shop.known("taxes", int(one["id_tax"]))["rate"]) for one in rules)
