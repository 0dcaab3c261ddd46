"""Compares what a file wants with the rows: each change in words, with what makes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from hub import flow_versions, rules
from hub.applying import changing
from hub.applying.checking import Wanted
from hub.applying.reading import File
from hub.lookups import difference as entries_difference
from hub.models import Connection, Flow, LookupTable, Mapping, Message, Pair, SyncJob
from hub.records import digest

Difference = list[tuple[str, str, str]]


def _nothing(by: changing.By) -> None:
    """For words whose change another one makes with others together."""


@dataclass(frozen=True)
class Change:
    """`words` hold no secret; `act` makes it, inside a transaction, for whoever applies the file."""

    words: str
    act: Callable[[changing.By], None]


def plan(file: File, wanted: Wanted) -> tuple[list[Change], list[str]]:
    """The changes in the order in which they can be made, and what is left as it is since the file does not name it.
    Raises BadFile for what the rows do not allow."""
    changes = [one for name, data in wanted["connections"].items() for one in _connection(file, name, data)]
    for name, data in wanted["pairs"].items():
        changes += _pair(file, name, data)
    file.refuse()
    return changes, list(_left(wanted))


def _connection(file: File, name: str, data: Wanted) -> Iterator[Change]:
    row = Connection.objects.filter(name=name).first()
    place = f"connection {name}"
    if row is None:
        yield Change(f"{place}: added", partial(changing.add_connection, name=name, data=data))
        return
    if row.system != data["system"]:
        file.wrong(
            ("connections", name, "system"), f"{name!r} is a connection to {row.system}; that cannot be changed."
        )
        return
    told = _fields({"label": row.label, "poll_seconds": row.poll_seconds}, data)
    told += [(f"settings {a}", b, c) for a, b, c in _fields(row.settings, data["settings"], whole=True)]
    for what, before, after in told:
        yield Change(f"{place}: {what} changed from {before} to {after}", _nothing)
    if told:
        yield Change("", partial(changing.change_connection, name=name, data=data, told=told))
    for secret, value in data["secrets"].items():
        stands = row.secret(secret)
        if value not in stands[:1]:
            words = f"{place}: secret {secret} {'changed' if stands else 'set'}"
            yield Change(words, partial(changing.set_secret, name=name, secret=secret, value=value))


def _fields(before: Wanted, after: Wanted, whole: bool = False) -> Difference:
    """What differs; with `whole` also what one of the two lacks."""
    names = dict.fromkeys([*before, *after] if whole else before)
    return [
        (one, _shown(before, one), _shown(after, one)) for one in names if before.get(one, ...) != after.get(one, ...)
    ]


def _shown(values: Wanted, name: str) -> str:
    return repr(values[name]) if name in values else "nothing"


def _pair(file: File, name: str, data: Wanted) -> Iterator[Change]:
    row = Pair.objects.select_related("source", "target").filter(name=name).first()
    place = f"pair {name}"
    if row is None:
        yield Change(
            f"{place}: added, of {data['shop']} and {data['erp']}", partial(changing.add_pair, name=name, data=data)
        )
    else:
        _allowed(file, name, row, data)
        told = _fields({"label": row.label}, data)
        if data["namespace"] and str(row.namespace) != data["namespace"]:
            told.append(("namespace", str(row.namespace), data["namespace"]))
        for what, before, after in told:
            yield Change(f"{place}: {what} changed from {before} to {after}", _nothing)
        if told:
            yield Change("", partial(changing.change_pair, name=name, data=data, told=told))
    for table, one in data["tables"].items():
        yield from _table(row, name, table, one)
    for mapping, one in data["mappings"].items():
        yield from _mapping(row, name, mapping, one)
    for flow, one in data["flows"].items():
        yield from _flow(file, row, name, flow, one)
    if data["polls"] is not None:
        yield from _polls(row, name, data)


def _allowed(file: File, name: str, row: Pair, data: Wanted) -> None:
    for end, stands in (("shop", row.source.name), ("erp", row.target.name)):
        if data[end] != stands:
            file.wrong(("pairs", name, end), f"The pair {name!r} has {stands!r} as its {end}; that cannot be changed.")
    moved = data["namespace"] and str(row.namespace) != data["namespace"]
    if moved and Message.objects.filter(flow__pair=row).exists():
        words = "The namespace of a pair over which something was sent cannot be changed: its records would double."
        file.wrong(("pairs", name, "namespace"), words)


def _table(pair: Pair | None, owner: str, name: str, data: Wanted) -> Iterator[Change]:
    row = LookupTable.objects.filter(pair=pair, name=name).first() if pair else None
    place = f"pair {owner}, table {name}"
    before = dict(row.entries.values_list("theirs", "ours")) if row else {}
    if row is None:
        yield Change(
            f"{place}: added with {len(data['entries'])} entries",
            partial(changing.save_table, owner=owner, name=name, data=data),
        )
        return
    told = entries_difference(before, data["entries"])
    for code, left, right in told:
        does = (
            f"changed from {left} to {right}"
            if left and right
            else f"added as {right}"
            if right
            else f"removed ({left})"
        )
        yield Change(f"{place}: {code} {does}", _nothing)
    if row.label != data["label"]:
        yield Change(f"{place}: label changed from {row.label!r} to {data['label']!r}", _nothing)
    if told or row.label != data["label"]:
        yield Change("", partial(changing.save_table, owner=owner, name=name, data=data))


def _mapping(pair: Pair | None, owner: str, name: str, data: Wanted) -> Iterator[Change]:
    row = Mapping.objects.select_related("current").filter(pair=pair, name=name).first() if pair else None
    place = f"pair {owner}, mapping {name}"
    if row is None:
        count = len(data["data"]["rules"])
        yield Change(
            f"{place}: added with {count} rules", partial(changing.save_mapping, owner=owner, name=name, data=data)
        )
        return
    before = rules.data_of(row.current) if row.current else {"to": row.target_entity, "values": [], "rules": []}
    told = _told(rules.difference(before, data["data"]), before, data["data"], "the rules")
    for what, left, right in told:
        yield Change(f"{place}: {_does(what, left, right)}", _nothing)
    if row.label != data["label"]:
        yield Change(f"{place}: label changed from {row.label!r} to {data['label']!r}", _nothing)
    if told or row.label != data["label"]:
        yield Change("", partial(changing.save_mapping, owner=owner, name=name, data=data))


def _told(found: Difference, before: Any, after: Any, what: str) -> Difference:
    """What differs in words; where words do not show it, that something does."""
    return found or ([(what, "", "changed")] if digest(before) != digest(after) else [])


def _does(what: str, left: str, right: str) -> str:
    if left and right:
        return f"{what} changed from {left} to {right}"
    return f"{what} {'added: ' + right if right and right != 'changed' else right or 'removed (' + left + ')'}"


def _flow(file: File, pair: Pair | None, owner: str, name: str, data: Wanted) -> Iterator[Change]:
    row = Flow.objects.select_related("current").filter(pair=pair, name=name).first() if pair else None
    place = f"pair {owner}, flow {name}"
    if row is None:
        yield Change(f"{place}: added", partial(changing.save_flow, owner=owner, name=name, data=data))
        return
    for end, stands in (("from", row.source_entity), ("to", row.target_entity)):
        if data[end] != stands:
            file.wrong(("pairs", owner, "flows", name, end), f"The flow goes {end} {stands!r}; that cannot be changed.")
    told = _fields({"label": row.label, "on": row.on}, data)
    told += [(f"setting {a}", b, c) for a, b, c in _fields(row.settings, data["settings"], whole=True)]
    steps, report = (row.current.steps, row.current.report) if row.current else ([], {})
    told += _told(flow_versions.difference(steps, data["steps"]), steps, data["steps"], "the steps")
    told += [(f"report {a}", b, c) for a, b, c in _fields(report, data["report"], whole=True)]
    for what, left, right in told:
        yield Change(f"{place}: {_does(what, left, right)}", _nothing)
    if told:
        yield Change("", partial(changing.save_flow, owner=owner, name=name, data=data))


def _polls(pair: Pair | None, owner: str, data: Wanted) -> Iterator[Change]:
    wanted = [str(one) for one in data["polls"]]
    jobs = SyncJob.objects.filter(connection=pair.source, kind=SyncJob.Kind.POLL) if pair else SyncJob.objects.none()
    on = set(jobs.filter(on=True).values_list("entity", flat=True))
    for entity in sorted(set(wanted) ^ on):
        words = f"pair {owner}: poll of {entity} {'on' if entity in wanted else 'off'}"
        switched = entity in wanted
        yield Change(words, partial(changing.set_poll, owner=owner, entity=entity, on=switched))


def _left(wanted: Wanted) -> Iterator[str]:
    """What stands in the hub and not in the file, counted by kind."""
    kinds: tuple[tuple[str, Any, str], ...] = (
        ("flow", Flow, "flows"),
        ("mapping", Mapping, "mappings"),
        ("lookup table", LookupTable, "tables"),
    )
    for name, data in wanted["pairs"].items():
        for label, model, part in kinds:
            others = model.objects.filter(pair__name=name).exclude(name__in=data[part]).values_list("name", flat=True)
            if others:
                yield f"pair {name}: {label} {', '.join(sorted(others))}"
