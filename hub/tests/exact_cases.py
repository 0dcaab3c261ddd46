"""The cases of docs/exact.md: an order of each kind, and the exact rows that the ERP has of it afterwards.

`python -m hub.tests.exact_cases` (with DJANGO_SETTINGS_MODULE set) prints the page; a test compares it with
the one in docs.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.prestashop.sandbox.pricing import Discount
from connectors.prestashop.sandbox.purchase import Line
from hub.tests.joined import Joined, amount

# Products of the sandbox's shop: 1 and 9 are simple, 2 has combinations that share one reference, 6 is a download,
# 4 a book at a reduced rate, and 10 is unknown to the ERP.
FULL, REDUCED = (Decimal(20),), (Decimal("5.5"),)


def line(product: int, price: str, quantity: int = 1, rates: tuple[Decimal, ...] = FULL, attribute: int = 0) -> Line:
    return Line(product, attribute, quantity, Decimal(price), rates)


@dataclass(frozen=True)
class Case:
    """`words` say what the page says of it; `price_places` is the ERP's precision of unit prices."""

    name: str
    words: str
    lines: tuple[Line, ...]
    customer: dict[str, Any] = field(default_factory=dict)
    purchase: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    price_places: int = 2


POSTAGE = {"shipping_tax_excl": Decimal("7.00"), "shipping_rate": Decimal(20)}
FREE = {"shipping_tax_excl": Decimal(0)}
VOUCHER = {"discounts": [Discount("Welcome", amount=Decimal(5))]}
ALL_OF_IT = {"discounts": [Discount("All of it", percent=Decimal(100), free_shipping=True)]}
ODD = (line(1, "19.121", 2), line(9, "8.333", 7), line(8, "1.115", 3))
BROKEN = {"fields": {"total_paid": "61.80", "total_paid_tax_incl": "61.80"}}

CASES = (
    Case(
        "Guest",
        "A guest is a contact like any other customer. Freight goes net into the header, its tax is a line.",
        (line(1, "19.12", 2),),
        {"guest": True},
        POSTAGE,
    ),
    Case(
        "Two customers with one e-mail",
        "The second customer is the first one's contact, found by the e-mail: one contact, two orders. The name on "
        "each order is its own.",
        (line(1, "19.12"),),
        {"email": "shared@post.example", "twice": True},
        FREE,
    ),
    Case(
        "Company with VAT number",
        "The company is an account, its VAT number (letters and digits) the account's number; a customer whose e-mail "
        "is new becomes a contact of the account, and the order is the account's.",
        (line(9, "10.00", 3),),
        {"company": "Ateliers Bonnefoy SARL", "vat_number": "FR 40 303 265 045"},
        POSTAGE,
    ),
    Case(
        "Virtual goods without carrier",
        "The shop's carrier is 0: no shipping method, no freight.",
        (line(6, "16.51"),),
        purchase={"carrier": 0},
    ),
    Case(
        "Gift",
        "The message stands in the order's description.",
        (line(1, "19.12"),),
        {},
        {**FREE, "gift_message": "Bonne fête !"},
    ),
    Case(
        "Wrapping",
        "A line of its own with price and tax.",
        (line(1, "19.12"),),
        purchase={**FREE, "gift_message": "", "wrapping_tax_excl": Decimal("3.25")},
    ),
    Case(
        "Voucher",
        "Net into the header's discount, which lowers the net base only; its tax is a line with a negative tax.",
        (line(1, "19.12", 2),),
        purchase={**POSTAGE, **VOUCHER},
    ),
    Case(
        "Voucher of 100 %",
        "Everything is given away, freight too.",
        (line(1, "19.12", 2),),
        {},
        {**POSTAGE, **ALL_OF_IT},
    ),
    Case(
        "Several tax rates",
        "Each line carries its own tax; the voucher's tax is the shop's, spread over the rates.",
        (line(1, "19.12", 2), line(4, "12.40", 3, REDUCED)),
        purchase={**POSTAGE, **VOUCHER},
    ),
    Case(
        "Combinations sharing one reference",
        "The product's number is the reference and the combination's id.",
        (line(2, "24.90", 1, FULL, 1), line(2, "24.90", 2, FULL, 3)),
        purchase=FREE,
    ),
    Case(
        "Currency without decimals",
        "The unit price keeps its decimals, the line is rounded as the shop rounds it: to the yen.",
        (line(1, "3059.20"), line(9, "1904.40", 7)),
        purchase={"currency": "JPY", "shipping_tax_excl": Decimal(1120), "shipping_rate": Decimal(20)},
    ),
    Case(
        "Rounding by item",
        "The shop rounds the unit price before it multiplies, so the line carries the rounded price.",
        ODD,
        purchase={**FREE, "round_type": 1},
        price_places=4,
    ),
    Case(
        "Rounding by line",
        "The line carries the shop's unit price with its decimals.",
        ODD,
        purchase={**FREE, "round_type": 2},
        price_places=4,
    ),
    Case(
        "Rounding by total",
        "The shop rounds only the total, the ERP every line: the difference is a line of its own.",
        (line(1, "1.115"), line(9, "1.115"), line(8, "1.115")),
        purchase={**FREE, "round_type": 3},
        price_places=4,
    ),
    Case(
        "Unit price with more decimals than the ERP keeps",
        "The ERP keeps two decimals of a unit price: the price is rounded up, the surplus is the line's own discount.",
        (line(1, "0.333", 100), line(9, "21.032", 7)),
        purchase=FREE,
    ),
    Case(
        "Product unknown to the ERP",
        "A dead letter; nothing is written.",
        (line(1, "19.12"), line(10, "40.00")),
        purchase=FREE,
    ),
    Case(
        "Product unknown to the ERP, with unknown products written in",
        "The row is a write-in line with number and name of the shop.",
        (line(1, "19.12"), line(10, "40.00")),
        purchase=FREE,
        settings={"unknown_product": "write in"},
    ),
    Case(
        "Inconsistent totals in the shop",
        "Held; nothing is written.",
        (line(1, "19.12", 2), line(9, "8.90")),
        purchase={**POSTAGE, **BROKEN},
    ),
)
HEADER = ("freightamount", "discountamount", "totaltax", "totalamount")
COLUMNS = ("quantity", "priceperunit", "manualdiscountamount", "tax", "extendedamount")


def place(case: Case, joined: Joined) -> list[int]:
    """Places the case's order, or its two, and returns the ids."""
    who = {**case.customer}
    times = 2 if who.pop("twice", False) else 1
    placed = []
    for number in range(times):
        names = {"firstname": ("Hana", "Emeka")[number], "lastname": ("Dvořák", "Fontaine")[number]}
        customer = joined.customer(**{"email": f"hana{number}@post.example", **names, **who})
        placed.append(joined.shop.place_order(list(case.lines), customer=customer, **case.purchase))
    return placed


def rendered(case: Case) -> str:
    """The case as a section of the page."""
    joined = Joined(case.settings, price_places=case.price_places)
    parts = [f"## {case.name}\n\n{case.words}\n"]
    for order in place(case, joined):
        outcome, stands = joined.carry(order)
        parts.append(in_shop(joined.shop_order(order)))
        if stands is None:
            parts.append(f"In the ERP: nothing. What became of it: {outcome.state}. {outcome.reason}\n")
        else:
            parts.append(in_erp(joined, stands))
    return "\n".join(parts)


def in_shop(order: dict[str, str]) -> str:
    names = (
        "total_products",
        "total_products_wt",
        "total_shipping_tax_incl",
        "total_wrapping_tax_incl",
        "total_discounts_tax_incl",
    )
    amounts = [f"`{name}` {amount(order[name], 3)}" for name in names if Decimal(order[name])]
    return f"In the shop: {', '.join(amounts)}, **`total_paid_tax_incl` {amount(order['total_paid_tax_incl'], 3)}**\n"


def in_erp(joined: Joined, order: dict[str, Any]) -> str:
    target = joined.pair.target
    account = order.get("customerid_account")
    who = target.read("account", account) if account else target.read("contact", order["customerid_contact"])
    said = f"account {who['accountnumber']} {who['name']}" if account else f"contact {who['fullname']}"
    amounts = [f"`{name}` {amount(order[name])}" for name in HEADER[:-1] if order.get(name)]
    amounts.append(f"**`totalamount` {amount(order['totalamount'])}**")
    rows = [[named(joined, one), *(short(one.get(name)) for name in COLUMNS)] for one in order["order_details"]]
    table = ["line", *(f"`{name}`" for name in COLUMNS)]
    lines = [table, ["---", *("---:" for _ in COLUMNS)], *rows]
    words = f"In the ERP: {said}, billed to {order['billto_contactname']}; {', '.join(amounts)}\n\n"
    return words + "\n".join(f"| {' | '.join(one)} |" for one in lines) + "\n"


def named(joined: Joined, row: dict[str, Any]) -> str:
    return joined.product_number(row.get("productid")) or f"written in: {row['productdescription']}"


def short(value: Any) -> str:
    return "" if not value else f"{Decimal(value).normalize():f}"


INTRODUCTION = """# Exact: each case and its rows

What an order of each kind becomes in Dynamics 365 with the default flow. Each section is made by the project's own
sandboxes; a test fails where this page and they differ. Amounts are in the order's currency. In the ERP a line comes to
`extendedamount` = `priceperunit` x `quantity`, rounded to the currency, - `manualdiscountamount` + `tax`; the order to
the sum of its lines + `freightamount` - `discountamount`.

`make run` carries orders of all these kinds, and more.
"""


def page() -> str:
    return INTRODUCTION + "\n" + "\n".join(rendered(one) for one in CASES)


if __name__ == "__main__":
    print(page(), end="")
