"""Lines that are sent, compared with those that stand there: in the decimals that the system keeps."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from connectors.base import Field, Record
from connectors.dynamics365.entities import Table
from connectors.dynamics365.pricing import ZERO, rounded
from connectors.dynamics365.wire import same_value

PRICE = "priceperunit"


def differing(lines: Table, sent: Record, there: Record, names: Iterable[str], amounts: int | None) -> list[str]:
    """Those of the names whose values differ. `amounts` are the decimals of the order's currency, None where they are
    unknown. The price of a line that follows the list is the list's, whatever was sent."""
    from_list = sent.get("productid") and not sent.get("ispriceoverridden")
    found = []
    for name in names:
        field = lines.entity.field(name)
        if name == PRICE and from_list:
            continue
        if field is None or not same_value(field, kept(field, sent.get(name), amounts), kept(field, there.get(name))):
            found.append(name)
    return found


def kept(field: Field, value: Any, amounts: int | None = None) -> Any:
    """The value as the system keeps it; an amount that is not there counts as none."""
    if value is None and field.type == "money":
        return ZERO
    places = amounts if field.places is None and field.type == "money" else field.places
    if isinstance(value, Decimal) and value.is_finite() and places is not None:
        return rounded(value, places)
    return value
