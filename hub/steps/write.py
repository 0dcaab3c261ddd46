"""Write: sends a mapped record to the target, once."""

from typing import Any

from connectors.base import Written
from connectors.errors import InDoubt
from hub.steps.conditions import applies
from hub.work import Work


def write(step: dict[str, Any], work: Work) -> None:
    """Writes the record that the mapping of this name made. A lost answer is asked about by key before any second
    write, and the second carries the same idempotency key. Raises what the connector raises."""
    name = step["mapping"]
    if name not in work.mapped or not applies(step, work.scope):
        return
    entity = work.flow.mappings[name].to
    record, key = work.mapped[name].record, work.record["keys"][name]
    target = work.pair.target
    work.before_write()
    try:
        work.written[name] = target.write(entity, record, idempotency_key=key)
    except InDoubt:
        if target.find(entity, **{target.entity(entity).key: key}):
            work.written[name] = Written(key, True, target.link(entity, key), target.read(entity, key))
        else:
            work.written[name] = target.write(entity, record, idempotency_key=key)
