"""What became of a record, and which exception means what (the table in the design's third section)."""

import traceback
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError

from connectors.base import Written
from connectors.errors import InDoubt, NeedsPerson, NotFound, RecordRefused, SignInRefused, Skip, TryLater
from mappings.paths import NoSuchPath
from mappings.problems import BadRule, BadValue, MappingProblems, shown


class Stop(Exception):
    """Whoever works on the record stops at once and leaves it as it is: somebody else has taken over."""


class Hold(Exception):
    """The record waits for a person's decision; the message says what about."""

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class Needs(Exception):
    """The record waits for another one of the source, which has to be in the target first."""

    def __init__(self, entity: str, key: str, label: str) -> None:
        super().__init__(f"Waiting for {label.lower()} {key}.")
        self.entity = entity
        self.key = key


@dataclass(frozen=True)
class Outcome:
    """`state` is done, dead letter, skipped, held, waiting or in doubt; `kind` is the class of what went wrong;
    `detail` a traceback where the fault is ours, `record` what could be read of a record that could not be read
    whole, `after` the time before which the system allows no next try. `outage` says that a system as a whole is away,
    `side` which one it was about (source or target), `needs` the entity and key of the record that this one waits for,
    `code` and `field` are the system's own where it named them, `unmapped` the lookup tables and the codes that they do
    not know."""

    state: str
    kind: str = ""
    reason: str = ""
    written: Written | None = None
    detail: str = ""
    record: dict[str, Any] = attribute(default_factory=dict)
    after: datetime | None = None
    outage: bool = False
    side: str = ""
    needs: tuple[str, str] | None = None
    code: str = ""
    field: str = ""
    unmapped: tuple[tuple[str, str], ...] = ()


AWAY = (OperationalError, InterfaceError)
REFUSALS = ((SignInRefused, "sign-in"), (NotFound, "not found"), (RecordRefused, "refused"), (NeedsPerson, "refused"))


def not_reported(outcome: Outcome, where: str, source: str) -> Outcome:
    """The same for a record that stands in the target while the source could not be told."""
    reason = f"{where}, not reported back to {source}: {outcome.reason}"
    kind = "sign-in" if outcome.kind == "sign-in" else "not reported back"
    return replace(outcome, kind=kind, reason=reason)


def outcome_of(error: Exception) -> Outcome:
    """The state that an exception leaves the record in, with the words for its operator."""
    if isinstance(error, Skip):
        return Outcome("skipped", "", error.message, record=error.record)
    if isinstance(error, Hold):
        return Outcome("held", error.kind, error.reason)
    if isinstance(error, AWAY):
        return Outcome("waiting", "temporary", "The hub's own database was away for a moment.", outage=True)
    if isinstance(error, Needs):
        return Outcome("waiting", "record", str(error), needs=(error.entity, error.key))
    if isinstance(error, TryLater):
        return Outcome(
            "waiting", "temporary", error.message, record=error.record, after=error.after, outage=error.outage
        )
    if isinstance(error, InDoubt):
        return Outcome("in doubt", "in doubt", error.message)
    if isinstance(error, MappingProblems):
        unmapped = {(one.table, str(one.value).strip()): None for one in error.problems if one.table}
        return Outcome("dead letter", "mapping", str(error), unmapped=tuple(unmapped))
    if isinstance(error, NeedsPerson):
        kind = next(name for kind, name in REFUSALS if isinstance(error, kind))
        words = f"{error.message} {error.hint}".strip()
        return Outcome("dead letter", kind, words, record=error.record, code=error.code, field=error.field)
    if isinstance(error, BadRule | NoSuchPath):
        return Outcome("dead letter", "mapping", f"{error}. Correct the rule.")
    if isinstance(error, BadValue):
        words = f"The value {shown(error.value)} {error.what}. {error.remedy}"
        unmapped = {(error.table, str(error.value).strip()): None} if error.table else {}
        return Outcome("dead letter", "mapping", words, unmapped=tuple(unmapped))
    detail = "".join(traceback.format_exception(error))
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name} {frames[-1].name}" if frames else ""
    words = f"Our fault: nothing to correct in the data ({type(error).__name__})."
    return Outcome("dead letter", "internal", words, detail=detail, code=place)
