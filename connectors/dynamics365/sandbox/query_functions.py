"""Microsoft's own functions in a `$filter`: `Microsoft.Dynamics.CRM.In(PropertyName='…',PropertyValues=[…])` and its
kin. Those that are documented and not spoken here are answered 501, never as if they did not exist."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import not_implemented, query_error
from connectors.dynamics365.sandbox.literals import Operand, comparable, literal
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tokens import Token, unquoted

QUALIFIED = "Microsoft.Dynamics.CRM."
UNITS = {"Minutes": timedelta(minutes=1), "Hours": timedelta(hours=1), "Days": timedelta(days=1)}
# The documented functions of the query function reference that are left out.
UNSPOKEN = {
    *(
        "Above",
        "AboveOrEqual",
        "Under",
        "UnderOrEqual",
        "NotUnder",
        "Contains",
        "ContainValues",
        "DoesNotContainValues",
    ),
    *("EqualBusinessId", "EqualUserLanguage", "EqualUserOrUserHierarchy", "EqualUserOrUserHierarchyAndTeams"),
    *("EqualUserOrUserTeams", "EqualUserTeams", "NotEqualBusinessId", "EqualRoleBusinessId", "On", "NotOn"),
    *("OnOrAfter", "OnOrBefore", "Today", "Tomorrow", "Yesterday", "Last7Days", "Next7Days"),
    *(f"{which}{unit}" for which in ("Last", "Next", "This") for unit in ("Week", "Month", "Year", "FiscalPeriod")),
    *(f"{which}FiscalYear" for which in ("Last", "Next", "This")),
    *(f"{which}X{unit}" for which in ("Last", "Next", "OlderThan") for unit in ("Weeks", "Months", "Years")),
    *("LastXFiscalPeriods", "LastXFiscalYears", "NextXFiscalPeriods", "NextXFiscalYears"),
    *("InFiscalPeriod", "InFiscalPeriodAndYear", "InFiscalYear", "InOrAfterFiscalPeriodAndYear"),
    "InOrBeforeFiscalPeriodAndYear",
}


@dataclass(frozen=True)
class Asked:
    """One call of a function: the column, and the parameters by name as they were written."""

    environment: Environment
    operand: Operand
    given: dict[str, str]

    def value(self, row: Row) -> Any:
        return comparable(self.operand.column, self.operand.read(row))

    def listed(self) -> list[Any]:
        """Raises Refused where PropertyValues is no list of values of the column's type."""
        text = self.given.get("PropertyValues", "")
        try:
            # The documented form is JSON; texts in single quotes are understood too.
            values = json.loads(text if '"' in text else text.replace("'", '"'))
        except ValueError as error:
            raise query_error(f"The list PropertyValues={text} cannot be read.") from error
        return [literal(self.operand, Token("listed", str(one)), "in") for one in values]

    def count(self) -> int:
        text = unquoted(self.given.get("PropertyValue", ""))
        if not (text.isascii() and text.isdigit()):
            raise query_error(f"The parameter PropertyValue={text} is not a whole number.")
        return int(text)


Predicate = Callable[[Row], bool]


def predicate(name: str, asked: Callable[[], Asked]) -> Predicate:
    """`asked` reads the parameters. Raises Refused: 501 for documented functions that are not spoken here, 400 for
    names that nobody documents."""
    if name in SPOKEN:
        return SPOKEN[name](asked())
    if name in UNSPOKEN:
        raise not_implemented(f"the query function {QUALIFIED}{name}")
    raise query_error(f"An unknown function with name '{QUALIFIED}{name}' was found.")


def member(inside: bool) -> Callable[[Asked], Predicate]:
    """A null is neither in nor outside of a list, as in SQL."""

    def build(asked: Asked) -> Predicate:
        wanted = asked.listed()
        return lambda row: (value := asked.value(row)) is not None and (value in wanted) is inside

    return build


def between(inside: bool) -> Callable[[Asked], Predicate]:
    def build(asked: Asked) -> Predicate:
        bounds = asked.listed()
        if len(bounds) != 2 or None in bounds:
            raise query_error("Between needs two values in PropertyValues.")
        low, high = bounds
        return lambda row: (value := asked.value(row)) is not None and (low <= value <= high) is inside

    return build


def near_now(before: bool, unit: str) -> Callable[[Asked], Predicate]:
    """LastX… and NextX…: from now to that many units away, both ends included."""

    def build(asked: Asked) -> Predicate:
        now, span = timed(asked, unit)
        low, high = (now - span, now) if before else (now, now + span)
        return lambda row: (value := asked.value(row)) is not None and low <= value <= high

    return build


def older_than(unit: str) -> Callable[[Asked], Predicate]:
    def build(asked: Asked) -> Predicate:
        now, span = timed(asked, unit)
        return lambda row: (value := asked.value(row)) is not None and value < now - span

    return build


def timed(asked: Asked, unit: str) -> tuple[datetime, timedelta]:
    """Now, and as many units as were asked for. Raises Refused for columns that hold no moments, or too many units."""
    column = asked.operand.column
    if column.type != "DateTime":
        raise query_error(f"The column '{asked.operand.path}' of the type '{column.type}' holds no date.")
    if column.date_format == "date":
        raise not_implemented("a span of time from now on a column that holds only dates")
    now = asked.environment.clock()
    try:
        span = asked.count() * UNITS[unit]
        _ = now - span, now + span
    except OverflowError as error:
        raise query_error(f"The parameter PropertyValue={asked.given['PropertyValue']} is too large.") from error
    return now, span


def is_caller(inside: bool) -> Callable[[Asked], Predicate]:
    def build(asked: Asked) -> Predicate:
        return lambda row: (asked.value(row) == asked.environment.user) is inside

    return build


SPOKEN: dict[str, Callable[[Asked], Predicate]] = {
    "In": member(True),
    "NotIn": member(False),
    "Between": between(True),
    "NotBetween": between(False),
    "EqualUserId": is_caller(True),
    "NotEqualUserId": is_caller(False),
    **{f"LastX{unit}": near_now(True, unit) for unit in ("Hours", "Days")},
    **{f"NextX{unit}": near_now(False, unit) for unit in ("Hours", "Days")},
    **{f"OlderThanX{unit}": older_than(unit) for unit in UNITS},
}
