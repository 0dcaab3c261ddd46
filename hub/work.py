"""One record on its way along a flow: what came in, what was found, mapped and written."""

import uuid
from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Connector, Record, Written
from hub.flows import Flow
from mappings.apply import Mapped
from mappings.paths import Scope
from mappings.problems import MappingProblem


def no_mark() -> None:
    """Where nobody keeps what has been sent."""


@dataclass(frozen=True)
class Pair:
    """One shop connection joined to one ERP connection. `namespace` is made once and feeds every idempotency key."""

    source: Connector
    target: Connector
    namespace: uuid.UUID
    settings: Dictionary[str, Any] = field(default_factory=dict)

    def idempotency_key(self, identity: str) -> str:
        """The same UUID for the same record of this pair, for ever."""
        return str(uuid.uuid5(self.namespace, identity))


@dataclass
class Work:
    """`record` is the source record; beside its own fields rules and conditions read the flow's `settings`, the answers
    of the `target` connection, and what steps add under `found`, `keys` and `mapped`. `notes` are what an
    operator should know of a record that went through."""

    pair: Pair
    flow: Flow
    key: str
    record: Record
    before_write: Callable[[], None] = no_mark
    mapped: dict[str, Mapped] = field(default_factory=dict)
    problems: list[MappingProblem] = field(default_factory=list)
    written: dict[str, Written] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = {**self.flow.settings, **self.pair.settings}
        target = self.pair.target
        answers = {one.name: target.values[one.name] for one in target.settings if not one.secret}
        self.record |= {"settings": settings, "target": answers, "found": {}, "keys": {}, "mapped": {}}

    @property
    def scope(self) -> Scope:
        return Scope(self.record)
