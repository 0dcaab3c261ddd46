"""A mapping's version as data and as rows, and two versions compared."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from hub.models import MappingVersion, Rule
from mappings.texts import words
from mappings.wording import condition_text, transforms_text

Data = dict[str, Any]
Difference = list[tuple[str, str, str]]


def data_of(version: MappingVersion) -> Data:
    """As `mappings.rules.read_mapping` reads it: {"to", "values", "rules"}."""
    parts: dict[int | None, list[Rule]] = defaultdict(list)
    for rule in version.rules.all():
        parts[rule.part_of_id].append(rule)
    values = [one.as_data(parts) for one in parts[None] if one.kind == Rule.Kind.VALUE]
    fields = [one.as_data(parts) for one in parts[None] if one.kind != Rule.Kind.VALUE]
    return {"to": version.mapping.target_entity, "values": values, "rules": fields}


def write(version: MappingVersion, data: Data) -> None:
    """The rows of the version: whatever stood there before is gone."""
    version.rules.all().delete()
    _write(version, data.get("values", []), Rule.Kind.VALUE)
    _write(version, data["rules"], Rule.Kind.FIELD)


def _write(version: MappingVersion, rules: list[Data], kind: Rule.Kind, below: Rule | None = None) -> None:
    for position, one in enumerate(rules, 1):
        rows = "rows" in one
        rule = Rule.objects.create(
            version=version,
            part_of=below,
            position=position,
            kind=Rule.Kind.ROWS if rows else kind,
            to=one.get("to", ""),
            source=one.get("each" if kind == Rule.Kind.ORIGIN else "from", ""),
            transform=one.get("transform", []),
            when=one.get("when"),
            default=one.get("default"),
            label=one.get("label", ""),
        )
        if rows:
            _write(version, one["rows"], Rule.Kind.ORIGIN, rule)
        elif kind == Rule.Kind.ORIGIN:
            _write(version, one["rules"], Rule.Kind.FIELD, rule)


def difference(before: Data, after: Data) -> Difference:
    """Rules that were added, removed or changed: place, words before, words after."""
    left, right = dict(_placed(before)), dict(_placed(after))
    names = list(dict.fromkeys([*left, *right]))
    found = [(one, left.get(one, ""), right.get(one, "")) for one in names if left.get(one) != right.get(one)]
    if not found and list(left) != list(right):
        return [("The order of the rules", "", "changed")]
    return found


def _placed(data: Data) -> Iterator[tuple[str, str]]:
    """Each rule with its place. Several rules for one field (each under its own condition) are numbered."""
    yield from _numbered((f"value {one['to']}", rule_words(one)) for one in data.get("values", []))
    plain = [one for one in data["rules"] if "rows" not in one]
    yield from _numbered((one["to"], rule_words(one)) for one in plain)
    for rows in [one for one in data["rules"] if "rows" in one]:
        for number, origin in enumerate(rows["rows"], 1):
            place = f"{rows['to']}, origin {number}"
            yield place, origin_words(origin)
            yield from _numbered((f"{place}: {one['to']}", rule_words(one)) for one in origin["rules"])


def _numbered(rules: Any) -> Iterator[tuple[str, str]]:
    seen: dict[str, int] = defaultdict(int)
    for place, text in rules:
        seen[place] += 1
        yield (place if seen[place] == 1 else f"{place} ({seen[place]})"), text


def rule_words(rule: Data) -> str:
    parts = [f"from {rule['from']}"] if rule.get("from") else []
    parts += [transforms_text(rule["transform"])] if rule.get("transform") else []
    parts += [f"when {condition_text(rule['when'])}"] if rule.get("when") is not None else []
    parts += [f"default {words(rule['default'])}"] if rule.get("default") is not None else []
    return "; ".join(parts) or "nothing"


def origin_words(origin: Data) -> str:
    each = f"each of {origin['each']}" if origin.get("each") else "one row"
    when = f" when {condition_text(origin['when'])}" if origin.get("when") is not None else ""
    label = f" ({origin['label']})" if origin.get("label") else ""
    return f"{each}{when}{label}"
