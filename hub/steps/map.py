"""Map: fills a target record from rules and checks it against the target's fields."""

from typing import Any

from connectors.base import Entity, Record
from hub.steps.conditions import applies
from hub.work import Work
from mappings.apply import apply
from mappings.edits import edit
from mappings.paths import NoSuchPath
from mappings.problems import BadRule
from mappings.texts import fill
from mappings.transforms import folded
from mappings.validate import validate


def map_record(step: dict[str, Any], work: Work) -> None:
    """Keeps the mapped record under the mapping's name and adds every problem to the work's.

    `identity` are texts with fields in them that name the record for ever; the idempotency key is made from the first
    that has a value in it. `natural_key` names target fields: where the pair's cross-reference, or else these, lead to
    a record that the target has, that one is taken instead; it stands under `found`. Either key is what other records
    point at, under `keys`. With `moves` the natural key alone says which record it is: another value, another record.
    """
    name = step["mapping"]
    work.record["found"][name] = work.record["keys"][name] = None
    if not applies(step, work.scope):
        return
    mapping, target = work.flow.mappings[name], work.pair.target
    mapped = apply(mapping, work.record, work.flow.tables)
    edit(mapped, work.keeper.edits.get(name, {}))
    work.problems += mapped.problems
    # A field that a failed look-up would have filled is not named a second time as empty.
    from_look_ups = {target for target, source in mapped.lineage.items() if source.startswith("found.")}
    named = from_look_ups if work.problems else set()
    work.problems += validate(mapped, target.entity(mapping.to).fields, named)
    work.mapped[name] = mapped
    work.record["mapped"][name] = mapped.record
    work.record["keys"][name] = work.pair.idempotency_key(_identity(step, work))
    if step.get("natural_key"):
        _resolve(step, work, mapped.record)


def _resolve(step: dict[str, Any], work: Work, record: Record) -> None:
    """The key that the record has in the target already. Where it has none, the one under which whoever comes first
    creates it."""
    name, target = step["mapping"], work.pair.target
    entity = target.entity(work.flow.mappings[name].to)
    known = None if step.get("moves") else work.known(name)
    if known:
        work.record["found"][name] = {entity.key: known.key}
        work.record["keys"][name] = known.key
        return
    criteria = {field: record.get(field) for field in step["natural_key"]}
    if not all(criteria.values()):
        return
    found = target.find(entity.name, **criteria)
    if found:
        work.record["found"][name] = found[0]
        work.record["keys"][name] = str(found[0][entity.key])
    else:
        work.record["keys"][name] = _reserved(entity, criteria, work, work.record["keys"][name])


def _reserved(entity: Entity, criteria: Record, work: Work, own: str) -> str:
    """The key of whoever came first with these values; our own where that one's record has got others since."""
    key = work.keeper.reserve(entity.name, criteria, own)
    if key == own:
        return own
    stands = work.pair.target.find(entity.name, **{entity.key: key})
    moved = any(folded(one.get(field)) != folded(value) for one in stands for field, value in criteria.items())
    return own if moved else key


def _identity(step: dict[str, Any], work: Work) -> str:
    for text in step["identity"]:
        filled, complete = fill(text, lambda path: _value(work, path))
        if complete:
            return filled
    raise BadRule(f"The step '{step['name']}' finds nothing in the record to identify it by: its texts are all empty")


def _value(work: Work, path: str) -> Any:
    try:
        return work.scope.get(path)
    except NoSuchPath:  # a mapped record has no field that stayed empty
        return None
