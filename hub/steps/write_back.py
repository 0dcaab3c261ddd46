"""Write back: tells the source what became of its record in the target."""

from typing import Any

from connectors.base import Record
from connectors.errors import InDoubt
from hub.steps.conditions import applies
from hub.work import Work
from mappings.apply import apply_rules
from mappings.problems import MappingProblems
from mappings.rules import read_rules


def write_back(step: dict[str, Any], work: Work) -> None:
    """`key` is the path of the key of the source's record to change, absent where one is added; the rest `due` says.
    Where the answer was lost, what the connector needs to find out is kept and given to it the next time. Raises what
    the connector raises, and MappingProblems."""
    marks, name = work.keeper.marks, step["name"]
    record = None if name in marks else due(step, work)
    if record is None:
        return
    key = str(work.scope.get(step["key"])) if step.get("key") else None
    # The step is not marked before it is done: a walk goes on behind the last one that is.
    doubt = f"{name}, in doubt"
    work.keeper.before_write()
    try:
        written = work.pair.source.write(step["entity"], record | marks.get(doubt, {}), key)
    except InDoubt as error:
        if error.resume:
            work.keeper.mark(doubt, error.resume)
        raise
    work.keeper.mark(name, {"key": written.key})


def due(step: dict[str, Any], work: Work) -> Record | None:
    """What the step has to tell the source now: a record of the source's `entity` that the rules in `record` fill.

    None where the setting that `setting` names is off, where the condition `when` does not hold, and where the field
    that `only_with` names stays empty. Raises MappingProblems.
    """
    if step.get("setting") and not work.record["settings"][step["setting"]]:
        return None
    if not applies(step, work.scope):
        return None
    filled = apply_rules(read_rules(step["record"], step["name"]), work.scope, work.flow.tables)
    if filled.problems:
        raise MappingProblems(filled.problems)
    needed = step.get("only_with")
    return filled.record if needed is None or needed in filled.record else None
