"""Values that a person gave single target fields of one record, in place of what the rules made of it."""

from collections.abc import Mapping
from typing import Any

from mappings.apply import Mapped
from mappings.paths import NoSuchPath

BY_HAND = "edited by hand"


def edit(mapped: Mapped, edits: Mapping[str, Any]) -> None:
    """Changes the mapped record in place. `edits` are values by target path (`order_details[0].tax`); None empties the
    field. What the rules had to say against these fields counts no longer. Raises NoSuchPath for a row that is not
    there."""
    for path, value in edits.items():
        *rows, name = path.split(".")
        record = mapped.record
        for one in rows:
            record = _row(record, one, path)
        if value in (None, ""):
            record.pop(name, None)
        else:
            record[name] = value
        mapped.lineage[path] = BY_HAND
    mapped.problems = [one for one in mapped.problems if one.target not in edits]


def _row(record: dict[str, Any], part: str, path: str) -> dict[str, Any]:
    name, _, number = part.rstrip("]").partition("[")
    rows = record.get(name)
    if not isinstance(rows, list) or not number.isdecimal() or int(number) >= len(rows):
        raise NoSuchPath(path)
    row: dict[str, Any] = rows[int(number)]
    return row
