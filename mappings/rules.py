"""A mapping as data: rules read from JSON, each fault named with its place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mappings.conditions import Condition, read_condition
from mappings.problems import BadRule
from mappings.transforms import TRANSFORMS

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One transform of a rule with its arguments. An argument `{"path": …}` is read from the record."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """Fills the target field `to` from the source path `source` through the transforms, in their order."""

    to: str
    source: str = ""
    steps: tuple[Step, ...] = ()
    when: Condition | None = None
    default: Any = None


@dataclass(frozen=True)
class RowSource:
    """One origin of target rows: a target row for each row of the list at `each`, or a single one where it is empty."""

    rules: tuple[Rule, ...]
    each: str = ""
    when: Condition | None = None


@dataclass(frozen=True)
class RowRule:
    """Fills the list `to` with the rows of every origin, in their order."""

    to: str
    sources: tuple[RowSource, ...]


@dataclass(frozen=True)
class Mapping:
    """From an entity of one system to an entity of another. `values` are filled first, and the rules read them at
    `values.<name>`."""

    name: str
    to: str
    rules: tuple[Rule | RowRule, ...]
    values: tuple[Rule, ...] = ()


def read_mapping(name: str, data: dict[str, Any]) -> Mapping:
    """`data`: {"to": entity, "rules": [...], "values": [...]}. Raises BadRule naming the rule and its fault."""
    _known(data, {"to", "rules", "values", "label"}, name)
    values = read_rules(data.get("values", []), f"{name}, values")
    return Mapping(name, _target(data, name), _rules(data.get("rules"), name, read_rule_or_rows), values)


def read_rules(data: Any, place: str) -> tuple[Rule, ...]:
    return _rules(data, place, read_rule)


def _rules(data: Any, place: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(data, list):
        raise BadRule(f"{place}: rules must be a list")
    return tuple(read(one, f"{place}, rule {number}") for number, one in enumerate(data, 1))


def read_rule_or_rows(data: Any, place: str) -> Rule | RowRule:
    if not isinstance(data, dict) or "rows" not in data:
        return read_rule(data, place)
    _known(data, {"to", "rows"}, place)
    return RowRule(_target(data, place), _rules(data["rows"], f"{place} ({data['to']})", _row_source))


def _row_source(data: Any, place: str) -> RowSource:
    _known(data, {"each", "when", "rules", "label"}, place)
    when = read_condition(data["when"], place) if "when" in data else None
    return RowSource(read_rules(data.get("rules"), place), str(data.get("each", "")), when)


def read_rule(data: Any, place: str) -> Rule:
    _known(data, {"to", "from", "transform", "when", "default"}, place)
    target = _target(data, place)
    place = f"{place} ({target})"
    steps = data.get("transform", [])
    if not isinstance(steps, list):
        raise BadRule(f"{place}: transform must be a list")
    when = read_condition(data["when"], place) if "when" in data else None
    return Rule(target, str(data.get("from", "")), tuple(_step(one, place) for one in steps), when, data.get("default"))


def _step(data: Any, place: str) -> Step:
    if not isinstance(data, dict) or data.get("name") not in TRANSFORMS:
        known = ", ".join(sorted(TRANSFORMS))
        raise BadRule(f"{place}: there is no transform {data!r}; there are {known}")
    arguments = {name: value for name, value in data.items() if name != "name"}
    transform = TRANSFORMS[data["name"]]
    _known(arguments, set(transform.arguments), f"{place}, {transform.name}")
    if missing := [name for name in transform.required if name not in arguments]:
        raise BadRule(f"{place}: {transform.name} needs {', '.join(missing)}")
    return Step(transform.name, arguments)


def _target(data: dict[str, Any], place: str) -> str:
    if not isinstance(data.get("to"), str) or not data["to"]:
        raise BadRule(f"{place}: 'to' must name a target field")
    return str(data["to"])


def _known(data: Any, names: set[str], place: str) -> None:
    if not isinstance(data, dict):
        raise BadRule(f"{place}: must be an object, not {data!r}")
    if unknown := sorted(set(data) - names):
        raise BadRule(f"{place}: does not know {', '.join(unknown)}; it knows {', '.join(sorted(names))}")
