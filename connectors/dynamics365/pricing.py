"""What the platform's own price engine makes of an order, by its documented formulas."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from connectors.base import Record

ZERO = Decimal(0)
QUANTITY_PLACES = 5
# The default context would round a price of 19 digits times a quantity of 16.
DIGITS = 100


@dataclass(frozen=True)
class Precision:
    """Decimal places: of unit prices (the organization's) and of amounts (the currency's)."""

    prices: int
    amounts: int


def order_total(record: Record, precision: Precision, list_price: Callable[[Record], Decimal | None]) -> Decimal:
    """The total of an order with its tax. A catalogue line whose price is not overridden takes `list_price`.

    amount of a line = price x quantity; total of lines = sum(amount - line discount); discount = order discount +
    its percentage of the lines; total = lines - discount + freight + sum(tax).
    """
    with localcontext(prec=DIGITS):
        return _total(record, precision, list_price)


def _total(record: Record, precision: Precision, list_price: Callable[[Record], Decimal | None]) -> Decimal:
    lines = record.get("order_details") or []
    net = sum((_line(line, precision, list_price) for line in lines), ZERO)
    tax = sum((_amount(line, "tax", precision) for line in lines), ZERO)
    percent = Decimal(record.get("discountpercentage") or 0)
    discount = _amount(record, "discountamount", precision) + rounded(net * percent / 100, precision.amounts)
    return rounded(net - discount + _amount(record, "freightamount", precision) + tax, precision.amounts)


def _line(line: Record, precision: Precision, list_price: Callable[[Record], Decimal | None]) -> Decimal:
    price: Any = line.get("priceperunit")
    if line.get("productid") and not line.get("ispriceoverridden"):
        price = list_price(line)
    amount = rounded(Decimal(price or 0), precision.prices) * rounded(
        Decimal(line.get("quantity") or 0), QUANTITY_PLACES
    )
    return rounded(amount, precision.amounts) - _amount(line, "manualdiscountamount", precision)


def _amount(record: Record, name: str, precision: Precision) -> Decimal:
    return rounded(Decimal(record.get(name) or 0), precision.amounts)


def rounded(value: Decimal, places: int) -> Decimal:
    """Halves away from zero."""
    with localcontext(prec=DIGITS):
        return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
