"""Puts the flows that an ERP's folder brings into the rows of a pair, where people edit them."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from hub import rules
from hub.flows import Defaults, default_names, defaults_of
from hub.models import (
    Flow,
    FlowVersion,
    LookupEntry,
    LookupTable,
    LookupVersion,
    Mapping,
    MappingVersion,
    Pair,
)

AS_BROUGHT = "As the connector brings it."


@transaction.atomic
def install_all(pair: Pair) -> list[Flow]:
    """Every default flow of the pair's ERP. Raises as `install` does, and then installs none."""
    return [install(pair, name) for name in default_names(pair.target.system)]


@transaction.atomic
def install(pair: Pair, name: str) -> Flow:
    """The default flow of this name, as its first version. Mappings and lookup tables are the pair's: what another flow
    has brought stays as people have made it, and a setting that another flow has too takes the value that it has there.

    Raises FileNotFoundError for no such flow, BadRule for one that cannot be read, and IntegrityError where the pair
    has it already.
    """
    given = defaults_of(pair.target.system, name)
    data = given.flow
    settings = {one["name"]: one["default"] for one in data["settings"]}
    for other in pair.flows.order_by("-pk"):
        settings |= {known: value for known, value in other.settings.items() if known in settings}
    flow = Flow.objects.create(
        pair=pair, name=name, label=data["label"], source_entity=data["from"], target_entity=data["to"]
    )
    flow.settings = settings
    flow.current = FlowVersion.objects.create(
        flow=flow,
        number=1,
        steps=data["steps"],
        report=data["report"],
        note=AS_BROUGHT,
        published_at=timezone.now(),
    )
    flow.save()
    there = set(pair.mappings.values_list("name", flat=True))
    for one, mapping in given.mappings.items():
        if one not in there:
            _install_mapping(pair, one, mapping)
    _install_tables(pair, given)
    return flow


def _install_mapping(pair: Pair, name: str, data: dict[str, Any]) -> None:
    mapping = Mapping.objects.create(pair=pair, name=name, label=data["label"], target_entity=data["to"])
    version = MappingVersion.objects.create(mapping=mapping, number=1, note=AS_BROUGHT, published_at=timezone.now())
    rules.write(version, data)
    mapping.current = version
    mapping.save()


def _install_tables(pair: Pair, given: Defaults) -> None:
    there = set(pair.lookup_tables.values_list("name", flat=True))
    for data in given.tables:
        if data["name"] not in there:
            table = LookupTable.objects.create(pair=pair, name=data["name"], label=data["label"])
            rows = [LookupEntry(table=table, theirs=one["from"], ours=one["to"]) for one in data["entries"]]
            LookupEntry.objects.bulk_create(rows)
            entries = {one.theirs: one.ours for one in rows}
            LookupVersion.objects.create(table=table, number=1, entries=entries, note=AS_BROUGHT)
