"""Transforms of text and dates."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from mappings.problems import BadValue

PLACE = re.compile(r"\{([^{}]+)\}")


def fill(text: str, get: Callable[[str], Any]) -> tuple[str, bool]:
    """The text with `{path}` replaced by its value, and whether any of its places had one (or it has none)."""
    values = {path: get(path) for path in PLACE.findall(text)}
    complete = not values or any(value not in (None, "") for value in values.values())
    return PLACE.sub(lambda found: words(values[found[1]]), text), complete


def words(value: Any) -> str:
    """A value as text: empty for none, lists joined by commas."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(words(one) for one in value if one not in (None, ""))
    return str(value)


def trim(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def compact(value: Any) -> Any:
    return "".join(one for one in value if one.isalnum()) if isinstance(value, str) else value


def with_digits(value: Any, count: int) -> Any:
    """Empty for a text with fewer digits: "none", "N/A" and "-" are no numbers of anything."""
    return value if sum(one.isdigit() for one in str(value or "")) >= count else None


def shorten(value: Any, length: int) -> Any:
    """Cuts a text to the length. What is cut is lost: for fields that only repeat what stands whole elsewhere."""
    return value[:length].rstrip() if isinstance(value, str) else value


def date_text(value: Any, format: str, zone: str = "UTC") -> Any:
    """A date or an aware time as text; a time is shown in the zone. Raises BadValue for anything else."""
    if value is None:
        return None
    if isinstance(value, datetime) and value.tzinfo:
        try:
            return value.astimezone(ZoneInfo(zone)).strftime(format)
        except (KeyError, ValueError, OSError) as error:
            raise BadValue(
                f"cannot be shown in the time zone {zone!r}", "Correct the zone in the rule.", value
            ) from error
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.strftime(format)
    raise BadValue("is not a date", "Correct the date in the shop, or the rule that reads it.", value)
