"""The webservice's filter expressions, for values of every kind."""

import re
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from connectors.base import Field, Value
from connectors.errors import NeedsPerson
from connectors.prestashop.values import WIRE_MOMENT, wall_clock


def equals(text: str) -> str:
    """The filter for exactly this text. Inside brackets | means or, and a comma a range; a text with brackets of its
    own can only be looked for by its longest harmless part, so whoever asks must compare what comes back.
    Raises NeedsPerson where no such part is left."""
    if not re.search(r"[\[\]|,]", text):
        return f"[{text}]"
    if not re.search(r"[\[\]]", text):
        return text
    part = max(re.split(r"[\[\]|,%_\\]", text), key=len)
    if not part:
        raise NeedsPerson(f"PrestaShop cannot search for {text!r}.", "Search by another field.")
    return f"%[{part}]%"


def can_be_listed(text: str) -> bool:
    """Whether a text may stand in `[a|b|c]`."""
    return bool(text) and not re.search(r"[\[\]|,]", text)


def wire(value: Value, field: Field, zone: ZoneInfo) -> str:
    """A value as the shop stores it. None is a zero reference, a zero date or an empty text."""
    if value is None:
        return {"reference": "0", "date": "0000-00-00", "datetime": "0000-00-00 00:00:00"}.get(field.type, "")
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return wall_clock(value, zone).strftime(WIRE_MOMENT)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | str):
        return str(value)
    raise NeedsPerson(f"PrestaShop cannot search {field.label.lower()} for a list or a record.")
