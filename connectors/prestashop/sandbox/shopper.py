"""A simulated shopper: orders of every kind that a hub must carry, drawn from the sandbox's catalogue."""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.prestashop.sandbox.pricing import Discount
from connectors.prestashop.sandbox.purchase import Line
from connectors.prestashop.sandbox.seed import UNKNOWN_TO_ERP

if TYPE_CHECKING:
    from connectors.prestashop.sandbox import PrestaShopSandbox

GOODS = (1, 4, 5, 8, 9, 13)
VIRTUAL, SHARED, COMBINED, PAPER = 6, 2, 3, 11
FIRST_NAMES = ("Aurèle", "Bérénice", "Cosimo", "Dagny", "Emeka", "Fátima", "Gustav", "Hana", "Ilse", "Jorge")
LAST_NAMES = ("Abendroth", "Bonnefoy", "Castellan", "Dvořák", "Ekwueme", "Fontaine", "Grünwald", "Hoshino", "Ivarsson")
STREETS = ("rue des Tanneurs", "quai de la Fosse", "Gartenweg", "Harbour Row", "via dei Mille")
TOWNS = (
    (8, "44000", "Nantes"),
    (3, "1000", "Bruxelles"),
    (1, "50667", "Köln"),
    (17, "EH6 6JJ", "Leith"),
    (8, "13002", "Marseille"),
)
HOSTILE = (
    ('Zoë "Zed" O\'Neil', "D'Àngelo & fils <Ltd>"),
    ("שָׂרָה", "كريم ‏العربي"),
    ("José 🌵", "Müller‑Lüdenscheidt; DROP TABLE"),
    ("<b>Nils</b>", "]]> &amp; --"),
)
LONG_ADDRESS = (
    "12 quai de la Fosse, third courtyard, staircase D; the bell is broken, so please phone the neighbour on the "
    "second floor, Monsieur Bonnefoy, who is at home until noon, or leave the parcel with the bakery across the "
    "street, which closes at one and opens again at four, but never on Mondays"
)
Options = dict[str, Any]


class Shopper:
    """Places orders through the sandbox's own checkout. The same random source gives the same orders."""

    def __init__(self, sandbox: "PrestaShopSandbox", source: random.Random) -> None:
        self._sandbox = sandbox
        self._random = source
        self._placed = 0

    def any_kind(self) -> str:
        return self._random.choice(KINDS)

    def place_any(self) -> int:
        return self.place(self.any_kind())

    def place(self, kind: str, **overrides: Any) -> int:
        """Places an order of this kind and returns its id; `overrides` are fields of `purchase.Purchase`, `lines` among
        them. Raises KeyError for an unknown kind."""
        with self._sandbox.lock:
            self._placed += 1
            options = {**MAKERS[kind](self), **overrides}
            lines = options.pop("lines", None) or self._lines()
            if "customer" not in options:
                options["customer"] = self._customer()
            order_id = self._sandbox.place_order(lines, **options)
            if kind == "inconsistent":
                self._overstate(order_id)
            return order_id

    def place_half_made(self) -> int:
        """An order whose checkout broke off: no state, no history, nothing paid."""
        return self.place("plain", state=0)

    def _plain(self) -> Options:
        return {"state": self._random.choice((2, 2, 2, 10, 1, 13))}

    def _guest(self) -> Options:
        return {"customer": self._customer(guest=True)}

    def _same_email(self) -> Options:
        """A guest whose address another guest has used before: two customers, one e-mail."""
        email = f"shared{self._placed}@post.example"
        self._customer(guest=True, email=email)
        return {"customer": self._customer(guest=True, email=email)}

    def _company(self) -> Options:
        company = f"Ateliers {self._random.choice(LAST_NAMES)} SARL"
        return {"customer": self._customer(company=company, vat_number=f"FR{self._random.randrange(10**10, 10**11)}")}

    def _virtual(self) -> Options:
        return {"lines": [Line(VIRTUAL, quantity=self._random.randint(1, 2))], "carrier": 0}

    def _gift(self) -> Options:
        return {"gift_message": "Joyeux anniversaire !\nDe la part de l'équipe & co."}

    def _wrapping(self) -> Options:
        return {"gift_message": "", "wrapping_tax_excl": Decimal("3.25")}

    def _voucher_amount(self) -> Options:
        return {"discounts": [Discount("Five euros", amount=Decimal(5), cart_rule=2)]}

    def _voucher_percent(self) -> Options:
        percent = Decimal(self._random.choice(("10", "15", "33.33")))
        return {"discounts": [Discount("Ten percent", percent=percent)]}

    def _voucher_full(self) -> Options:
        """Everything is given away, postage too: nothing is left to pay."""
        return {"discounts": [Discount("All of it", percent=Decimal(100), free_shipping=True, cart_rule=4)]}

    def _voucher_shipping(self) -> Options:
        return {"discounts": [Discount("Free shipping", free_shipping=True, cart_rule=3)]}

    def _several_rates(self) -> Options:
        lines = [Line(one, quantity=self._random.randint(1, 4)) for one in (1, 4, 8, PAPER)]
        return {"lines": lines, "discounts": [Discount("Five euros", amount=Decimal(5), cart_rule=2)]}

    def _shared_reference(self) -> Options:
        return {"lines": [Line(SHARED, one, self._random.randint(1, 2)) for one in (1, 3)]}

    def _combinations(self) -> Options:
        return {"lines": [Line(COMBINED, one) for one in (5, 6, 7)]}

    def _pack(self) -> Options:
        return {"lines": [Line(7), Line(9, quantity=4)]}

    def _zero_decimals(self) -> Options:
        return {"currency": "JPY"}

    def _three_decimals(self) -> Options:
        return {"currency": "KWD"}

    def _foreign_currency(self) -> Options:
        return {"currency": self._random.choice(("USD", "GBP", "CHF"))}

    def _round(self, round_type: int) -> Options:
        lines = [Line(one, quantity=self._random.randint(2, 9)) for one in (5, 8, 9, 13)]
        return {"lines": lines, "round_type": round_type}

    def _unknown_product(self) -> Options:
        """A product that a seeding of the ERP from this catalogue leaves out."""
        table = self._sandbox.store.tables["products"]
        product = next(int(one["id"]) for one in table.values() if one["reference"] in UNKNOWN_TO_ERP)
        return {"lines": [Line(1), Line(product)]}

    def _vanished_product(self) -> Options:
        """A product that the catalogue no longer has."""
        line = Line(90000 + self._placed, quantity=2, unit_price_tax_excl=Decimal("18.50"), tax_rates=(Decimal(20),))
        return {"lines": [line]}

    def _inconsistent(self) -> Options:
        """What is to pay does not follow from the other totals, as in a shop's own sample orders."""
        return {}

    def _overstate(self, order_id: int) -> None:
        store = self._sandbox.store
        order = store.tables["orders"][order_id]
        total = str(Decimal(order["total_paid_tax_incl"]) + Decimal("6.40"))
        store.change("orders", order, total_paid=total, total_paid_tax_incl=total)

    def _hostile_names(self) -> Options:
        first, last = self._random.choice(HOSTILE)
        return {
            "customer": self._customer(names=(first, last), company='"Größe" & <Söhne>'),
            "message": 'He said: "100 % & <more>"',
        }

    def _message(self) -> Options:
        return {"message": "Please ring twice.\nMerci !"}

    def _unknown_payment(self) -> Options:
        """Paid by a module that came after the hub was set up."""
        return {"module": "alma", "payment": "Alma, in 3 instalments"}

    def _long_address(self) -> Options:
        """A delivery address with a story in it, as shops have it that lifted the limit of the field. Its customer has
        corrected it since: the shop keeps the old one for the order alone."""
        customer = self._customer()
        person = self._sandbox.store.tables["customers"][customer]
        names = {name: person[name] for name in ("firstname", "lastname")}
        place = {**self._place(), **names, **self._stamp(), "id_customer": str(customer), "address1": LONG_ADDRESS}
        place |= {"deleted": "1"}
        row = self._sandbox.store.insert("addresses", place)
        addresses = self._sandbox.store.tables["addresses"].values()
        first = next(one for one in addresses if str(one["id_customer"]) == str(customer))
        ends = {"delivery_address": int(row["id"]), "invoice_address": int(first["id"])}
        return {"customer": customer, **ends}

    def _lines(self) -> list[Line]:
        chosen = self._random.sample(GOODS, self._random.randint(1, 4))
        return [Line(one, quantity=self._random.choice((1, 1, 2, 3, 7))) for one in chosen]

    def _customer(
        self,
        *,
        guest: bool = False,
        email: str = "",
        company: str = "",
        vat_number: str = "",
        names: tuple[str, str] | None = None,
    ) -> int:
        """A new customer with one address; returns the id."""
        store = self._sandbox.store
        first, last = names or (self._random.choice(FIRST_NAMES), self._random.choice(LAST_NAMES))
        group = "2" if guest else "3"
        person = {"firstname": first, "lastname": last, "company": company, **self._stamp()}
        customer = store.insert(
            "customers",
            {
                **person,
                "email": email or f"shopper{store.last_ids['customers'] + 1}@post.example",
                "is_guest": "1" if guest else "0",
                "active": "1",
                "id_lang": self._random.choice(("1", "2")),
                "id_default_group": group,
                "secure_key": f"{self._random.getrandbits(128):032x}",
                "id_shop": "1",
                "id_shop_group": "1",
                "associations": {"groups": [{"id": group}]},
            },
        )
        place = {"id_customer": customer["id"], "vat_number": vat_number, **self._place()}
        store.insert("addresses", {**person, **place})
        return int(customer["id"])

    def _stamp(self) -> dict[str, str]:
        now = self._sandbox.shop.now()
        return {"date_add": now, "date_upd": now}

    def _place(self) -> dict[str, str]:
        country, postcode, city = self._random.choice(TOWNS)
        return {
            "id_country": str(country),
            "alias": "My address",
            "address1": f"{self._random.randint(1, 120)} {self._random.choice(STREETS)}",
            "postcode": postcode,
            "city": city,
            "phone": f"0{self._random.randint(10**8, 10**9 - 1)}",
        }


MAKERS: dict[str, Callable[[Shopper], Options]] = {
    "plain": Shopper._plain,
    "guest": Shopper._guest,
    "same_email": Shopper._same_email,
    "company": Shopper._company,
    "virtual": Shopper._virtual,
    "gift": Shopper._gift,
    "wrapping": Shopper._wrapping,
    "voucher_amount": Shopper._voucher_amount,
    "voucher_percent": Shopper._voucher_percent,
    "voucher_full": Shopper._voucher_full,
    "voucher_shipping": Shopper._voucher_shipping,
    "several_rates": Shopper._several_rates,
    "shared_reference": Shopper._shared_reference,
    "combinations": Shopper._combinations,
    "pack": Shopper._pack,
    "zero_decimals": Shopper._zero_decimals,
    "three_decimals": Shopper._three_decimals,
    "foreign_currency": Shopper._foreign_currency,
    "round_item": lambda self: self._round(1),
    "round_line": lambda self: self._round(2),
    "round_total": lambda self: self._round(3),
    "unknown_product": Shopper._unknown_product,
    "vanished_product": Shopper._vanished_product,
    "inconsistent": Shopper._inconsistent,
    "hostile_names": Shopper._hostile_names,
    "message": Shopper._message,
}
KINDS = tuple(MAKERS)
# Orders that stop where the hub is set up to ask a person; no sample has one.
MAKERS |= {"unknown_payment": Shopper._unknown_payment, "long_address": Shopper._long_address}
PLACEABLE = tuple(MAKERS)
