"""A record that is sent again meets the one that our key already names: is it the same one?

Only what identifies it is compared: texts, addresses and the status are the clerks' to change. Totals are compared by
whoever sends the record.
"""

from decimal import Decimal
from typing import Any

from connectors.base import Field, Record
from connectors.dynamics365.creation import line_key
from connectors.dynamics365.entities import Table
from connectors.dynamics365.failures import Task
from connectors.dynamics365.lines import differing, kept
from connectors.dynamics365.wire import same_value
from connectors.errors import NeedsPerson

RESEMBLING = ("productid", "productdescription")
Difference = tuple[str, str]  # the path of a field, and what differs there in words


def refuse_another(table: Table, record: Record, stands: Record, task: Task, amounts: int | None) -> None:
    """Raises NeedsPerson naming every difference. `amounts` are the decimals of the order's currency."""
    found = _values(table, record, stands)
    for name in table.rows:
        if record.get(name) is not None:
            found += _lines(table, name, record[name], stands, amounts)
    if found:
        raise NeedsPerson(
            f"Dynamics 365: {table.entity.label} {task.who} is there already under our key, and is another one than is "
            f"sent: {'; '.join(words for _, words in found)}.",
            "Either somebody changed it in Dynamics 365, or two records were given one key. Open it there and compare; "
            "correct it by hand, or delete it there and send it again.",
            field=found[0][0],
        )


def _values(table: Table, record: Record, stands: Record) -> list[Difference]:
    fields = [field for field in table.scalars() if field.name in table.identity and record.get(field.name)]
    return [
        (field.name, _words("", field, record[field.name], stands.get(field.name)))
        for field in fields
        if not same_value(field, record[field.name], stands.get(field.name))
    ]


def _lines(table: Table, name: str, sent: list[Record], stands: Record, amounts: int | None) -> list[Difference]:
    lines, there = table.rows[name], stands.get(name) or []
    partners, others = _paired(lines, sent, there, stands[table.key], amounts)
    found = [(name, f"{len(there)} of {len(sent)} lines are there")] if len(there) < len(sent) else []
    for number, (line, partner) in enumerate(zip(sent, partners, strict=True), 1):
        path = f"{name}[{number - 1}]"
        if partner is None:
            found.append((path, f"line {number} of ours is missing"))
            continue
        for one in differing(lines, line, partner, lines.identity, amounts):
            field = next(field for field in lines.scalars() if field.name == one)
            words = _words(f"line {number}: ", field, kept(field, line.get(one), amounts), partner.get(one))
            found.append((f"{path}.{one}", words))
    if others:
        found.append((name, f"{others} line{'s' if others > 1 else ''} there {'are' if others > 1 else 'is'} not ours"))
    return found


def _paired(
    lines: Table, sent: list[Record], there: list[Record], order_key: str, amounts: int | None
) -> tuple[list[Record | None], int]:
    """For each line that was sent the one that stands for it, and how many there stand for none. Lines that were
    written in a batch are known by their keys, others by what they hold."""
    by_key = {line[lines.key]: line for line in there}
    keyed = [by_key.get(line_key(order_key, number)) for number in range(1, len(sent) + 1)]
    if any(keyed):
        return keyed, len(there) - sum(one is not None for one in keyed)
    rest = list(there)
    found: list[Record | None] = [None] * len(sent)
    # Equal lines first, so that none of them is taken by one that only resembles it.
    for names in (lines.identity, RESEMBLING):
        for place, line in enumerate(sent):
            alike = (one for one in rest if not differing(lines, line, one, names, amounts))
            partner = next(alike, None) if found[place] is None else None
            if partner is not None:
                found[place] = partner
                rest.remove(partner)
    return found, len(rest)


def _words(where: str, field: Field, here: Any, there: Any) -> str:
    return f"{where}{field.label} is {_shown(there)} there and {_shown(here)} here"


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return "empty" if value is None else str(value)
