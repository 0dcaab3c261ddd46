"""What a customer buys: the input of the checkout."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.prestashop.sandbox.pricing import ZERO, Discount

# The shop's payment modules, by the name that customers read.
MODULES = {
    "ps_wirepayment": "Wire payment",
    "ps_checkpayment": "Payments by check",
    "ps_cashondelivery": "Cash on delivery (COD)",
}


@dataclass(frozen=True)
class Line:
    """One row of a purchase. Without a price it is the catalogue's in the order's currency; without tax rates they
    follow from the product's tax rules and the delivery address."""

    product_id: int
    attribute_id: int = 0
    quantity: int = 1
    unit_price_tax_excl: Decimal | None = None
    tax_rates: tuple[Decimal, ...] | None = None


@dataclass
class Purchase:
    """What a customer buys and how. Amounts before tax, in the order's currency; rates in percent. Addresses default to
    the customer's first one; `fields` are written over the finished order as they are."""

    lines: Sequence[Line | tuple[Any, ...]]
    customer: int = 1
    delivery_address: int = 0
    invoice_address: int = 0
    currency: str = "EUR"
    round_type: int = 2
    carrier: int = 3
    shipping_tax_excl: Decimal | None = None
    shipping_rate: Decimal | None = None
    wrapping_tax_excl: Decimal = ZERO
    wrapping_rate: Decimal = Decimal(20)
    discounts: Sequence[Discount] = ()
    gift_message: str | None = None
    state: int = 2
    module: str = "ps_wirepayment"
    payment: str = ""
    transaction_id: str = ""
    reference: str = ""
    note: str = ""
    message: str = ""
    language: int = 1
    id_cart: int = 0
    paid: Decimal | None = None
    fields: dict[str, str] = field(default_factory=dict)
