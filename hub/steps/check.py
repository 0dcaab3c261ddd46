"""Check: stops a record that may not be sent, with everything that is wrong with it at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from connectors.errors import Skip
from hub.outcomes import Hold
from hub.steps.conditions import applies
from hub.steps.write_back import due
from hub.work import Work
from mappings.amounts import as_amount, quantized, total_of
from mappings.apply import apply_rules
from mappings.problems import MappingProblem, MappingProblems
from mappings.rules import read_rules

AT_ONCE = timedelta(seconds=5)  # a source's clock and its whole seconds


def check(step: dict[str, Any], work: Work) -> None:
    CHECKS[step["check"]](step, work)


def no_problems(step: dict[str, Any], work: Work) -> None:
    """Raises MappingProblems with all that the steps before have found."""
    if work.problems:
        raise MappingProblems(work.problems)


def totals(step: dict[str, Any], work: Work) -> None:
    """Compares the source's total with what the target will compute, both in the record's currency.

    1. A total with more decimals than its currency keeps is nobody's to round: the record is held.
    2. Within the tolerance (half a smallest unit, `tolerance` times, for each of `rounded_rows` and for the total) it
       becomes a row of its own, made by the rules in
       `row`, which read it at `difference`. Nothing else of the record changes.
    3. Beyond it the record is held; the reason gives both sums and each of `parts` (two sides that ought to be equal in
       the source) that is not.
    """
    mapped = work.mapped[step["mapping"]]
    wanted, places = _exact_total(step, work)
    unit = Decimal(1).scaleb(-places)
    expected = work.pair.target.expected_total(work.flow.mappings[step["mapping"]].to, mapped.record)
    difference = wanted - expected
    work.record["difference"] = difference
    if not difference:
        return
    rows = mapped.record[step["rows"]]
    rounded = len(work.scope.get(step["rounded_rows"]) or []) + 1  # each row, and the total itself
    halves = as_amount(work.scope.get(step["tolerance"])) * rounded
    tolerance = unit * (halves / 2).to_integral_value(ROUND_FLOOR)
    if abs(difference) > tolerance:
        raise Hold(_where_they_part(step, work, wanted, expected, tolerance, places), "totals")
    added = apply_rules(read_rules(step["row"], step["name"]), work.scope, work.flow.tables)
    rows.append(added.record)
    work.notes.append(f"A line of {difference} {work.scope.get(step['currency'])} carries the rounding difference.")


def _exact_total(step: dict[str, Any], work: Work) -> tuple[Decimal, int]:
    """The source's total and its currency's decimal places. Raises Hold where the two do not fit."""
    places = int(work.scope.get(step["places"]))
    total = as_amount(work.scope.get(step["total"]))
    if total != quantized(total, places):
        raise Hold(
            f"{work.pair.source.label} says {total.normalize():f} {work.scope.get(step['currency'])}, and there this "
            f"currency keeps {places} decimals. {step['remedy']}",
            "totals",
        )
    return quantized(total, places), places


def _where_they_part(
    step: dict[str, Any], work: Work, wanted: Decimal, expected: Decimal, tolerance: Decimal, places: int
) -> str:
    currency = work.scope.get(step["currency"])
    source, target = work.pair.source.label, work.pair.target.label
    words = [
        f"{source} says {wanted} {currency}, {target} would say {expected} {currency}: "
        f"a difference of {wanted - expected}, and rounding can explain {tolerance} at most."
    ]
    for part in step["parts"]:
        left, right = (quantized(_sum(part[side], work), places) for side in ("left", "right"))
        if left != right:
            words.append(f"{part['label']}: {left} against {right}, a difference of {left - right}.")
    return " ".join([*words, step["remedy"]])


def _sum(paths: list[str], work: Work) -> Decimal:
    return total_of([(one, work.scope.get(one.removeprefix("-"))) for one in paths])


def read_back(step: dict[str, Any], work: Work) -> None:
    """Compares the source's total with the one that now stands in the target. Raises Hold where they differ."""
    wanted, _ = _exact_total(step, work)
    written = work.written[step["mapping"]]
    stands = as_amount(written.record[step["target_total"]])
    if stands != wanted:
        currency = work.scope.get(step["currency"])
        raise Hold(
            f"{work.pair.target.label} now has {stands} {currency} where {work.pair.source.label} says "
            f"{wanted} {currency}, a difference of {wanted - stands}. {step['remedy']} {written.link}".strip(),
            "totals",
        )


def present(step: dict[str, Any], work: Work) -> None:
    """Raises MappingProblems where the source record lacks a part that it points at."""
    gone = [path for path in step["paths"] if work.scope.get(path) is None]
    if gone:
        raise MappingProblems(MappingProblem(path, None, step["missing"], step["remedy"]) for path in gone)


def hold(step: dict[str, Any], work: Work) -> None:
    """Raises Hold with the step's reason where its condition is met."""
    if applies(step, work.scope):
        raise Hold(step["reason"], step["kind_of_hold"])


def echo(step: dict[str, Any], work: Work) -> None:
    """Raises Skip where the record changed in the source because we wrote back to it, and in nothing that is sent.

    It counts as ours only by the time: `changed` is the path of the source's own last change. It is none while the
    write back step that `unless_due` names has something to tell: what that one reads is ours and may have changed all
    the same, just before we wrote.
    """
    known = work.known(step["mapping"])
    if known is None or known.reported_at is None or work.keeper.by_person or work.keeper.marks:
        return
    if any(one["name"] == step.get("unless_due") and due(one, work) is not None for one in work.flow.steps):
        return
    last = work.scope.get(step["changed"])
    if isinstance(last, datetime) and last <= known.reported_at + AT_ONCE and known.digest == work.digest():
        raise Skip(f"{step['reason']}: rule '{step['name']}'.")


CHECKS: dict[str, Callable[[dict[str, Any], Work], None]] = {
    "no problems": no_problems,
    "totals": totals,
    "read back": read_back,
    "present": present,
    "hold": hold,
    "echo": echo,
}
