"""Records as text and back without loss, always the same text for the same record."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

# What JSON has no type for is an object of one name that begins with "="; a record's own such name gets a second "=".
MARK = "="
READ: dict[str, Callable[[str], Any]] = {
    "=decimal": Decimal,
    "=date": date.fromisoformat,
    "=datetime": datetime.fromisoformat,
}


def to_json(value: Any) -> str:
    """The canonical text of what a record may hold: str, int, Decimal, bool, date, aware datetime, None, list, and
    dict with text for names. Raises TypeError and ValueError for anything else, naive times among them."""
    count = 0

    def default(one: Any) -> dict[str, str]:
        nonlocal count
        count += 1
        return marked(one)

    text = _text(value, default)
    if text.count(f'"{MARK}') != count:  # perhaps only a text that begins like this, but then nothing is lost either
        text = _text(_escaped(value), marked)
    return text


def _text(value: Any, default: Callable[[Any], Any]) -> str:
    options: Any = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False, "allow_nan": False}
    return json.dumps(value, default=default, **options)


def marked(value: Any) -> dict[str, str]:
    """What JSON has no type for, as an object of one name. Raises TypeError and ValueError."""
    if isinstance(value, Decimal):
        return {"=decimal": str(value)}
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return {"=datetime": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"=date": value.isoformat()}
    raise TypeError(f"a record cannot hold {type(value).__name__}")


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {MARK + name if str(name).startswith(MARK) else name: _escaped(one) for name, one in value.items()}
    return [_escaped(one) for one in value] if isinstance(value, list | tuple) else value


def from_json(text: str) -> Any:
    """What `to_json` was given. Raises ValueError for any other text."""
    return json.loads(text, object_hook=read_marked)


def read_marked(found: dict[str, Any]) -> Any:
    """What such an object stands for; any other as it is. Raises ValueError."""
    if len(found) == 1:
        ((name, value),) = found.items()
        if name in READ:
            try:
                return READ[name](value)
            except (TypeError, ArithmeticError) as error:
                raise ValueError(f"{value!r} is no {name[1:]}") from error
    if any(name.startswith(MARK) for name in found):
        return {name.removeprefix(MARK): value for name, value in found.items()}
    return found


def packed(value: Any) -> Any:
    """The same as a JSON column keeps it: what JSON has no type for is marked."""
    return json.loads(to_json(value))


def unpacked(value: Any) -> Any:
    """What `packed` was given."""
    return from_json(json.dumps(value))


def digest(value: Any) -> str:
    """The SHA-256 of the canonical text in hex. 1.2 and 1.20 are two values."""
    return hashlib.sha256(to_json(value).encode(errors="surrogatepass")).hexdigest()
