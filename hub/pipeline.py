"""Carries one record along its flow's steps."""

from collections.abc import Callable

from hub.flows import Flow
from hub.outcomes import Outcome, Stop, outcome_of
from hub.steps import KINDS
from hub.work import Pair, Work, no_mark


def process(
    flow: Flow, pair: Pair, key: str, before_write: Callable[[], None] = no_mark
) -> tuple[Outcome, Work | None]:
    """Reads the record from the source, walks the steps and says what became of it. `before_write` is called before
    each write leaves. Raises Stop where that does; whatever else goes wrong is an outcome. The work is None where the
    record could not be read."""
    work = None
    try:
        work = Work(pair, flow, key, pair.source.read(flow.source, key), before_write)
        for step in flow.steps:
            KINDS[step["kind"]](step, work)
        written = work.written.get(flow.report["mapping"])
        notes = list(work.notes) if written is None or written.changed else ["Already there.", *work.notes]
        return Outcome("done", "", " ".join(notes), written), work
    except Stop:
        raise
    except Exception as error:  # the one place where everything unforeseen becomes a dead letter of class internal
        return outcome_of(error), work
