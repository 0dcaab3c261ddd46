"""When a rule, a row or a step applies: conditions as data over a record.

{"path": P, "equals": V}   {"path": P, "in": [...]}   {"path": P, "empty": true}
{"path": P, "more_than": N}   {"path": P, "less_than": N}
{"all": [...]}   {"any": [...]}   {"not": {...}}
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from mappings.paths import Scope
from mappings.problems import BadRule, BadValue

TESTS = ("equals", "in", "empty", "more_than", "less_than")
GROUPS = ("all", "any", "not")


@dataclass(frozen=True)
class Condition:
    """Either a test of the value at a path, or a group of conditions."""

    test: str
    path: str = ""
    value: Any = None
    parts: tuple["Condition", ...] = ()

    def holds(self, scope: Scope) -> bool:
        """Raises NoSuchPath, and BadValue where a number is asked of what is none."""
        if self.test == "all":
            return all(one.holds(scope) for one in self.parts)
        if self.test == "any":
            return any(one.holds(scope) for one in self.parts)
        if self.test == "not":
            return not self.parts[0].holds(scope)
        return self._test(scope.get(self.path))

    def _test(self, value: Any) -> bool:
        if self.test == "equals":
            return bool(value == self.value)
        if self.test == "in":
            return bool(value in self.value)
        if self.test == "empty":
            return bool((value in (None, "", [], {})) == self.value)
        if value is None:
            return False
        number = as_number(value)
        return number > as_number(self.value) if self.test == "more_than" else number < as_number(self.value)


def as_number(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise BadValue("is not a number", "Correct the value, or the rule that compares it.", value) from error


def read_condition(data: Any, place: str) -> Condition:
    """Raises BadRule."""
    if not isinstance(data, dict):
        raise BadRule(f"{place}: a condition must be an object, not {data!r}")
    names = set(data)
    for group in GROUPS:
        if names == {group}:
            parts = [data[group]] if group == "not" else data[group]
            if not isinstance(parts, list):
                raise BadRule(f"{place}: '{group}' takes a list of conditions")
            return Condition(group, parts=tuple(read_condition(one, place) for one in parts))
    test = next((one for one in TESTS if names == {"path", one}), None)
    if test is None:
        raise BadRule(
            f"{place}: a condition is a path with one of {', '.join(TESTS)}, or {', '.join(GROUPS)}; not {data}"
        )
    if test == "empty" and not isinstance(data["empty"], bool):
        raise BadRule(f"{place}: 'empty' is true or false")
    if test == "in" and not isinstance(data["in"], list):
        raise BadRule(f"{place}: 'in' takes a list")
    return Condition(test, str(data["path"]), data[test])
