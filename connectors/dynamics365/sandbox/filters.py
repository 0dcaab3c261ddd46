"""`$filter`: text becomes a function that says whether a row is in."""

from collections.abc import Callable
from typing import Any

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import not_implemented, query_error, unknown_column
from connectors.dynamics365.sandbox.literals import Operand, comparable, incompatible, like, literal
from connectors.dynamics365.sandbox.query_functions import QUALIFIED, Asked, predicate
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Column, Table
from connectors.dynamics365.sandbox.tokens import Token, syntax_error, tokens, unquoted

Predicate = Callable[[Row], bool]
TEXT_TESTS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
LAMBDAS = ("any", "all")
WORDS = ("null", "true", "false")


class Filter:
    """One recursive descent over one text. Raises Refused (400) for whatever the service does not understand, and 501
    for what only this sandbox does not. Inside of any and all, `_table` is the table of the related rows and
    `_variable` what the text calls one of them."""

    def __init__(self, environment: Environment, table: Table, text: str) -> None:
        self._environment, self._table, self._text = environment, table, text
        self._tokens = tokens(text)
        self._at = 0
        self._variable = ""
        self.equals: list[tuple[Column, str]] = []

    def parse(self) -> Predicate:
        """Afterwards `equals` holds the texts and ids that every row that is in must have in these columns."""
        try:
            found = self._either()
        except RecursionError as error:
            raise query_error("The filter is nested too deep.") from error
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
        if self._peek() != "(":
            return self._comparison(self._operand(token.text))
        path, _, name = token.text.rpartition("/")
        if name in LAMBDAS and path:
            return self._lambda(self._without_variable(path), every=name == "all")
        return self._function(self._without_variable(token.text) if path else name)

    def _without_variable(self, path: str) -> str:
        """The path from the row that is looked at. Inside of any and all it begins with the name of that row."""
        if not self._variable:
            return path
        first, _, rest = path.partition("/")
        if first != self._variable or not rest:
            raise not_implemented(f"'{path}' inside of any or all, which does not begin with '{self._variable}/'")
        return rest

    def _lambda(self, collection: str, *, every: bool) -> Predicate:
        """`order_details/any(line:line/quantity gt 1)`; any without a condition asks whether there are rows at all."""
        table, variable, mark = self._table, self._variable, len(self.equals)
        if "/" in collection:
            raise not_implemented(f"any or all on '{collection}', a collection of a related record")
        if collection not in table.collections:
            raise unknown_column(collection, table.name)
        child, lookup = table.collections[collection]
        self._next("(")
        inner: Predicate = lambda row: True  # noqa: E731
        if every or self._peek() != ")":
            self._variable = self._next().text
            self._next(":")
            self._table = self._environment.tables[child]
            inner = self._either()
            self._table, self._variable = table, variable
            del self.equals[mark:]
        self._next(")")
        among = all if every else any

        def test(row: Row) -> bool:
            rows = self._environment.store.where(child, lookup, (table.name, row[table.id]))
            return among(inner(one) for one in rows)

        return test

    def _operand(self, written: str) -> Operand:
        """A column of the table, or of a record that one of its lookups names."""
        path = self._without_variable(written)
        first, _, rest = path.partition("/")
        if not rest:
            column = self._column(self._table, path)
            return Operand(path, column, lambda row: row.get(column.name))
        if first not in self._table.navigations:
            raise unknown_column(first, self._table.name)
        if "/" in rest:
            raise not_implemented(f"a filter on '{path}', more than one step away")
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
        operator, token = self._next().text, self._next()
        other = self._other(operand, operator, token)
        wanted = None if other else literal(operand, token, operator)
        test, column = OPERATORS[operator], operand.column
        if operator == "eq" and isinstance(wanted, str) and "/" not in operand.path and column.type != "DateTime":
            self.equals.append((column, wanted))

        def compare(row: Row) -> bool:
            value = comparable(column, operand.read(row))
            right = comparable(other.column, other.read(row)) if other else wanted
            if value is None or right is None:
                return {"eq": value is right, "ne": value is not right}.get(operator, False)
            return bool(test(value, right))

        return compare

    def _other(self, operand: Operand, operator: str, token: Token) -> Operand | None:
        """The column on the right side, where there is one: two columns of one type may be compared."""
        known = token.text.partition("/")[0] in (self._variable or None, *self._table.by_property)
        if token.kind != "name" or token.text in WORDS or not known:
            return None
        other = self._operand(token.text)
        if other.column.type != operand.column.type:
            raise incompatible(operand, operator, token.text)
        return other

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
        if not name.startswith(QUALIFIED):
            raise query_error(f"An unknown function with name '{name}' was found.")
        given: dict[str, str] = {}
        while self._peek() != ")":
            parameter = self._next().text
            self._next("=")
            given[parameter] = self._next().text
            if self._peek() == ",":
                self._next()
        self._next(")")
        return predicate(name.removeprefix(QUALIFIED), lambda: self._asked(name, given))

    def _asked(self, name: str, given: dict[str, str]) -> Asked:
        """PropertyName is the column's own name, also for a lookup, whose name on the wire is understood too."""
        if "PropertyName" not in given:
            raise syntax_error(self._text, name)
        written = unquoted(given["PropertyName"])
        if written in self._table.columns:
            written = self._table.columns[written].property_name
        column = self._column(self._table, written)
        return Asked(self._environment, Operand(written, column, lambda row: row.get(column.name)), given)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
