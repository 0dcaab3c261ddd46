"""Look up: finds the target's own records that this record points at."""

from typing import Any

from connectors.base import Record
from hub.outcomes import Needs
from hub.steps.conditions import applies
from hub.work import Work
from mappings.apply import apply_rules
from mappings.paths import Scope
from mappings.problems import MappingProblem
from mappings.rules import read_rules
from mappings.texts import words


def look_up(step: dict[str, Any], work: Work) -> None:
    """Puts what it finds under `found` of the record, or of each row at `each`.

    `by` are rules that fill the fields to search by. `missing` are the words for a record that is not there, with a
    `remedy`, unless the condition `optional` holds; without them the place stays empty. `several` are the words where
    more than one is no choice to make by itself; without them the oldest is taken. `keep` remembers the answer for as
    long as the session's cache does. With `reference` what is looked for is another record of the source, by its
    cross-reference: where there is none yet, this record waits for that one. Raises Needs.
    """
    if step.get("reference"):
        work.record["found"][step["as"]] = _reference(step, work) if applies(step, work.scope) else None
        return
    if not step.get("each"):
        if applies(step, work.scope):
            work.record["found"][step["as"]] = _find(step, work, work.scope)
        else:
            work.record["found"][step["as"]] = None
        return
    for number, row in enumerate(work.record[step["each"]] or []):
        scope = Scope(work.record, row, f"{step['each']}[{number}]")
        row.setdefault("found", {})[step["as"]] = _find(step, work, scope) if applies(step, scope) else None


def _reference(step: dict[str, Any], work: Work) -> Record | None:
    wanted = step["reference"]
    key = words(work.scope.get(wanted["key"]))
    if not key:
        return None
    known = work.keeper.reference(wanted["entity"], key, wanted["to"])
    if known is None:
        raise Needs(wanted["entity"], key, work.pair.source.entity(wanted["entity"]).label)
    return {"key": known.key, "link": known.link}


def _find(step: dict[str, Any], work: Work, scope: Scope) -> Record | None:
    rules = read_rules(step["by"], step["name"])
    criteria = apply_rules(rules, scope, work.flow.tables)
    work.problems += criteria.problems
    if criteria.problems:
        return None
    path = scope.full(rules[0].source) if rules else step["name"]
    found = _records(step, work, criteria.record) if criteria.record or not rules else []
    value = next(iter(criteria.record.values()), None)
    if len(found) > 1 and "several" in step:
        work.problems.append(MappingProblem(path, value, step["several"], step["remedy"]))
        return None
    if not found and "missing" in step:
        if not applies(step, scope, "optional"):
            work.problems.append(MappingProblem(path, value, step["missing"], step["remedy"]))
        return None
    return found[0] if found else None


def _records(step: dict[str, Any], work: Work, criteria: dict[str, Any]) -> list[Record]:
    target = work.pair.target
    if not step.get("keep"):
        return target.find(step["entity"], **criteria)
    name = (step["entity"], *sorted(criteria.items()))
    found: list[Record] = target.session.cache.get_or(name, lambda: target.find(step["entity"], **criteria))
    return found
