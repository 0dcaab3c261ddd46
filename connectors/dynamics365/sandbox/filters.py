"""`$filter`: text becomes a function that says whether a row is in."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import query_error, unknown_column
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import CHOICES, Column, Table

Predicate = Callable[[Row], bool]
TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<list>\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\])"
    r"|(?P<name>[A-Za-z_][\w.]*(?:/[\w.]+)*)"
    r"|(?P<mark>[(),=]))"
)
TEXT_TESTS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
NUMBERS = ("Integer", "BigInt", "Decimal", "Money", *CHOICES)
MEMBER_TESTS = {"Microsoft.Dynamics.CRM.In": True, "Microsoft.Dynamics.CRM.NotIn": False}
LIKE_SPECIAL = re.compile(r"\[[^\]]+\]|.", re.DOTALL)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str


@dataclass(frozen=True)
class Operand:
    """`path` is the property as written, `column` the last column of it."""

    path: str
    column: Column
    read: Callable[[Row], Any]


class Filter:
    """One recursive descent over one text. Raises Refused (400) for whatever the service does not understand."""

    def __init__(self, environment: Environment, table: Table, text: str) -> None:
        self._environment, self._table, self._text = environment, table, text
        self._tokens = tokens(text)
        self._at = 0
        self.equals: list[tuple[Column, str]] = []

    def parse(self) -> Predicate:
        """Afterwards `equals` holds the texts and ids that every row that is in must have in these columns."""
        found = self._either()
        if self._at != len(self._tokens):
            raise syntax_error(self._text, self._tokens[self._at].text)
        return found

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _next(self, expected: str = "") -> Token:
        if self._at >= len(self._tokens) or (expected and self._peek() != expected):
            raise syntax_error(self._text, self._peek())
        self._at += 1
        return self._tokens[self._at - 1]

    def _either(self) -> Predicate:
        mark = len(self.equals)
        parts = [self._both()]
        while self._peek() == "or":
            self._next()
            parts.append(self._both())
        if len(parts) == 1:
            return parts[0]
        del self.equals[mark:]
        return lambda row: any(part(row) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._one()]
        while self._peek() == "and":
            self._next()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _one(self) -> Predicate:
        if self._peek() == "not":
            self._next()
            mark = len(self.equals)
            inner = self._one()
            del self.equals[mark:]
            return lambda row: not inner(row)
        if self._peek() == "(":
            self._next()
            inner = self._either()
            self._next(")")
            return inner
        token = self._next()
        if token.kind != "name":
            raise syntax_error(self._text, token.text)
        if self._peek() == "(":
            return self._function(token.text)
        return self._comparison(self._operand(token.text))

    def _operand(self, path: str) -> Operand:
        """A column of the table, or of a record that one of its lookups names."""
        first, _, rest = path.partition("/")
        if not rest:
            column = self._column(self._table, path)
            return Operand(path, column, lambda row: row.get(column.name))
        if first not in self._table.navigations or "/" in rest:
            raise unknown_column(first, self._table.name)
        lookup, target = self._table.navigations[first]
        column = self._column(self._environment.tables[target], rest)

        def read(row: Row) -> Any:
            reference = row.get(lookup.name)
            found = self._environment.store.get(*reference) if reference and reference[0] == target else None
            return found.get(column.name) if found else None

        return Operand(path, column, read)

    def _column(self, table: Table, name: str) -> Column:
        if name not in table.by_property:
            raise unknown_column(name, table.name)
        return table.by_property[name]

    def _comparison(self, operand: Operand) -> Predicate:
        if self._peek() not in OPERATORS:
            if operand.column.type == "Boolean":
                return lambda row: bool(operand.read(row))
            raise syntax_error(self._text, self._peek())
        operator = self._next().text
        wanted = literal(operand, self._next(), operator)
        test, column = OPERATORS[operator], operand.column
        if operator == "eq" and isinstance(wanted, str) and "/" not in operand.path and column.type != "DateTime":
            self.equals.append((column, wanted))

        def compare(row: Row) -> bool:
            value = comparable(column, operand.read(row))
            if value is None or wanted is None:
                return {"eq": value is wanted, "ne": value is not wanted}.get(operator, False)
            return bool(test(value, wanted))

        return compare

    def _function(self, name: str) -> Predicate:
        self._next("(")
        if name in TEXT_TESTS:
            operand = self._operand(self._next().text)
            self._next(",")
            wanted = self._next()
            self._next(")")
            if operand.column.type not in ("String", "Memo") or wanted.kind != "text":
                raise query_error(f"No function signature for the function with name '{name}' matches the arguments.")
            pattern = like(TEXT_TESTS[name].format(unquoted(wanted.text)))
            return lambda row: bool(pattern.fullmatch(operand.read(row) or ""))
        if name in MEMBER_TESTS:
            return self._in(MEMBER_TESTS[name])
        raise query_error(f"An unknown function with name '{name}' was found.")

    def _in(self, inside: bool) -> Predicate:
        """In and NotIn; a null is neither in nor outside, as in SQL."""
        given: dict[str, str] = {}
        while self._peek() != ")":
            parameter = self._next().text
            self._next("=")
            given[parameter] = self._next().text
            if self._peek() == ",":
                self._next()
        self._next(")")
        try:
            values = json.loads(given["PropertyValues"])
            operand = self._operand(unquoted(given["PropertyName"]))
        except (KeyError, ValueError) as error:
            raise syntax_error(self._text, "Microsoft.Dynamics.CRM.In") from error
        wanted = [literal(operand, Token("listed", str(one)), "in") for one in values]

        def member(row: Row) -> bool:
            value = comparable(operand.column, operand.read(row))
            return value is not None and (value in wanted) is inside

        return member


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


def tokens(text: str) -> list[Token]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        matched = TOKEN.match(text, at)
        if not matched or not matched.lastgroup:
            raise syntax_error(text, text[at:])
        found.append(Token(matched.lastgroup, matched[matched.lastgroup]))
        at = matched.end()
    return found


def syntax_error(text: str, near: str) -> Exception:
    return query_error(f"Syntax error in '{text}' near '{near}'.")


def unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


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
