"""Keeps what a walk leaves in the rows of its message, so that whoever takes over goes on from there."""

import json
from typing import Any

from django.utils import timezone

from connectors.base import Record
from hub.lanes import Claim
from hub.ledger import Direct
from hub.models import CrossReference, Message, NaturalKey
from hub.records import digest, unpacked
from hub.work import Keeper, Reference


class RowKeeper(Keeper):
    def __init__(self, claim: Claim, ledger: Direct) -> None:
        message = claim.message
        super().__init__(dict(message.marks))
        self.by_person = message.origin == Message.Origin.PERSON
        self.edits = unpacked(message.edits)
        self.sent_at = message.sent_at
        self.sent_before = message.sent_at is not None
        self._claim = claim
        self._ledger = ledger
        self._pair = message.flow.pair
        self._kept = json.dumps(self.marks)
        self._known: dict[tuple[str, str, str], Reference | None] = {}
        for target, known in claim.references:
            self._known[message.lane.entity, message.lane.key, target] = known

    def before_write(self) -> None:
        """A mark is committed before anything else leaves: between two of them nothing can go wrong that matters."""
        marks = json.dumps(self.marks)
        if self.sent_at and marks == self._kept:
            return
        self.sent_at = self.sent_at or timezone.now()
        self._kept = marks
        self._ledger.change(self._claim, {"sent_at": self.sent_at, "marks": self.marks})

    def reference(self, entity: str, key: str, target: str) -> Reference | None:
        lane = self._claim.message.lane
        name = (entity, key, target)
        if name not in self._known and (entity, key) != (lane.entity, lane.key):
            self._known[name] = self._ledger.ask(lambda: self._read(*name))
        return self._known.get(name)

    def _read(self, entity: str, key: str, target: str) -> Reference | None:
        names = {"source_entity": entity, "source_key": key, "target_entity": target}
        row = CrossReference.objects.filter(pair=self._pair, **names).first()
        return Reference(row.target_key, row.link, row.hash, row.reported_at) if row else None

    def reserve(self, entity: str, values: Record, key: str) -> str:
        return self._ledger.ask(lambda: reserved(self._pair.target_id, entity, values, key))


def reserved(connection: int, entity: str, values: dict[str, Any], key: str) -> str:
    """The key of whoever reserved this natural key first."""
    folded = {name: str(value).strip().casefold() for name, value in values.items()}
    row = NaturalKey(connection_id=connection, entity=entity, value=digest(folded), key=key)
    NaturalKey.objects.bulk_create([row], ignore_conflicts=True)
    return NaturalKey.objects.get(connection=connection, entity=entity, value=row.value).key
