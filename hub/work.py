"""One record on its way along a flow: what came in, was found, mapped and written, and who remembers it."""

import uuid
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.base import Connector, Record, Written
from hub.flows import Flow
from hub.records import digest
from mappings.apply import Mapped
from mappings.paths import Scope, top
from mappings.problems import MappingProblem

ADDED = ("settings", "target", "found", "keys", "mapped", "written", "values", "difference")


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


@dataclass(frozen=True)
class Reference:
    """What the pair's cross-reference says of a source record: its key in the target, the digest of what was last
    written, and when the source was last told of it."""

    key: str
    link: str = ""
    digest: str = ""
    reported_at: datetime | None = None


class Keeper:
    """Remembers for a walk what must outlive it. This one remembers in itself alone; a running hub's writes rows.

    `marks` are what finished steps have left, by step: where a walk is repeated, a marked step is not. `by_person` says
    that somebody asked for this walk, `sent_before` that an earlier walk has sent something. `edits` are what a person
    gave target fields for this walk: {mapping: {path: value}}.
    """

    by_person = False
    sent_before = False
    edits: Dictionary[str, Dictionary[str, Any]] = {}

    def __init__(self, marks: dict[str, Any] | None = None) -> None:
        self.marks: dict[str, Any] = marks or {}
        self.references: dict[tuple[str, str, str], Reference] = {}

    def before_write(self) -> None:
        """Commits that something is about to leave, and every mark so far. Raises Stop where another took over."""

    def mark(self, step: str, left: dict[str, Any]) -> None:
        self.marks[step] = left

    def reference(self, entity: str, key: str, target: str) -> Reference | None:
        """The cross-reference of a source record to an entity of the target."""
        return self.references.get((entity, key, target))

    def reserve(self, entity: str, values: Record, key: str) -> str:
        """The key under which the target's record with these natural values is created: the first one's who asked."""
        return key


@dataclass
class Work:
    """`record` is the source record; beside its own fields rules and conditions read the flow's `settings`, the answers
    of the `target` connection, and what steps add under `found`, `keys`, `mapped` and `written`. `notes` are what an
    operator should know of a record that went through, `seconds` how long each step took."""

    pair: Pair
    flow: Flow
    key: str
    record: Record
    keeper: Keeper = field(default_factory=Keeper)
    mapped: dict[str, Mapped] = field(default_factory=dict)
    problems: list[MappingProblem] = field(default_factory=list)
    written: dict[str, Written] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = {**self.flow.settings, **self.pair.settings}
        target = self.pair.target
        answers = {one.name: target.values[one.name] for one in target.settings if not one.secret}
        self.record |= {"settings": settings, "target": answers, "found": {}, "keys": {}, "mapped": {}, "written": {}}

    @property
    def scope(self) -> Scope:
        return Scope(self.record)

    def digest(self) -> str:
        """Over every source value that the mappings have read, but for what the flow itself writes there."""
        ours = {*ADDED, *self.flow.report.get("written_back", "").split()}
        reads = {path: value for one in self.mapped.values() for path, value in one.reads.items()}
        return digest({path: value for path, value in reads.items() if top(path) not in ours})

    def known(self, mapping: str) -> Reference | None:
        """The cross-reference of this record to what the mapping makes of it."""
        return self.keeper.reference(self.flow.source, self.key, self.flow.mappings[mapping].to)

    def wrote(self, mapping: str, written: Written) -> None:
        self.written[mapping] = written
        self.record["written"][mapping] = {**written.record, "key": written.key, "link": written.link}
