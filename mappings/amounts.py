"""Transforms of amounts. All are Decimal; every rounding is half up (away from zero at the half) and asked for."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from mappings.problems import BadValue

EACH_ITEM = 1
LARGEST = Decimal(10) ** 15  # beyond it ten places no longer fit into Decimal's 28 digits


def as_amount(value: Any) -> Decimal:
    """Raises BadValue for what is no finite number."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise BadValue("is not a number", "Correct the amount in the shop.", value)
    return amount


def quantized(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def rounded(value: Any, places: Any) -> Decimal | None:
    return None if value is None else quantized(as_amount(value), int(places))


def subtract(value: Any, amount: Any, places: Any = None) -> Decimal:
    """The value minus the amount; with `places` both are rounded first, as they stand on paper."""
    left, right = as_amount(value or 0), as_amount(amount or 0)
    return left - right if places is None else quantized(left, int(places)) - quantized(right, int(places))


def unit_price(
    value: Any, total: Any, quantity: Any, places: Any, price_places: Any = None, rounding: Any = None
) -> Decimal:
    """The unit price (same currency and tax as `total`) that gives the line's amount when multiplied.

    A shop that rounds each item (`rounding` 1) has rounded the unit price before it multiplied, so that price is tried
    first; one that rounds lines or totals has not, and there the price as it is comes first. Then comes the line's
    amount divided by the quantity. Each is taken at the `price_places` that the target keeps. Where none gives the
    amount rounded to the currency's `places`, the price is rounded up, and `line_discount` is what the line then has
    too much.
    """
    shop, line, pieces = as_amount(value), as_amount(total), as_amount(quantity)
    if pieces == 0:
        raise BadValue("belongs to a quantity of 0", "Remove the line from the order, or correct its quantity.", value)
    kept = 10 if price_places is None else int(price_places)
    wanted = quantized(line, int(places))
    shown = [shop, quantized(shop, int(places))]
    candidates = [*(reversed(shown) if rounding == EACH_ITEM else shown), line / pieces]
    prices = [quantized(one, kept) for one in candidates]
    exact = [one for one in prices if quantized(one * pieces, int(places)) == wanted]
    return plain(exact[0] if exact else (wanted / pieces).quantize(Decimal(1).scaleb(-kept), rounding=ROUND_CEILING))


def line_discount(
    value: Any, total: Any, quantity: Any, places: Any, price_places: Any = None, rounding: Any = None
) -> Decimal | None:
    """What `unit_price` times the quantity exceeds the line's amount by; None where it fits."""
    price = unit_price(value, total, quantity, places, price_places, rounding)
    surplus = quantized(price * as_amount(quantity), int(places)) - quantized(as_amount(total), int(places))
    return surplus or None


def plain(amount: Decimal) -> Decimal:
    """Without zeros at the end and without an exponent: 21.0320000000 is 21.032, 1E+3 is 1000."""
    short = amount.normalize() + 0  # which makes -0 a 0
    return short.quantize(Decimal(1)) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]


def total_of(paths_and_values: list[tuple[str, Any]]) -> Decimal:
    """The sum of values; a list counts all of its values, and a path that starts with a minus is taken away."""
    result = Decimal(0)
    for path, value in paths_and_values:
        values = value if isinstance(value, list) else [value]
        part = sum((as_amount(one) for one in values if one is not None), Decimal(0))
        result += -part if path.startswith("-") else part
    return result
