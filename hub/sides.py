"""One record at its four stations side by side: what came in, was mapped, was sent and was answered, field by field."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from connectors.base import Entity, Field, Record
from mappings.paths import NoSuchPath, get
from mappings.texts import words

WRITES = {"POST", "PUT", "PATCH"}


@dataclass
class Side:
    """One target field. `source` is the path that filled it. `changed` are the stations whose value is another one than
    the station before has: "mapped", "sent", "answered"."""

    path: str
    label: str
    source: str
    came_in: Any = None
    mapped: Any = None
    sent: Any = None
    answered: Any = None
    changed: set[str] = field(default_factory=set)


def sides(
    entity: Entity,
    mapped: Record,
    lineage: Mapping[str, str],
    came_in: Record,
    calls: list[dict[str, Any]],
    answered: Record | None,
) -> list[Side]:
    """In the order of the mapped record. What was sent is read from the bodies of this attempt's writes, where one has
    the field; a station without the field has None."""
    bodies = list(_bodies(calls))
    found = []
    for path, value in flat(mapped):
        side = Side(path, label_of(entity, path), lineage.get(path, ""), mapped=value)
        side.came_in = _at(came_in, side.source)
        side.sent = next((one for body in bodies if (one := _in_body(body, path)) is not None), None)
        side.answered = _at(answered or {}, path)
        _compare(side)
        found.append(side)
    return found


def _compare(side: Side) -> None:
    if side.came_in is not None and not same(side.came_in, side.mapped):
        side.changed.add("mapped")
    if side.sent is not None and not same(side.mapped, side.sent):
        side.changed.add("sent")
    if side.answered is not None and not same(side.mapped, side.answered):
        side.changed.add("answered")


def flat(record: Record, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path: `order_details[0].tax`."""
    for name, value in record.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for number, row in enumerate(value):
                yield from flat(row, f"{prefix}{name}[{number}].")
        else:
            yield prefix + name, value


def field_at(entity: Entity, path: str) -> Field | None:
    fields, found = entity.fields, None
    for part in path.split("."):
        name = part.partition("[")[0]
        found = next((one for one in fields if one.name == name), None)
        fields = found.fields if found else ()
    return found


def label_of(entity: Entity, path: str) -> str:
    """The field's label, with its row's number where it stands in one."""
    known = field_at(entity, path)
    label = known.label if known else path.rpartition(".")[2]
    *rows, _ = path.split(".")
    numbers = [one.partition("[")[2].rstrip("]") for one in rows]
    return f"Row {int(numbers[-1]) + 1}: {label}" if numbers and numbers[-1].isdecimal() else label


def same(left: Any, right: Any) -> bool:
    """As people compare: 5.75 is 5.750, an address that ends in a key is that key."""
    first, second = words(left).strip(), words(right).strip()
    if first == second:
        return True
    try:
        return Decimal(first) == Decimal(second)
    except InvalidOperation:
        pass
    if first.casefold() in ("true", "false"):
        return first.casefold() == second.casefold()
    return (len(first) > 20 and first in second) or " ".join(first.split()) == " ".join(second.split())


def _at(record: Record, path: str) -> Any:
    if not path:
        return None
    try:
        value = get(record, path)
    except NoSuchPath:
        return None
    return None if isinstance(value, dict) else value


def _bodies(calls: list[dict[str, Any]]) -> Iterator[Any]:
    """What this attempt's writes had in them, the largest first: the record itself is sent whole."""
    texts = [one.get("request_body") or "" for one in calls if one.get("method") in WRITES]
    for text in sorted(texts, key=len, reverse=True):
        try:
            yield json.loads(text, parse_float=Decimal)
        except ValueError:
            yield from _from_xml(text)


def _from_xml(text: str) -> Iterator[Any]:
    try:
        safely = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(text.encode(), safely)
    except (etree.XMLSyntaxError, ValueError):
        return
    if "<!DOCTYPE" not in text:
        yield _plain(root)


def _plain(element: Any) -> Any:
    parts = [one for one in element if isinstance(one.tag, str)]
    if not parts:
        return element.text or ""
    found: dict[str, Any] = {}
    for one in parts:
        name = etree.QName(one).localname
        before, value = found.get(name), _plain(one)
        found[name] = [*before, value] if isinstance(before, list) else [before, value] if name in found else value
    return found


def _in_body(body: Any, path: str) -> Any:
    """The value of the target field in a body, under its own name or one that a system adds to ("…@odata.bind")."""
    for part in path.split("."):
        name, _, number = part.rstrip("]").partition("[")
        if not isinstance(body, dict):
            return None
        key = next((one for one in body if one.partition("@")[0] == name), None)
        body = body.get(key) if key is not None else None
        if number:
            rows = body if isinstance(body, list) else []
            body = rows[int(number)] if number.isdecimal() and int(number) < len(rows) else None
    return None if isinstance(body, dict) else body
