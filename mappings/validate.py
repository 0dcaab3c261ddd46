"""Checks a mapped record against the fields of the target entity: required, type, length, choice, range."""

from collections.abc import Sequence, Set
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from mappings.apply import Mapped
from mappings.problems import MappingProblem


class FieldLike(Protocol):
    """What a target field says of itself; a connector's Field is one."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def required(self) -> bool: ...
    @property
    def writable(self) -> bool: ...
    @property
    def max_length(self) -> int | None: ...
    @property
    def choices(self) -> tuple[tuple[int | str, str], ...]: ...
    @property
    def minimum(self) -> Decimal | None: ...
    @property
    def maximum(self) -> Decimal | None: ...
    @property
    def fields(self) -> Sequence["FieldLike"]: ...


TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "reference": (str,),
    "integer": (int,),
    "decimal": (Decimal, int),
    "money": (Decimal, int),
    "boolean": (bool,),
    "date": (date,),
    "datetime": (datetime,),
    "rows": (list,),
}


def validate(mapped: Mapped, fields: Sequence[FieldLike], named: Set[str] = frozenset()) -> list[MappingProblem]:
    """Every problem of the record and its rows, in the order of the fields; empty where it may be sent. The target
    fields in `named` have a problem already that says why they are empty."""
    named = named | {one.target for one in mapped.problems}
    found = _record(mapped.record, fields, "", mapped)
    return [one for one in found if one.value not in (None, "") or one.target not in named]


def _record(record: dict[str, Any], fields: Sequence[FieldLike], prefix: str, mapped: Mapped) -> list[MappingProblem]:
    known = {one.name for one in fields}
    problems = [
        _problem(prefix + name, record[name], "is no field of the target", "Correct the rule's target.", mapped)
        for name in record
        if name not in known
    ]
    for field in fields:
        target = prefix + field.name
        value = record.get(field.name)
        if value in (None, ""):
            if field.required:
                what = f"is empty, and '{field.label}' is required"
                problems.append(_problem(target, value, what, "Fill it in, or give the rule a default.", mapped))
            continue
        problems += _value(field, value, target, mapped)
    return problems


def _value(field: FieldLike, value: Any, target: str, mapped: Mapped) -> list[MappingProblem]:
    if not field.writable:
        return [_problem(target, value, f"'{field.label}' cannot be written", "Remove the rule.", mapped)]
    if fault := _type_fault(field, value):
        return [_problem(target, value, fault, "Correct the value, or the rule that makes it.", mapped)]
    if field.type == "rows":
        rows = enumerate(value)
        return [one for number, row in rows for one in _record(row, field.fields, f"{target}[{number}].", mapped)]
    found = []
    if field.max_length and isinstance(value, str) and len(value) > field.max_length:
        what = f"has {len(value)} characters, and '{field.label}' takes {field.max_length}"
        found.append(_problem(target, value, what, "Shorten it, or add 'shorten' to the rule.", mapped))
    if field.choices and value not in [code for code, _ in field.choices]:
        offered = ", ".join(f"{code} {label}" for code, label in field.choices)
        found.append(
            _problem(target, value, f"is no choice of '{field.label}' ({offered})", "Choose one of them.", mapped)
        )
    if _out_of_range(field, value):
        what = f"is outside of what '{field.label}' takes ({field.minimum} to {field.maximum})"
        found.append(_problem(target, value, what, "Correct the value.", mapped))
    return found


def _type_fault(field: FieldLike, value: Any) -> str:
    wanted = TYPES.get(field.type)
    if wanted is None:  # a choice: its codes say what it takes
        return ""
    right = isinstance(value, wanted) and (field.type == "boolean" or not isinstance(value, bool))
    if field.type == "date" and isinstance(value, datetime):
        right = False
    if field.type == "datetime" and right and value.tzinfo is None:
        return f"has no time zone, and '{field.label}' is a point in time"
    if isinstance(value, Decimal) and not value.is_finite():
        right = False
    return "" if right else f"is not of the type that '{field.label}' takes ({field.type})"


def _out_of_range(field: FieldLike, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    below = field.minimum is not None and value < field.minimum
    return below or (field.maximum is not None and value > field.maximum)


def _problem(target: str, value: Any, what: str, remedy: str, mapped: Mapped) -> MappingProblem:
    return MappingProblem(mapped.lineage.get(target, ""), value, what, remedy, target)
