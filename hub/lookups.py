"""Changes of lookup tables: each adds a version, leaves an audit entry, and releases what waited for it."""

import re
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from connectors import systems
from hub import audit, unmapped
from hub.models import Flow, LookupEntry, LookupTable, LookupVersion, Rule
from hub.published import forget
from mappings.texts import words
from mappings.transforms import folded

MOST_OFFERED = 200
LONGEST = 500  # characters of a code
PASTED = re.compile(r"\s*(?:\t|=>|=|;)\s*")


@dataclass(frozen=True)
class Offer:
    """A code of ours that may be chosen, with its label where it has one."""

    code: str
    label: str = ""


@dataclass(frozen=True)
class Line:
    """One entry as a person typed it. `type` is text, number or nothing."""

    theirs: str
    ours: str
    type: str = "text"

    @property
    def value(self) -> Any:
        """Raises ValueError in words."""
        if self.type == "nothing":
            return None
        if self.type != "number":
            return self.ours.strip()
        try:
            return int(self.ours.strip())
        except ValueError as error:
            raise ValueError(f"{self.ours.strip()!r} is no whole number.") from error


@dataclass(frozen=True)
class Changed(Exception):
    """Somebody else has changed the table since the page was opened: what their change was, by code."""

    by: str
    theirs: list[tuple[str, str, str]]


def offered(table: LookupTable) -> list[Offer]:
    """The target field's choices, and what the table's entries answer already."""
    found = {one.code: one for one in choices_of(table)}
    known = LookupEntry.objects.filter(table=table).values_list("ours", flat=True)[:MOST_OFFERED]
    answered = sorted({words(ours) for ours in known if ours not in (None, "")} - found.keys())
    return [*found.values(), *(Offer(one) for one in answered)]


def choices_of(table: LookupTable) -> list[Offer]:
    """Of the target fields that are filled by this table."""
    system = systems().get(table.pair.target.system)
    entities = {one.name: one for one in system.entities} if system else {}
    found: dict[str, Offer] = {}
    for rule in _rules(table):
        entity = entities.get(rule.version.mapping.target_entity)
        field = entity.field(rule.to) if entity else None
        for code, label in field.choices if field else ():
            found[str(code)] = Offer(str(code), label)
    return list(found.values())


def uses_of(table: LookupTable) -> list[str]:
    """Where it is looked up in: rules of published mappings and steps of published flows, in words."""
    found = [f"{rule.version.mapping.label}: {rule.to}" for rule in _rules(table)]
    for flow in Flow.objects.filter(pair=table.pair_id).exclude(current=None).select_related("current"):
        steps = flow.current.steps if flow.current else []
        found += [f"{flow.label}: {one['name']}" for one in steps if _names(one, table.name)]
    return found


def _rules(table: LookupTable) -> list[Rule]:
    rules = Rule.objects.filter(version__mapping__pair=table.pair_id, version__mapping__current__isnull=False)
    current = [
        one for one in rules.select_related("version__mapping") if one.version.mapping.current_id == one.version_id
    ]
    return [one for one in current if _names(one.transform, table.name)]


def _names(data: Any, table: str) -> bool:
    if isinstance(data, dict):
        return (data.get("name") == "lookup" and data.get("table") == table) or any(
            _names(v, table) for v in data.values()
        )
    return isinstance(data, list) and any(_names(one, table) for one in data)


def lines_of(table: LookupTable) -> list[Line]:
    found = []
    for theirs, ours in table.entries.order_by("theirs").values_list("theirs", "ours"):
        number = isinstance(ours, int) and not isinstance(ours, bool)
        found.append(Line(theirs, words(ours), "nothing" if ours is None else "number" if number else "text"))
    return found


def holds_numbers(table: LookupTable) -> bool:
    known = [one for one in table.entries.values_list("ours", flat=True) if one is not None]
    return bool(known) and all(isinstance(one, int) and not isinstance(one, bool) for one in known)


def pasted(text: str, numbers: bool) -> list[Line]:
    """Lines of "theirs<tab>ours", also with "=", "=>" or ";" between them."""
    found = []
    for line in text.splitlines():
        if line.strip():
            theirs, *rest = PASTED.split(line.strip(), maxsplit=1)
            ours = rest[0] if rest else ""
            found.append(Line(theirs, ours, "number" if numbers else "text"))
    return found


def wrong(lines: list[Line]) -> dict[int, str]:
    """What is wrong with each line, by its number from 0."""
    found: dict[int, str] = {}
    first: dict[str, int] = {}
    for number, line in enumerate(lines):
        code = folded(line.theirs)
        if not code:
            found[number] = "Their code is missing."
        elif len(line.theirs.strip()) > LONGEST:
            found[number] = f"Their code is longer than {LONGEST} characters."
        elif code in first:
            found[number] = f"The same code as in line {first[code] + 1}: capitals and blanks at the ends do not count."
        elif line.type != "nothing" and not line.ours.strip():
            found[number] = "Our code is missing. Choose 'nothing' where it is to stay empty."
        else:
            first[code] = number
            try:
                _ = line.value
            except ValueError as error:
                found[number] = str(error)
    return found


def typed(table: LookupTable, text: str) -> Any:
    """What a person typed as a value like the table's others: a number where they all are numbers. Raises ValueError
    in words."""
    return Line("", text, "number" if holds_numbers(table) else "text").value


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Their code with ours before and after; an entry that is not there is empty."""
    codes = sorted(code for code in before.keys() | after.keys() if before.get(code, ...) != after.get(code, ...))
    return [(code, _told(before, code), _told(after, code)) for code in codes]


def _told(entries: dict[str, Any], code: str) -> str:
    return (words(entries[code]) or "(nothing)") if code in entries else ""


def save(
    table: LookupTable, lines: list[Line], who: User | None, note: str = "", seen: int | None = None
) -> tuple[int, list[tuple[str, str, str]]]:
    """Makes the table hold these lines, of which none is `wrong`. `seen` is the version that the person has seen.
    Returns how many messages were sent again, and the changes. Raises Changed where another version is there by now."""
    after = {one.theirs.strip(): one.value for one in lines}
    with transaction.atomic():
        locked = LookupTable.objects.select_for_update().get(pk=table.pk)
        newest = locked.versions.select_related("who").order_by("-number").first()
        if seen is not None and newest and newest.number != seen:
            old = locked.versions.filter(number=seen).first()
            standing = dict(locked.entries.values_list("theirs", "ours"))
            raise Changed(str(newest.who or "the hub"), difference(old.entries if old else {}, standing))
        told = _replace(locked, after, who, note)
    return (unmapped.release(table, who) if told else 0), told


def replace(table: LookupTable, entries: dict[str, Any], who: User | None, note: str) -> int:
    """Makes the table hold these entries, inside the caller's transaction. Returns how many messages were sent
    again."""
    return unmapped.release(table, who) if _replace(table, entries, who, note) else 0


def _replace(table: LookupTable, after: dict[str, Any], who: User | None, note: str) -> list[tuple[str, str, str]]:
    before = dict(table.entries.values_list("theirs", "ours"))
    told = difference(before, after)
    if told:
        table.entries.all().delete()
        LookupEntry.objects.bulk_create(
            LookupEntry(table=table, theirs=code, ours=ours) for code, ours in after.items()
        )
        add_version(table, after, who, note)
        codes = [code for code, _, _ in told]
        left, right = ({one: values[one] for one in codes if one in values} for values in (before, after))
        audit.note(who, f"changed entries: {note}"[:200], table, left, right, table.pair)
        forget()
    return told


def add_entry(table: LookupTable, theirs: str, ours: Any, who: User | None = None, note: str = "") -> int:
    """Adds one entry and returns how many messages it sends again. Raises ValueError in words where the code is there
    already, or empty."""
    code = theirs.strip()
    if not code or len(code) > LONGEST:
        raise ValueError(f"The code is {'longer than 500 characters' if code else 'empty'}.")
    with transaction.atomic():
        locked = LookupTable.objects.select_for_update().get(pk=table.pk)
        standing = dict(locked.entries.values_list("theirs", "ours"))
        twin = next((one for one in standing if folded(one) == folded(code)), None)
        if twin is not None:
            raise ValueError(f"{twin!r} is in '{table.label}' already: it is {words(standing[twin]) or 'nothing'}.")
        LookupEntry.objects.create(table=locked, theirs=code, ours=ours)
        add_version(locked, {**standing, code: ours}, who, note)
        audit.note(who, "added an entry", table, None, {code: ours}, table.pair)
    return unmapped.release(table, who)


def add_version(table: LookupTable, entries: dict[str, Any], who: User | None, note: str) -> LookupVersion:
    """Inside the transaction that has the table locked."""
    newest = table.versions.order_by("-number").first()
    number = newest.number + 1 if newest else 1
    return LookupVersion.objects.create(table=table, number=number, entries=entries, who=who, note=note[:500])
