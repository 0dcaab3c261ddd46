"""The transforms that a rule may use, by the operator's name, each with its arguments and an example.

A transform is a function of the value so far, its arguments (paths already replaced by their values) and the context.
It raises BadValue with what is wrong and what to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mappings import amounts, texts
from mappings.paths import Scope
from mappings.problems import BadValue


@dataclass(frozen=True)
class LookupTable:
    """Their code to our code. Texts are compared without regard to case and surrounding blanks."""

    name: str
    label: str
    entries: Mapping[str, Any]

    @cached_property
    def _folded(self) -> dict[str, Any]:
        return {folded(theirs): ours for theirs, ours in [*self.entries.items()][::-1]}

    def find(self, code: Any) -> tuple[bool, Any]:
        wanted = folded(code)
        return wanted in self._folded, self._folded.get(wanted)


@dataclass(frozen=True)
class Context:
    """What a transform may look at besides its value."""

    scope: Scope
    tables: Mapping[str, LookupTable] = field(default_factory=dict)


Function = Callable[[Any, dict[str, Any], Context], Any]


@dataclass(frozen=True)
class Transform:
    name: str
    label: str
    function: Function
    example: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.required + self.optional


def folded(code: Any) -> str:
    return str(code).strip().casefold()


def constant(value: Any, arguments: dict[str, Any], context: Context) -> Any:
    return arguments["value"]


def first(value: Any, arguments: dict[str, Any], context: Context) -> Any:
    candidates = [value, *arguments["of"]]
    return next((one for one in candidates if one not in (None, "")), None)


def template(value: Any, arguments: dict[str, Any], context: Context) -> str:
    return texts.fill(str(arguments["text"]), context.scope.get)[0]


def lines(value: Any, arguments: dict[str, Any], context: Context) -> str | None:
    """Joins templates; one of whose places all are empty is left out, so that no label stands without its value."""
    filled = [texts.fill(str(one), context.scope.get) for one in arguments["parts"]]
    kept = [text for text, complete in filled if complete]
    return str(arguments.get("separator", "\n")).join(kept) or None


def add_line(value: Any, arguments: dict[str, Any], context: Context) -> str:
    """A second time it changes nothing."""
    text, _ = texts.fill(str(arguments["text"]), context.scope.get)
    standing = str(value or "").replace("\r\n", "\n")
    if text.strip() in [one.strip() for one in standing.split("\n")]:
        return standing
    return f"{standing.rstrip()}\n{text}" if standing.strip() else text


def lookup(value: Any, arguments: dict[str, Any], context: Context) -> Any:
    table = context.tables.get(arguments["table"])
    if table is None:
        raise BadValue(
            f"the lookup table {arguments['table']!r} does not exist", "Create the table or correct the rule.", value
        )
    if value in (None, ""):
        return arguments.get("default")
    known, ours = table.find(value)
    if known:
        return ours
    if "default" in arguments:
        return arguments["default"]
    if arguments.get("otherwise") == "keep":
        return value
    what, remedy = f"is not in the lookup table '{table.label}'", f"Add {value!r} to the table '{table.label}'."
    raise BadValue(what, remedy, value, table.name)


def _plain(function: Callable[..., Any]) -> Function:
    """For transforms that need their value and arguments alone."""
    return lambda value, arguments, context: function(value, **arguments)


LISTED = (
    Transform("constant", "Always this value", constant, "constant 5 -> 5", ("value",)),
    Transform("first", "First that is not empty", first, "'' , 'B' -> B", ("of",)),
    Transform("template", "Text with fields in it", template, "PS-{id} -> PS-44", ("text",)),
    Transform("lines", "Lines of text, empty ones left out", lines, "Paid by {payment}", ("parts",), ("separator",)),
    Transform("add line", "With one more line, once", add_line, "'Ring twice' and 'In the ERP: PS-44'", ("text",)),
    Transform("lookup", "Look up in a table", lookup, "FR -> France", ("table",), ("default", "otherwise")),
    Transform("trim", "Without blanks at the ends", _plain(texts.trim), "' a ' -> a"),
    Transform("upper case", "Upper case", _plain(texts.upper), "fr -> FR"),
    Transform("lower case", "Lower case", _plain(texts.lower), "A@B -> a@b"),
    Transform("letters and digits", "Only letters and digits", _plain(texts.compact), "FR 12-3 -> FR123"),
    Transform("with digits", "Only what has enough digits", _plain(texts.with_digits), "N/A to 4 -> empty", ("count",)),
    Transform("shorten", "Cut to a length", _plain(texts.shorten), "abcdef to 3 -> abc", ("length",)),
    Transform("date", "Date as text", _plain(texts.date_text), "2026-11-21 06:20", ("format",), ("zone",)),
    Transform("round", "Round half up", _plain(amounts.rounded), "1.005 to 2 -> 1.01", ("places",)),
    Transform(
        "subtract", "Minus another amount", _plain(amounts.subtract), "12 minus 10 -> 2", ("amount",), ("places",)
    ),
    Transform(
        "unit price",
        "Unit price that gives the line's amount",
        _plain(amounts.unit_price),
        "7 x 21.032 = 147.22 -> 21.032",
        ("total", "quantity", "places"),
        ("price_places", "rounding"),
    ),
    Transform(
        "line discount",
        "What the rounded unit price makes the line too much",
        _plain(amounts.line_discount),
        "100 x 0.34 = 34.00, line 33.30 -> 0.70",
        ("total", "quantity", "places"),
        ("price_places", "rounding"),
    ),
)
TRANSFORMS = {one.name: one for one in LISTED}
