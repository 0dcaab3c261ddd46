"""Carries one record along its flow's steps."""

import time
from dataclasses import replace
from typing import Any

from connectors.base import Record
from connectors.errors import ConnectorError
from hub.flows import Flow
from hub.outcomes import Outcome, Stop, not_reported, outcome_of
from hub.steps import KINDS
from hub.steps.write import standing
from hub.work import Keeper, Pair, Work

WRITE, WRITE_BACK = "write", "write back"


def process(
    flow: Flow, pair: Pair, key: str, keeper: Keeper | None = None, read: Record | ConnectorError | None = None
) -> tuple[Outcome, Work | None]:
    """Reads the record from the source, walks the steps and says what became of it.

    `read` is the record where somebody has read it already, or the error that this gave. `keeper` is told before each
    write leaves, and what each left behind. Raises Stop where it does; whatever else goes wrong is an outcome. The work
    is None where the record could not be read.
    """
    work, step = None, {"kind": ""}
    try:
        work = Work(pair, flow, key, _record(flow, pair, key, read), keeper or Keeper())
        for step in _steps(work):
            started = time.monotonic()
            try:
                KINDS[step["kind"]](step, work)
            finally:
                took = round(time.monotonic() - started, 4)
                work.seconds.append({"name": step["name"], "kind": step["kind"], "seconds": took})
        written = work.written.get(flow.report["mapping"])
        notes = list(work.notes) if written is None or written.changed else ["Already there.", *work.notes]
        return Outcome("done", "", " ".join(notes), written), work
    except Stop:
        raise
    except Exception as error:  # the one place where everything unforeseen becomes a dead letter of class internal
        return _stopped(error, step["kind"], work), work


def _record(flow: Flow, pair: Pair, key: str, read: Record | ConnectorError | None) -> Record:
    if isinstance(read, ConnectorError):
        raise read
    return pair.source.read(flow.source, key) if read is None else read


def _steps(work: Work) -> list[dict[str, Any]]:
    """All of them, or those behind the last marked one where everything is written already.

    A walk that was broken off before that starts at the top: what was looked up and mapped is worked out anew, and the
    write step leaves out what is marked.
    """
    steps, marks = list(work.flow.steps), work.keeper.marks
    writes = [one["name"] for one in steps if one["kind"] == WRITE]
    if not writes or writes[-1] not in marks:
        return steps
    for one in steps:
        if one["kind"] == WRITE and marks.get(one["name"], {}).get("key"):
            work.wrote(one["mapping"], standing(work, one["mapping"], marks[one["name"]]))
    done = [number for number, one in enumerate(steps) if one["name"] in marks and one["kind"] in (WRITE, WRITE_BACK)]
    return steps[done[-1] + 1 :]


def _stopped(error: Exception, kind: str, work: Work | None) -> Outcome:
    outcome = replace(outcome_of(error), side="source" if work is None or kind == WRITE_BACK else "target")
    written = work.written.get(work.flow.report["mapping"]) if work else None
    if work is None or written is None:
        return outcome
    if kind == WRITE_BACK:
        target = work.pair.target
        number = written.record.get(target.entity(work.flow.target).number) or written.key
        outcome = not_reported(outcome, f"In {target.label} as {number}", work.pair.source.label)
    return replace(outcome, written=written)
