"""Changes of lookup tables: each adds a version, leaves an audit entry, and releases what waited for it."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from hub import audit, unmapped
from hub.models import LookupEntry, LookupTable, LookupVersion
from mappings.texts import words
from mappings.transforms import folded

MOST_OFFERED = 200


@dataclass(frozen=True)
class Offer:
    """A code of ours that may be chosen, with its label where it has one."""

    code: str
    label: str = ""


def offered(table: LookupTable) -> list[Offer]:
    """What the table's entries answer already."""
    known = LookupEntry.objects.filter(table=table).values_list("ours", flat=True)[:MOST_OFFERED]
    return [Offer(one) for one in sorted({words(ours) for ours in known if ours not in (None, "")})]


def typed(table: LookupTable, text: str) -> Any:
    """What a person typed as a value like the table's others: a number where they all are numbers. Raises ValueError
    in words."""
    known = [
        ours for ours in LookupEntry.objects.filter(table=table).values_list("ours", flat=True) if ours is not None
    ]
    if known and all(isinstance(one, int) and not isinstance(one, bool) for one in known):
        try:
            return int(text.strip())
        except ValueError as error:
            raise ValueError(f"{text.strip()!r} is no whole number, and '{table.label}' has only such.") from error
    return text.strip()


def add_entry(table: LookupTable, theirs: str, ours: Any, who: User | None = None, note: str = "") -> int:
    """Adds one entry and returns how many messages it sends again. Raises ValueError in words where the code is there
    already, or empty."""
    code = theirs.strip()
    if not code:
        raise ValueError("The code is empty.")
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
