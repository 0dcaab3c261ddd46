"""Map: fills a target record from rules and checks it against the target's fields."""

from typing import Any

from hub.steps.conditions import applies
from hub.work import Work
from mappings.apply import apply
from mappings.paths import NoSuchPath
from mappings.problems import BadRule
from mappings.texts import fill
from mappings.validate import validate


def map_record(step: dict[str, Any], work: Work) -> None:
    """Keeps the mapped record under the mapping's name and adds every problem to the work's.

    `identity` are texts with fields in them that name the record for ever; the idempotency key is made from the first
    that has a value in it. Where
    `natural_key` names target fields and the target has a record with the same values, that one is taken instead: it
    stands under `found`. Either key is what other records point at, under `keys`.
    """
    name = step["mapping"]
    work.record["found"][name] = work.record["keys"][name] = None
    if not applies(step, work.scope):
        return
    mapping, target = work.flow.mappings[name], work.pair.target
    mapped = apply(mapping, work.record, work.flow.tables)
    work.problems += mapped.problems
    # A field that a failed look-up would have filled is not named a second time as empty.
    from_look_ups = {target for target, source in mapped.lineage.items() if source.startswith("found.")}
    named = from_look_ups if work.problems else set()
    work.problems += validate(mapped, target.entity(mapping.to).fields, named)
    work.mapped[name] = mapped
    work.record["mapped"][name] = mapped.record
    criteria = {field: mapped.record.get(field) for field in step.get("natural_key", [])}
    found = target.find(mapping.to, **criteria) if criteria and all(criteria.values()) else []
    work.record["found"][name] = found[0] if found else None
    key = str(found[0][target.entity(mapping.to).key]) if found else None
    work.record["keys"][name] = key or work.pair.idempotency_key(_identity(step, work))


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
