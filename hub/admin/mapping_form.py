"""A mapping's rules as lines of a form, and the form's lines as rules."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.rules import Data
from mappings.problems import BadRule
from mappings.wording import condition_text, read_condition_text, read_transforms, transforms_text

VALUE, FIELD, ROWS, ORIGIN, PART = "value", "field", "rows", "origin", "part"
KINDS = (VALUE, FIELD, ROWS, ORIGIN, PART)
NAMES = ("kind", "to", "from", "does", "when", "default", "label")


@dataclass
class Line:
    """One rule as it is typed. `wrong` is what is wrong with it, by the name of the input, `inside` the rows that a
    rule of a row fills."""

    kind: str
    to: str = ""
    source: str = ""
    does: str = ""
    when: str = ""
    default: str = ""
    label: str = ""
    inside: str = ""
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        return {ORIGIN: 1, PART: 2}.get(self.kind, 0)


def lines_of(data: Data) -> list[Line]:
    found = [_line(VALUE, one) for one in data.get("values", [])]
    for rule in data["rules"]:
        if "rows" not in rule:
            found.append(_line(FIELD, rule))
            continue
        found.append(Line(ROWS, rule["to"]))
        for origin in rule["rows"]:
            when = condition_text(origin.get("when"))
            found.append(Line(ORIGIN, source=origin.get("each", ""), when=when, label=origin.get("label", "")))
            found += [_line(PART, one) for one in origin["rules"]]
    return found


def _line(kind: str, rule: Data) -> Line:
    return Line(
        kind,
        rule["to"],
        rule.get("from", ""),
        transforms_text(rule.get("transform", [])),
        condition_text(rule.get("when")),
        _default_text(rule.get("default")),
    )


def _default_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value if _default(value) == value else json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _default(text: str) -> Any:
    """A number, true or false, a "text" in quotes, or else the text as it is."""
    plain = text.strip()
    if not plain:
        return None
    try:
        found = json.loads(plain, parse_float=Decimal)
    except ValueError:
        return plain
    return found if isinstance(found, str | int | bool | Decimal) else plain


def typed(data: Any) -> list[Line]:
    """The lines as they came from the form, without those that are to be removed."""
    columns = [data.getlist(name) for name in NAMES]
    gone = set(data.getlist("remove"))
    rows = list(zip(*columns, strict=False))
    return [
        Line(kind if kind in KINDS else FIELD, to.strip(), source.strip(), does.strip(), when.strip(), default, label)
        for number, (kind, to, source, does, when, default, label) in enumerate(rows)
        if str(number) not in gone
    ]


def read(lines: list[Line], target: str) -> Data:
    """The rules; what cannot be read stands beside its line in `wrong`."""
    data: Data = {"to": target, "values": [], "rules": []}
    rows: list[Any] = []
    for line in lines:
        if line.kind == VALUE:
            data["values"].append(_rule(line))
        elif line.kind == FIELD:
            data["rules"].append(_rule(line))
        elif line.kind == ROWS:
            rows = []
            data["rules"].append({"to": line.to, "rows": rows})
            _needs_target(line)
        elif line.kind == ORIGIN:
            rows.append(_origin(line))
            if not any(one is rows for one in (rule.get("rows") for rule in data["rules"])):
                line.wrong["from"] = "An origin stands below the rows that it fills."
        elif rows:
            rows[-1]["rules"].append(_rule(line))
        else:
            line.wrong["to"] = "A rule of a row stands below an origin."
    return data


def _origin(line: Line) -> Data:
    origin: Data = {"rules": [], "label": line.label}
    origin |= {"each": line.source} if line.source else {}
    return origin | _when(line)


def _rule(line: Line) -> Data:
    _needs_target(line)
    rule: Data = {"to": line.to, "transform": []} | ({"from": line.source} if line.source else {})
    try:
        rule["transform"] = read_transforms(line.does, "What it does")
    except BadRule as error:
        line.wrong["does"] = f"{error}."
    default = _default(line.default)
    return rule | ({} if default is None else {"default": default}) | _when(line)


def _when(line: Line) -> Data:
    try:
        found = read_condition_text(line.when, "The condition")
    except BadRule as error:
        line.wrong["when"] = f"{error}."
        return {}
    return {} if found is None else {"when": found}


def _needs_target(line: Line) -> None:
    if not line.to:
        line.wrong["to"] = "Name the field that it fills."


def placed(lines: list[Line], faults: list[tuple[str, str]]) -> list[str]:
    """Puts each fault beside the line of its target; returns those that belong to none."""
    left = []
    for place, words in faults:
        name = place.rpartition(".")[2]
        at = next((one for one in lines if place and one.to == name and not one.wrong), None)
        if at:
            at.wrong["to"] = words
        else:
            left.append(f"{place} {words}".strip())
    return left
