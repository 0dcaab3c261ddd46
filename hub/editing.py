"""Edits of one message: a person gives fields of the target a value of their own, for this message alone.

Original, value and reason are kept; the rules go on as they are, and the totals are compared all the same. A later
change of the record is a message of its own and sends what the shop says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from connectors.base import Entity, Field
from hub import audit
from hub.again import STOPPED, NotStopped, send_again
from hub.models import Edit, Message
from hub.preview import Preview, preview
from hub.published import published
from hub.records import packed, unpacked
from hub.sides import field_at, flat, label_of
from mappings.problems import MappingProblem
from mappings.texts import words

__all__ = [
    "Change",
    "Edits",
    "Wrong",
    "changes",
    "editable",
    "field_at",
    "look",
    "problems_of",
    "save",
    "standing",
    "value_of",
]
Edits = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Wrong(Exception):
    """What a person typed cannot be a value of the field."""

    what: str


@dataclass(frozen=True)
class Change:
    """One edited field: `before` is what the rules make of the record."""

    mapping: str
    path: str
    label: str
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        shown = {"before": packed(self.before), "after": packed(self.after)}
        return {"mapping": self.mapping, "path": self.path, "label": self.label, **shown}


def editable(field: Field) -> bool:
    """A key of another record, and rows as a whole, are nothing that a person types."""
    return field.writable and field.type not in ("reference", "rows")


def value_of(field: Field, text: str) -> Any:
    """What was typed as a value of the field; None for nothing. Times are in the console's zone. Raises Wrong."""
    plain = text.replace("\r\n", "\n")
    if not plain.strip():
        return None
    try:
        return _READ.get(field.type, _text)(field, plain)
    except (ValueError, InvalidOperation) as error:
        raise Wrong(f"{plain.strip()[:80]!r} is not of the type that '{field.label}' takes ({field.type}).") from error


def _text(field: Field, text: str) -> Any:
    return text


def _choice(field: Field, text: str) -> Any:
    known = {str(code): code for code, _ in field.choices}
    return known.get(text.strip(), text.strip())


def _boolean(field: Field, text: str) -> bool:
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.strip().casefold() not in known:
        raise ValueError(text)
    return known[text.strip().casefold()]


def _moment(field: Field, text: str) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))


_READ: dict[str, Any] = {
    "integer": lambda field, text: int(text.strip()),
    "decimal": lambda field, text: Decimal(text.strip()),
    "money": lambda field, text: Decimal(text.strip()),
    "date": lambda field, text: date.fromisoformat(text.strip()),
    "datetime": _moment,
    "boolean": _boolean,
    "choice": _choice,
}


def standing(message: Message) -> Edits:
    """The edits that the message has already."""
    found: Edits = unpacked(message.edits)
    return found


def look(message: Message, edits: Edits) -> Preview:
    """What the message would send with these edits, and what would stop it; nothing is sent. Raises NeedsPerson."""
    flow = message.flow
    return preview(published(flow), flow.pair, message.lane.key, edits)


def problems_of(found: Preview, mapping: str, path: str) -> list[MappingProblem]:
    """What the check says against this field."""
    work = found.work
    if work is None:
        return []
    mine = {id(one) for one in work.problems}
    mapped = work.mapped.get(mapping)
    known = [*mapped.problems, *work.problems] if mapped else list(work.problems)
    unique = {str(one): one for one in known if id(one) in mine and one.target == path}
    return list(unique.values())


def changes(before: Preview, edits: Edits, entities: Mapping[str, Entity]) -> list[Change]:
    """Each edit with what the rules make of the record."""
    found = []
    for mapping, values in edits.items():
        mapped = before.work.mapped.get(mapping) if before.work else None
        stands = dict(flat(mapped.record)) if mapped else {}
        for path, after in values.items():
            found.append(Change(mapping, path, label_of(entities[mapping], path), stands.get(path), after))
    return found


@transaction.atomic
def save(message: Message, edits: Edits, what: list[Change], reason: str, who: User, *, anyway: bool = False) -> None:
    """Keeps the edits with their reason, and sends the message again. Raises what `send_again` does; then nothing is
    changed."""
    fresh = Message.objects.select_related("lane", "flow__pair").get(pk=message.pk)
    if fresh.state not in STOPPED:
        raise NotStopped(f"{fresh} is {fresh.get_state_display().lower()} now: it cannot be edited.")
    before = {one.label: words(one.before) for one in what}
    after = {one.label: words(one.after) for one in what}
    Edit.objects.create(message=fresh, who=who, reason=reason, changes=[one.as_json() for one in what])
    Message.objects.filter(pk=fresh.pk).update(edits=packed(edits))
    hidden = dict.fromkeys(after, "(edited)")
    record = f"Message {fresh.pk}: {fresh}"
    audit.note(who, f"edited: {reason}"[:200], record, dict.fromkeys(before, "(as mapped)"), hidden, fresh.flow.pair)
    send_again(fresh, who, anyway=anyway)
