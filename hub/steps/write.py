"""Write: sends a mapped record to the target, once."""

from typing import Any

from connectors.base import Written
from connectors.errors import InDoubt, TryLater
from hub.steps.conditions import applies
from hub.work import Work


def write(step: dict[str, Any], work: Work) -> None:
    """Writes the record that the mapping of this name made.

    1. What a mark says is written is not written again.
    2. A record that the target had before, under its natural key or a cross-reference, is taken as it is; with
       `update`, a setting that is on, one that the pair has written before is changed where the source has changed.
    3. Anything else is created under the key that the record has for ever. Where an earlier try may have arrived, and
       where an answer was lost, it is asked for by that key before any second write, which carries the same key.
    Raises what the connector raises, InDoubt also where the question has no answer yet.
    """
    name = step["mapping"]
    if name not in work.mapped or not applies(step, work.scope):
        return
    if work.keeper.marks.get(step["name"], {}).get("key"):
        left = work.keeper.marks[step["name"]]
        work.wrote(name, standing(work, name, left))
        return
    found = work.record["found"].get(name)
    written = _taken(step, work, found) if found else _created(step, work)
    work.wrote(name, written)
    left = {"key": written.key, "changed": written.changed, "link": written.link, "digest": work.digest()}
    work.keeper.mark(step["name"], left)


def standing(work: Work, mapping: str, left: dict[str, Any]) -> Written:
    """What a marked write left, read again from the target."""
    record = work.pair.target.read(work.flow.mappings[mapping].to, left["key"])
    return Written(left["key"], left["changed"], left["link"], record)


def _taken(step: dict[str, Any], work: Work, found: dict[str, Any]) -> Written:
    name, target = step["mapping"], work.pair.target
    entity, key = work.flow.mappings[name].to, work.record["keys"][name]
    known = work.known(name)
    edited = bool(work.keeper.edits.get(name))
    changed = known is not None and known.key == key and (edited or known.digest not in ("", work.digest()))
    if not (changed and step.get("update") and work.record["settings"][step["update"]]):
        return Written(key, False, target.link(entity, key), found)
    work.keeper.before_write()
    return target.write(entity, work.mapped[name].record, key=key)


def _created(step: dict[str, Any], work: Work) -> Written:
    name, target = step["mapping"], work.pair.target
    entity, record, key = work.flow.mappings[name].to, work.mapped[name].record, work.record["keys"][name]
    if work.keeper.sent_before and (arrived := _arrived(work, entity, key)):
        return arrived
    work.keeper.before_write()
    try:
        return target.write(entity, record, idempotency_key=key)
    except InDoubt as lost:
        try:
            arrived = _arrived(work, entity, key)
        except TryLater as error:
            raise InDoubt(f"{lost.message} Whether it arrived could not be asked: {error.message}") from error
        return arrived or target.write(entity, record, idempotency_key=key)


def _arrived(work: Work, entity: str, key: str) -> Written | None:
    """What an earlier try has left under the key, or nothing."""
    target = work.pair.target
    if not target.find(entity, **{target.entity(entity).key: key}):
        return None
    return Written(key, True, target.link(entity, key), target.read(entity, key))
