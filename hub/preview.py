"""A dry walk: what a flow would make of a record now. Both systems are read, and nothing is written or kept."""

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from typing import Any

from hub import models
from hub.connecting import connectors_of
from hub.flows import Flow
from hub.models import CrossReference
from hub.outcomes import Outcome
from hub.pipeline import WRITE, process
from hub.work import Keeper, Pair, Reference, Work

NOT_YET = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Preview:
    """`outcome` is "done" where nothing stops the record before it would be written, else what would stop it, in words.
    `work` is None where the record could not be read. `awaits` are other records that would have to be sent first."""

    outcome: Outcome
    work: Work | None
    awaits: tuple[str, ...] = ()


class Onlooker(Keeper):
    """Knows the pair's cross-references, and takes one that is not there yet for granted: its key is all zeros."""

    by_person = True

    def __init__(self, pair: models.Pair, edits: Dictionary[str, Dictionary[str, Any]]) -> None:
        super().__init__()
        self.edits = edits
        self.awaits: list[str] = []
        self._pair = pair

    def reference(self, entity: str, key: str, target: str) -> Reference | None:
        names = {"source_entity": entity, "source_key": key, "target_entity": target}
        row = CrossReference.objects.filter(pair=self._pair, **names).first()
        if row:
            return Reference(row.target_key, row.link, row.hash, row.reported_at)
        if (entity, key) == self.own:
            return None
        self.awaits.append(f"{entity} {key}")
        return Reference(NOT_YET)

    own: tuple[str, str] = ("", "")


def preview(
    flow: Flow, pair: models.Pair, key: str, edits: Dictionary[str, Dictionary[str, Any]] | None = None
) -> Preview:
    """Walks every step before the first write. `key` is the record's in the source, `edits` are values by hand:
    {mapping: {target path: value}}. Raises NeedsPerson where a connection's setting is wrong."""
    names = [one["kind"] for one in flow.steps]
    end = names.index(WRITE) if WRITE in names else len(names)
    source, target = connectors_of(pair)
    onlooker = Onlooker(pair, edits or {})
    onlooker.own = (flow.source, key)
    dry = replace(flow, steps=flow.steps[:end])
    ends = Pair(source, target, pair.namespace, flow.settings)
    outcome, work = process(dry, ends, key, onlooker)
    return Preview(outcome, work, tuple(onlooker.awaits))
