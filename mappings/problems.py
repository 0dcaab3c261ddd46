"""What is wrong with a record on its way through a mapping: all of it at once, each with its remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MappingProblem:
    """`path` is where the value came from in the source record, `target` the field that it was meant for. `table` is
    the lookup table that does not know the value."""

    path: str
    value: Any
    what: str
    remedy: str
    target: str = ""
    table: str = ""

    def __str__(self) -> str:
        where = f"{self.path} -> {self.target}" if self.path and self.target else self.path or self.target
        return f"{where}: {self.what} (value: {shown(self.value)}). {self.remedy}"


class MappingProblems(Exception):
    """Raised once a record has been mapped and checked as a whole."""

    def __init__(self, problems: Iterable[MappingProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(one) for one in self.problems))


class BadValue(Exception):
    """Raised by a transform: `what` is wrong with its value, and what to do about it. `table` is the lookup table that
    does not know it."""

    def __init__(self, what: str, remedy: str, value: Any = None, table: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.value = value
        self.table = table


class BadRule(Exception):
    """A rule that cannot be read: names the place in the mapping and the fault."""


def shown(value: Any, longest: int = 80) -> str:
    """A value as an operator reads it in a message."""
    if value is None or value == "":
        return "empty"
    text = str(value)
    return repr(text if len(text) <= longest else text[: longest - 1] + "…")
