"""JSON with exact numbers: an amount is never a float, neither on the way out nor on the way in."""

import json
from decimal import Decimal
from typing import Any


def dumps(value: Any) -> bytes:
    """`value` of dict, list, str, int, bool, None and finite Decimal; TypeError for anything else, floats too."""
    return _text(value).encode("ascii")


def loads(text: bytes) -> Any:
    """Numbers with a fraction or an exponent become Decimal. Raises ValueError for what is not JSON, NaN too."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("JSON that is nested too deep") from error


def _text(value: Any) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if value is None or isinstance(value, str | bool | int):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{','.join(_text(one) for one in value)}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_text(one)}" for name, one in value.items()) + "}"
    raise TypeError(f"{value!r} cannot be sent as JSON")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
