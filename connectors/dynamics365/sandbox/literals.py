"""What a filter compares: columns as they are read, and literals in the form that they are compared in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.dynamics365.sandbox.errors import query_error
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import CHOICES, Column
from connectors.dynamics365.sandbox.tokens import Token, unquoted

NUMBERS = ("Integer", "BigInt", "Decimal", "Money", *CHOICES)
LIKE_SPECIAL = re.compile(r"\[[^\]]+\]|.", re.DOTALL)


@dataclass(frozen=True)
class Operand:
    """`path` is the property as written, `column` the last column of it."""

    path: str
    column: Column
    read: Callable[[Row], Any]


def comparable(column: Column, value: Any) -> Any:
    """A stored value as it is compared: text without case, lookups by id, moments as moments."""
    if isinstance(value, tuple):
        return value[1]
    if isinstance(value, str):
        is_moment = column.type == "DateTime" and column.date_format != "date"
        return datetime.fromisoformat(value) if is_moment else value.casefold()
    return value


def literal(operand: Operand, token: Token, operator: str) -> Any:
    """The literal in the form that `comparable` gives to this column's values. Raises Refused where it cannot be.
    Values in a list are all written as text."""
    kind, column = token.kind, operand.column
    text = token.text if kind == "listed" else unquoted(token.text)
    if (kind, text) == ("name", "null"):
        return None
    if column.type == "Boolean" and kind in ("name", "listed") and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if (column.is_lookup or column.type == "Uniqueidentifier") and re.fullmatch(r"[0-9a-fA-F-]{36}", text):
        return text.lower()
    if column.type in ("String", "Memo") and kind in ("text", "listed"):
        return text.casefold()
    if column.type == "DateTime" and kind in ("time", "text", "listed"):
        return moment(column, text, operand)
    if column.type in NUMBERS and kind in ("number", "listed"):
        try:
            return Decimal(text)
        except ArithmeticError as error:
            raise incompatible(operand, operator, text) from error
    raise incompatible(operand, operator, text)


def moment(column: Column, text: str, operand: Operand) -> str | datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise incompatible(operand, "eq", text) from error
    if column.date_format == "date":
        return text[:10]
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def incompatible(operand: Operand, operator: str, text: str) -> Exception:
    return query_error(
        f"A binary operator with incompatible types was detected: '{operand.path}' is of the type "
        f"'{operand.column.type}', and '{text}' is not (operator '{operator}')."
    )


def like(pattern: str) -> re.Pattern[str]:
    """SQL's LIKE without regard to case: `%` any text, `_` any character, `[ab]` one of them."""
    parts = []
    for piece in LIKE_SPECIAL.findall(pattern):
        if piece == "%":
            parts.append(".*")
        elif piece == "_":
            parts.append(".")
        elif len(piece) > 1:
            parts.append("[" + re.escape(piece[1:-1]).replace(r"\-", "-").replace(r"\^", "^") + "]")
        else:
            parts.append(re.escape(piece))
    try:
        return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise query_error(f"The pattern '{pattern}' cannot be read.") from error
