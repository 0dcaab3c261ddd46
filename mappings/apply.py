"""Applies a mapping to a record: the target record, every problem at once, and where each field came from."""

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from typing import Any

from mappings.paths import NoSuchPath, Scope
from mappings.problems import BadValue, MappingProblem
from mappings.rules import Mapping, RowRule, RowSource, Rule
from mappings.transforms import TRANSFORMS, Context, LookupTable


@dataclass
class Mapped:
    """`lineage` leads from a target path (`order_details[0].tax`) to the source path that filled it; `reads` holds
    every source path that was read, with its value."""

    record: dict[str, Any] = field(default_factory=dict)
    problems: list[MappingProblem] = field(default_factory=list)
    lineage: dict[str, str] = field(default_factory=dict)
    reads: dict[str, Any] = field(default_factory=dict)


def apply(mapping: Mapping, record: dict[str, Any], tables: Dictionary[str, LookupTable]) -> Mapped:
    """`record` holds plain values. A rule whose value ends empty fills nothing."""
    reads: dict[str, Any] = {}
    values = apply_rules(mapping.values, Scope(record, reads=reads), tables)
    named = {**dict.fromkeys(one.to for one in mapping.values), **values.record}
    mapped = apply_rules(mapping.rules, Scope({**record, "values": named}, reads=reads), tables)
    mapped.problems[:0] = values.problems
    mapped.reads = reads
    return mapped


def apply_rules(rules: tuple[Rule | RowRule, ...], scope: Scope, tables: Dictionary[str, LookupTable]) -> Mapped:
    """The same for single rules, in the scope of one row or of the whole record."""
    mapped = Mapped()
    for rule in rules:
        if isinstance(rule, RowRule):
            _apply_rows(rule, scope, tables, mapped)
        else:
            _apply_rule(rule, Context(scope, tables), mapped.record, "", mapped)
    return mapped


def _apply_rows(rule: RowRule, scope: Scope, tables: Dictionary[str, LookupTable], mapped: Mapped) -> None:
    rows = mapped.record.setdefault(rule.to, [])
    for source in rule.sources:
        for row_scope in _row_scopes(source, scope, mapped):
            context = Context(row_scope, tables)
            if not _holds(source, context, rule.to, mapped):
                continue
            row: dict[str, Any] = {}
            for one in source.rules:
                _apply_rule(one, context, row, f"{rule.to}[{len(rows)}].", mapped)
            rows.append(row)


def _row_scopes(source: RowSource, scope: Scope, mapped: Mapped) -> list[Scope]:
    if not source.each:
        return [scope]
    try:
        rows = scope.get(source.each) or []
    except NoSuchPath as error:
        mapped.problems.append(_missing(error, source.each, ""))
        return []
    return [Scope(scope.record, row, f"{source.each}[{number}]", scope.reads) for number, row in enumerate(rows)]


def _holds(item: Rule | RowSource, context: Context, target: str, mapped: Mapped) -> bool:
    if item.when is None:
        return True
    try:
        return item.when.holds(context.scope)
    except NoSuchPath as error:
        mapped.problems.append(_missing(error, context.scope.full(error.path), target))
    except BadValue as error:
        path = context.scope.full(item.when.path)
        mapped.problems.append(MappingProblem(path, error.value, error.what, error.remedy, target))
    return False


def _apply_rule(rule: Rule, context: Context, target: dict[str, Any], prefix: str, mapped: Mapped) -> None:
    field = _target(rule, context)
    name = prefix + field
    if not field or not _holds(rule, context, name, mapped):
        return
    source = context.scope.full(rule.source) if rule.source else ""
    value = None
    try:
        value = context.scope.get(rule.source) if rule.source else None
        for step in rule.steps:
            value = TRANSFORMS[step.name].function(value, _arguments(step.arguments, context.scope), context)
    except NoSuchPath as error:
        mapped.problems.append(_missing(error, context.scope.full(error.path), name))
        return
    except BadValue as error:
        bad = error.value if error.value is not None else value
        mapped.problems.append(MappingProblem(source, bad, error.what, error.remedy, name, error.table))
        return
    value = rule.default if value in (None, "") else value
    mapped.lineage[name] = source
    if value not in (None, ""):
        target[field] = value


def _target(rule: Rule, context: Context) -> str:
    """A target `@setting` is the field that this setting of the target connection names, or none."""
    return str(context.scope.get(f"$.target.{rule.to[1:]}") or "") if rule.to.startswith("@") else rule.to


def _arguments(arguments: Any, scope: Scope) -> Any:
    """Replaces every `{"path": …}` in the arguments, lists too, by the value there."""
    if isinstance(arguments, dict):
        if set(arguments) == {"path"}:
            return scope.get(str(arguments["path"]))
        return {name: _arguments(value, scope) for name, value in arguments.items()}
    if isinstance(arguments, list):
        return [_arguments(one, scope) for one in arguments]
    return arguments


def _missing(error: NoSuchPath, path: str, target: str) -> MappingProblem:
    return MappingProblem(path, None, str(error), "Correct the path in the rule.", target)
