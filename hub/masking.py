"""Personal data, masked as it is shown to whoever has not asked to see it in clear.

What is personal is told by the names of fields, in whatever system's spelling; texts of requests and answers lose every
value that stood in such a field of the record.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

MASKED = "•••"
SHORTEST = 3  # characters of a value that is looked for in texts: shorter ones are part of too much
PERSONAL = re.compile(
    r"""^(?:
      (?:billto_|shipto_|contact|full|first|middle|last|nick)+_?(?:name|contactname)\d?
    | e?mail(?:address)?\d?
    | (?:tele|mobile|home|cell)?_?(?:phone|fax)(?:_?mobile)?\d?
    | (?:address\d_|billto_|shipto_|delivery_|invoice_)?
      (?:name|line\d|address\d|street\d?|postcode|zip(?:code)?|postal_?code|city|telephone\d?|fax|company)
    | company | siret | ape | dni | vat(?:_?number)? | tax_?number | iban | bic | birth(?:day|date|_date)? | gender\w*
    | (?:last_)?ip(?:_?address)? | gift_message | first_?message | note | other | alias
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
PEOPLE = re.compile(r"customer|contact|account|address|guest|employee|billto|shipto|recipient", re.IGNORECASE)


def masked(record: Any, about: str = "") -> Any:
    """A copy of the record with personal values masked. `about` is the kind of record, or the field that holds it: a
    bare `name` is personal only in somebody's own record. A name keeps its first letter."""
    if isinstance(record, dict):
        return {name: _masked(name, value, about) for name, value in record.items()}
    if isinstance(record, list):
        return [masked(one, about) for one in record]
    return record


def _masked(name: str, value: Any, about: str) -> Any:
    if isinstance(value, dict | list):
        return masked(value, name)
    return shown(value) if is_personal(name, about) else value


def is_personal(name: str, about: str = "") -> bool:
    """Whether a field of this name is personal in such a record."""
    if name == "name":
        return bool(PEOPLE.search(about))
    return bool(PERSONAL.match(name))


def path_is_personal(path: str) -> bool:
    """The same for a path: `delivery_address.address1`, `order.billto_name`."""
    *above, name = re.sub(r"\[\d*\]", "", path).split(".")
    return is_personal(name, above[-1] if above else "")


def shown(value: Any) -> Any:
    """What stands for a personal value: a text keeps its first letter and, in an e-mail, its domain."""
    if value in (None, "", 0, False):
        return value
    if isinstance(value, date | bool):
        return MASKED
    text = str(value)
    if "@" in text:
        return f"{text[0]}{MASKED}@{text.rpartition('@')[2]}"
    return f"{text[0]}{MASKED}"


def person(name: str) -> str:
    """A customer as lists show one: "Hana D."."""
    first, *rest = name.split()[:8] or [""]
    return f"{first} {rest[-1][0]}." if rest else first


class Mask:
    """Takes personal values out of texts: every one that stands in a personal field of these records."""

    def __init__(self, *records: Any) -> None:
        values = {str(one).strip() for record in records for one in personal_values(record)}
        kept = sorted((one for one in values if len(one) >= SHORTEST), key=len, reverse=True)
        forms = {form for one in kept for form in _spellings(one)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if longest_first else None

    def text(self, text: str) -> str:
        return self._pattern.sub(MASKED, text) if self._pattern else text


def personal_values(record: Any, about: str = "") -> Iterator[Any]:
    pairs: Iterable[tuple[str, Any]] = record.items() if isinstance(record, dict) else ()
    for name, value in pairs:
        if isinstance(value, dict | list):
            yield from personal_values(value, name)
        elif is_personal(name, about) and value not in (None, "", 0, False):
            yield value
    if isinstance(record, list):
        for one in record:
            yield from personal_values(one, about)


def _spellings(value: str) -> Iterator[str]:
    """As JSON and XML write it."""
    yield value
    yield value.encode("ascii", "backslashreplace").decode()
    yield value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield "".join(one if one.isascii() else f"\\u{ord(one):04x}" for one in value if ord(one) < 0x10000)
