"""From the shop's text to plain values. Whatever cannot be read names its path: `orders/44 total_paid`."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base import Field, Value
from connectors.errors import NeedsPerson

NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})(E[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
# The second is what PHP makes of the first.
ZERO_DATES = ("0000-00-00", "-0001-11-30")
WIRE_MOMENT = "%Y-%m-%d %H:%M:%S"


def value_of(text: Any, field: Field, path: str, zone: ZoneInfo) -> Value:
    """The value of one field, by the field's type. `path` names record and field in the message. Empty text is None,
    and so are a zero date and a reference to record 0. Raises NeedsPerson naming the path."""
    if isinstance(text, dict):
        raise _unreadable(path, "several languages", "a single value")
    text = (text or "").strip()
    if field.type in ("integer", "reference"):
        whole = integer(text, path)
        return None if field.type == "reference" and not whole else whole
    if field.type in ("money", "decimal"):
        return number(text, path)
    if field.type == "boolean":
        return flag(text, path)
    if field.type == "date":
        return day(text, path)
    if field.type == "datetime":
        return moment(text, path, zone)
    return str(text)


def number(text: str, path: str) -> Decimal | None:
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise _unreadable(path, repr(text), "a number")
    value = Decimal(text)
    # PHP writes small numbers as 1.0E-6.
    return Decimal(f"{value:f}") if "e" in text.lower() else value


def integer(text: str, path: str) -> int | None:
    value = number(text, path)
    if value is None:
        return None
    if value != value.to_integral_value():
        raise _unreadable(path, repr(text), "a whole number")
    return int(value)


def flag(text: str, path: str) -> bool:
    if text not in ("", "0", "1"):
        raise _unreadable(path, repr(text), "yes (1) or no (0)")
    return text == "1"


def day(text: str, path: str) -> date | None:
    if not text or text.startswith(ZERO_DATES):
        return None
    try:
        return datetime.strptime(text.removesuffix(" 00:00:00"), "%Y-%m-%d").date()  # noqa: DTZ007  a day has no zone
    except ValueError as error:
        raise _unreadable(path, repr(text), "a date") from error


def moment(text: str, path: str, zone: ZoneInfo) -> datetime | None:
    """The shop's wall clock as aware UTC; of the two moments that a clock put forward or back leaves open, the earlier,
    so that a feed which goes on from it leaves nothing out."""
    if not text or text.startswith(ZERO_DATES):
        return None
    try:
        local = datetime.strptime(text, WIRE_MOMENT).replace(tzinfo=zone)
        return min(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError) as error:
        raise _unreadable(path, repr(text), "a date and time") from error


def wall_clock(at: datetime, zone: ZoneInfo) -> datetime:
    """What the shop's clock shows at an aware time; naive."""
    return at.astimezone(zone).replace(tzinfo=None, microsecond=0)


def clock_goes_back_soon(at: datetime, zone: ZoneInfo) -> timedelta:
    """By how much the shop's clock is put back within three hours of `at`; zero where it is not. Clocks go back by an
    hour at most, so whatever is further away cannot show a time before that of `at`."""
    before = at.astimezone(zone).utcoffset() or timedelta(0)
    after = (at + timedelta(hours=3)).astimezone(zone).utcoffset() or timedelta(0)
    return max(before - after, timedelta(0))


def language_text(text: Any, language: str, default: str) -> str:
    """An i18n field in one language, else in the shop's default language, else in the first that has one."""
    if not isinstance(text, dict):
        return (text or "").strip()
    return text.get(language) or text.get(default) or next((one for one in text.values() if one), "")


def _unreadable(path: str, text: str, wanted: str) -> NeedsPerson:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return NeedsPerson(
        f"{path}: {shown} is not {wanted}.",
        "Correct this field in the shop's back office, or ask whoever made the module that wrote it.",
        field=path.rpartition(" ")[2],
    )
