"""Writes audit entries: who changed or saw what, with what stood there before and after."""

import json
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model

from hub.models import AuditEntry, Pair

LONGEST = 300  # characters of a record's name


def note(
    who: User | AnonymousUser | None,
    what: str,
    record: Model | str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    pair: Pair | int | None = None,
) -> AuditEntry:
    """`record` is a row or a name of what was changed or seen, `who` None for the hub itself. Secrets do not belong
    into `before` and `after`."""
    name = record if isinstance(record, str) else name_of(record)
    number = pair.pk if isinstance(pair, Pair) else pair
    return AuditEntry.objects.create(
        who=who if isinstance(who, User) else None,
        what=what,
        record=name[:LONGEST],
        before=_plain(before),
        after=_plain(after),
        pair_id=number,
    )


def name_of(row: Model) -> str:
    """What entries of this row are found by: its kind, key and words."""
    return f"{str(row._meta.verbose_name).capitalize()} {row.pk}: {row}"


def _plain(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """As JSON keeps them; what JSON has no type for as text."""
    return None if values is None else {name: _as_json(value) for name, value in values.items()}


def _as_json(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, default=str))
    except TypeError:
        return str(value)
