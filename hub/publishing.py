"""Drafts and versions of mappings: edited beside the published one, compared, tried out, published, restored."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from connectors import systems
from connectors.base import Entity, Field
from hub import audit, rules
from hub.models import LookupTable, Mapping, MappingVersion
from hub.published import forget
from hub.rules import Data
from mappings.problems import BadRule
from mappings.rules import read_mapping


class NotPublished(Exception):
    """Nothing was changed; the words say why, and what to do."""


def draft_of(mapping: Mapping) -> MappingVersion | None:
    return mapping.versions.filter(published_at=None).order_by("-number").first()


@transaction.atomic
def start_draft(mapping: Mapping, who: User | None) -> MappingVersion:
    """A copy of the published version; the draft that stands already where there is one."""
    locked = Mapping.objects.select_for_update(of=("self",)).select_related("current").get(pk=mapping.pk)
    standing = draft_of(locked)
    if standing:
        return standing
    draft = MappingVersion.objects.create(mapping=locked, number=_next(locked), who=who)
    if locked.current:
        rules.write(draft, rules.data_of(locked.current))
    return draft


def _next(mapping: Mapping) -> int:
    newest = mapping.versions.order_by("-number").values_list("number", flat=True).first()
    return (newest or 0) + 1


@transaction.atomic
def save_draft(draft: MappingVersion, data: Data, who: User | None) -> None:
    """`data` has no `faults`."""
    MappingVersion.objects.filter(pk=draft.pk).update(who=who)
    rules.write(draft, data)


def discard(draft: MappingVersion, who: User | None) -> None:
    audit.note(who, "discarded a draft", draft.mapping, pair=draft.mapping.pair)
    draft.delete()


@transaction.atomic
def publish(draft: MappingVersion, who: User | None, note: str, *, anyway: bool = False) -> MappingVersion:
    """New messages take it from now on, and dead letters when they are sent again. Raises NotPublished where it has
    faults, lacks a note, or where another version was published since the draft was begun, unless `anyway`."""
    mapping = Mapping.objects.select_for_update(of=("self",)).select_related("current", "pair").get(pk=draft.mapping_id)
    data = rules.data_of(draft)
    if not note.strip():
        raise NotPublished("Say what changes and why: the note is what others find the version by.")
    if found := [f"{place}: {words}" if place else words for place, words in faults(mapping, data)]:
        raise NotPublished(" ".join(found))
    newer = mapping.current is not None and mapping.current.number > draft.number
    if newer and not anyway:
        raise NotPublished(f"{mapping.current} was published since this draft was begun. Compare the two first.")
    before = rules.data_of(mapping.current) if mapping.current else {"rules": []}
    if newer:
        draft.number = _next(mapping)
    draft.published_at, draft.who, draft.note = timezone.now(), who, note.strip()[:500]
    draft.save()
    mapping.current = draft
    mapping.save(update_fields=["current"])
    _note(who, f"published version {draft.number}: {draft.note}", mapping, before, data)
    forget()
    return draft


@transaction.atomic
def restore(mapping: Mapping, old: MappingVersion, who: User | None) -> MappingVersion:
    """A new version with the old one's rules, published. A draft stays as it is."""
    locked = Mapping.objects.select_for_update(of=("self",)).select_related("current", "pair").get(pk=mapping.pk)
    data = rules.data_of(old)
    note = f"Version {old.number} restored"
    made = MappingVersion.objects.create(
        mapping=locked, number=_next(locked), who=who, note=note, published_at=timezone.now()
    )
    rules.write(made, data)
    before = rules.data_of(locked.current) if locked.current else {"rules": []}
    locked.current = made
    locked.save(update_fields=["current"])
    _note(who, f"restored version {old.number} as version {made.number}", locked, before, data)
    forget()
    return made


def publish_data(mapping: Mapping, data: Data, who: User | None, note: str) -> MappingVersion:
    """A new published version with these rules, which have no `faults`. Inside the caller's transaction."""
    made = MappingVersion.objects.create(
        mapping=mapping, number=_next(mapping), who=who, note=note[:500], published_at=timezone.now()
    )
    rules.write(made, data)
    mapping.current = made
    mapping.save(update_fields=["current"])
    forget()
    return made


def _note(who: User | None, what: str, mapping: Mapping, before: Data, after: Data) -> None:
    told = rules.difference(before, after)
    old, new = {place: left for place, left, _ in told}, {place: right for place, _, right in told}
    audit.note(who, what[:200], mapping, old, new, mapping.pair)


def target_of(mapping: Mapping) -> Entity | None:
    return entity_of(mapping.pair.target.system, mapping.target_entity)


def entity_of(system: str, name: str) -> Entity | None:
    known = systems().get(system)
    return next((one for one in known.entities if one.name == name), None) if known else None


def faults(mapping: Mapping, data: Data) -> Iterator[tuple[str, str]]:
    """What is wrong with the rules: the target that it is about, or nothing, and the words."""
    tables = set(LookupTable.objects.filter(pair=mapping.pair_id).values_list("name", flat=True))
    yield from rule_faults(mapping.name, data, target_of(mapping), tables)


def rule_faults(name: str, data: Data, entity: Entity | None, tables: set[str]) -> Iterator[tuple[str, str]]:
    """The same where no row stands yet: the target's entity and the names of the pair's lookup tables."""
    try:
        read_mapping(name, data)
    except BadRule as error:
        yield "", f"{error}."
        return
    for rule in data.get("values", []):
        yield from _unknown_tables(rule, rule["to"], tables)
    for rule in data["rules"]:
        field = _field(entity.fields if entity else (), rule["to"])
        yield from _field_faults(rule["to"], field, entity)
        for origin in rule.get("rows", []):
            for one in origin["rules"]:
                inner = _field(field.fields if field else (), one["to"])
                yield from _field_faults(f"{rule['to']}.{one['to']}", inner, entity if field else None)
                yield from _unknown_tables(one, one["to"], tables)
        yield from _unknown_tables(rule, rule["to"], tables)


def _field(fields: tuple[Field, ...], name: str) -> Field | None:
    return next((one for one in fields if one.name == name), None)


def _field_faults(place: str, field: Field | None, entity: Entity | None) -> Iterator[tuple[str, str]]:
    """A target `@setting` is whatever field this setting of the connection names."""
    if entity is None or place.startswith("@"):
        return
    if field is None:
        yield place, f"is no field of {entity.label}."
    elif not field.writable:
        yield place, f"'{field.label}' cannot be written."


def _unknown_tables(rule: Data, place: str, tables: set[str]) -> Iterator[tuple[str, str]]:
    for step in rule.get("transform", []):
        table: Any = step.get("table") if step["name"] == "lookup" else None
        if table is not None and table not in tables:
            yield place, f"there is no lookup table {table!r}; there are {', '.join(sorted(tables)) or 'none'}."
