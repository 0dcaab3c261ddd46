"""What a pair's source records hold: the paths that a rule may read."""

from typing import Any

from connectors import systems
from hub.evidence import read
from hub.models import Attempt, Flow, Mapping
from hub.secrets import CannotDecrypt

MOST = 400
ADDED = ("settings.", "found.", "keys.", "values.")


def flows_of(mapping: Mapping) -> list[Flow]:
    """The pair's flows that use the mapping now."""
    flows = Flow.objects.filter(pair=mapping.pair_id).exclude(current=None).select_related("current", "pair")
    return [
        one for one in flows if one.current and any(step.get("mapping") == mapping.name for step in one.current.steps)
    ]


def paths_of(mapping: Mapping) -> list[str]:
    """From the newest record that came in, else from what the source system says of its entity."""
    for flow in flows_of(mapping):
        kept = Attempt.objects.filter(message__flow=flow).exclude(came_in="").order_by("-pk")
        for digest in kept.values_list("came_in", flat=True)[:3]:
            try:
                record = read(digest)
            except CannotDecrypt:
                continue
            if record:
                return sorted(_paths(record))[:MOST]
        system = systems().get(flow.pair.source.system)
        entity = next((one for one in system.entities if one.name == flow.source_entity), None) if system else None
        if entity:
            return sorted(one.name for one in entity.fields)
    return []


def _paths(record: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in record.items():
        if isinstance(value, dict):
            found |= _paths(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found.add(prefix + name)
            found |= _paths(value[0], f"{prefix}{name}[].")
        else:
            found.add(prefix + name)
    return found
