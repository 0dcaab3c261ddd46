"""How the shop computes an order: rows by its rounding type, vouchers spread over the rows, totals in the currency's
precision, halves up. Amounts are Decimal in the order's currency."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

ITEM, LINE, TOTAL = 1, 2, 3
ZERO = Decimal(0)


@dataclass(frozen=True)
class Amount:
    """An amount before and after tax."""

    excl: Decimal = ZERO
    incl: Decimal = ZERO

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.excl + other.excl, self.incl + other.incl)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.excl - other.excl, self.incl - other.incl)

    def times(self, factor: Decimal | int) -> "Amount":
        return Amount(self.excl * factor, self.incl * factor)

    def rounded(self, places: int) -> "Amount":
        return Amount(half_up(self.excl, places), half_up(self.incl, places))


@dataclass(frozen=True)
class Discount:
    """A voucher: a percentage of the products, an amount (in the order's currency, tax included or not), the shipping,
    or several of these. `cart_rule` is the id of the rule that it comes from."""

    name: str = "Voucher"
    percent: Decimal = ZERO
    amount: Decimal = ZERO
    tax_included: bool = True
    free_shipping: bool = False
    cart_rule: int = 1


@dataclass(frozen=True)
class Row:
    """One priced row: unit prices with 6 decimals, the total as the rounding type leaves it, and the exact amount that
    the order's total is summed from: that one is rounded only where each item is."""

    unit: Amount
    total: Amount
    exact: Amount


@dataclass(frozen=True)
class Priced:
    """A whole order. `discounts` holds what each voucher took, unrounded; `discount` their rounded sum."""

    rows: tuple[Row, ...]
    products: Amount
    shipping: Amount
    wrapping: Amount
    discounts: tuple[Amount, ...]
    discount: Amount
    paid: Amount = field(default=Amount())


def half_up(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def taxed(excl: Decimal, rates: Sequence[Decimal]) -> Amount:
    """The amount with these percentages of tax on top, each on the untaxed amount."""
    return Amount(excl, excl * (1 + sum(rates, ZERO) / 100))


def priced_row(unit_excl: Decimal, quantity: int, rates: Sequence[Decimal], round_type: int, places: int) -> Row:
    unit = taxed(half_up(unit_excl, 6), rates).rounded(6)
    exact = (unit.rounded(places) if round_type == ITEM else unit).times(quantity)
    return Row(unit, exact.rounded(places) if round_type == LINE else exact, exact)


def priced_order(
    rows: Sequence[Row], shipping: Amount, wrapping: Amount, discounts: Sequence[Discount], places: int
) -> Priced:
    """Vouchers apply one after another to what is left of each row. The shipping stays whole in its own total, and a
    voucher for it counts among the discounts. What is to pay is summed from exact rows, so that with rows rounded one
    by one it may miss the sum of the other totals by a few of the currency's smallest units, as it does in the shop."""
    shipping, wrapping = shipping.rounded(places), wrapping.rounded(places)
    products = sum((one.total for one in rows), Amount())
    left = [one.total for one in rows]
    postage = shipping
    taken = []
    for discount in discounts:
        taken_here = Amount()
        for share in _shares(discount, left):
            taken_here += share
        left = [one - share for one, share in zip(left, _shares(discount, left), strict=True)]
        if discount.free_shipping:
            taken_here, postage = taken_here + postage, Amount()
        taken.append(taken_here)
    discount_total = sum(taken, Amount()).rounded(places)
    exact = sum((one.exact for one in rows), Amount())
    paid = (exact - discount_total + shipping + wrapping).rounded(places)
    return Priced(
        tuple(rows),
        products.rounded(places),
        shipping,
        wrapping,
        tuple(taken),
        discount_total,
        Amount(max(paid.excl, ZERO), max(paid.incl, ZERO)),
    )


def _shares(discount: Discount, rows: Sequence[Amount]) -> list[Amount]:
    """What a voucher takes of each row: the percentage, or a part of the amount by the row's weight, with the row's
    own tax."""
    if discount.percent:
        return [one.times(discount.percent / 100) for one in rows]
    whole = sum(rows, Amount())
    base = whole.incl if discount.tax_included else whole.excl
    amount = min(discount.amount, base)
    if not base or not amount:
        return [Amount() for _ in rows]
    if discount.tax_included:
        parts = [amount * one.incl / base for one in rows]
        return [
            Amount(part * one.excl / one.incl if one.incl else ZERO, part)
            for one, part in zip(rows, parts, strict=True)
        ]
    parts = [amount * one.excl / base for one in rows]
    return [
        Amount(part, part * one.incl / one.excl if one.excl else ZERO) for one, part in zip(rows, parts, strict=True)
    ]
