"""A pair's flow as its rows say it now, for the workers.

Reading it costs some statements, so it is kept for two seconds; a change made in the same process is seen at once.
"""

from collections import defaultdict
from typing import Any

from django.db.models.signals import post_delete, post_save

from hub import models
from hub.flows import Flow
from hub.fresh import Fresh
from mappings.rules import Mapping, read_mapping
from mappings.transforms import LookupTable


def published(flow: models.Flow) -> Flow:
    """Raises BadRule where a rule cannot be read."""
    return _published.get(flow.pk)


def starting_at(connection: int) -> list[models.Flow]:
    """The flows that are on and start at this connection, with their pairs."""
    return _starting.get(connection)


def _flow(pk: int) -> Flow:
    return _read(models.Flow.objects.select_related("current").get(pk=pk))


def _flows(connection: int) -> list[models.Flow]:
    return list(models.Flow.objects.filter(pair__source=connection, on=True).select_related("pair"))


_published, _starting = Fresh(_flow), Fresh(_flows)


def _read(row: models.Flow) -> Flow:
    assert row.current is not None  # noqa: S101  a flow is installed with its first version
    return Flow(
        name=row.name,
        label=row.label,
        source=row.source_entity,
        target=row.target_entity,
        settings=row.settings,
        steps=tuple(row.current.steps),
        mappings=_mappings(row.pair_id),
        tables=_tables(row.pair_id),
        report=row.current.report,
        versions={"flow": row.current.number, **_versions(row.pair_id)},
    )


def _versions(pair: int) -> dict[str, int]:
    rows = models.Mapping.objects.filter(pair=pair).exclude(current=None)
    return dict(rows.values_list("name", "current__number"))


def _mappings(pair: int) -> dict[str, Mapping]:
    found = models.Mapping.objects.filter(pair=pair).exclude(current=None)
    rules: dict[int, list[models.Rule]] = defaultdict(list)
    for rule in models.Rule.objects.filter(version__in=found.values("current")):
        rules[rule.version_id].append(rule)
    return {one.name: _mapping(one, rules[one.current_id or 0]) for one in found}


def _mapping(row: models.Mapping, rules: list[models.Rule]) -> Mapping:
    parts: dict[int | None, list[models.Rule]] = defaultdict(list)
    for rule in rules:
        parts[rule.part_of_id].append(rule)
    of_kind = models.Rule.Kind.VALUE
    values = [one.as_data(parts) for one in parts[None] if one.kind == of_kind]
    fields = [one.as_data(parts) for one in parts[None] if one.kind != of_kind]
    return read_mapping(row.name, {"to": row.target_entity, "values": values, "rules": fields})


def _tables(pair: int) -> dict[str, LookupTable]:
    tables = models.LookupTable.objects.filter(pair=pair).prefetch_related("entries")
    return {one.name: LookupTable(one.name, one.label, {e.theirs: e.ours for e in one.entries.all()}) for one in tables}


def forget(**signal: Any) -> None:
    _published.forget()
    _starting.forget()


PARTS = (models.Flow, models.Mapping, models.Rule, models.LookupTable, models.LookupEntry)
for _model in (*PARTS, models.Connection, models.Pair):
    post_save.connect(forget, sender=_model, dispatch_uid=f"published {_model.__name__}")
    post_delete.connect(forget, sender=_model, dispatch_uid=f"unpublished {_model.__name__}")
