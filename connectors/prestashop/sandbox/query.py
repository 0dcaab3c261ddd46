"""Which records a list shows and in what order: `filter`, `sort`, `limit`, `date` and `language`."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from connectors.prestashop.sandbox.errors import Crashed, Refused, nearest, query_refused
from connectors.prestashop.sandbox.schema import DATES, Field, Record, Resource, fold, number
from connectors.prestashop.sandbox.store import Store

BRACKETS = re.compile(r"^(.*)\[(.*)\](.*)$", re.DOTALL)
BETWEEN = re.compile(r"^([\d.:\-\s]+),([\d.:\-\s]+)$")
FILTER = re.compile(r"^filter\[([^\]]*)\](?:\[([^\]]*)\])?$")
SORT = re.compile(r"^(.+)_(ASC|DESC)$")
# MySQL walks an index that covers the question, so these lists do not come by id.
COVERED = {
    ("order_states", ""): "module_name",
    ("orders", "current_state"): "current_state",
    ("addresses", ""): "id_customer",
    ("states", ""): "id_country",
    ("configurations", "name"): "name",
    ("products", "reference"): "reference",
    ("products", "name"): "name",
}
NULL = -(2**63)
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?")
NO_MOMENT = "~"  # after every moment, equal to none
Test = Callable[[str], bool]


@dataclass
class Question:
    """One list request, read from its query."""

    filters: list[tuple[Field, str]]
    sort: list[tuple[Field, bool]]
    window: tuple[int, int | None]
    languages: list[str]


def asked(resource: Resource, query: httpx.QueryParams, languages: list[str]) -> Question:
    """Raises Refused with the shop's code for what it does not understand, and Crashed where it would."""
    dates = query.get("date") == "1"
    question = Question([], [], (0, None), languages)
    for name, value in query.multi_items():
        found = FILTER.match(name)
        if found:
            question.filters.append((_filter_field(resource, found[1], found[2], value, dates), value))
    if "sort" in query:
        question.sort = list(_sorting(resource, query["sort"], dates))
    if "limit" in query:
        question.window = _window(query["limit"])
    return question


def wanted_languages(query: httpx.QueryParams, known: list[str]) -> list[str]:
    """Raises Refused (81) for a language that the shop does not have."""
    asked_for = query.get("language", "")
    if not asked_for:
        return known
    chosen = [one for one in re.split(r"[|,]", asked_for.strip("[]")) if one]
    if not set(chosen) <= set(known):
        raise Refused(400, (81, "language is not available"))
    return [one for one in known if one in chosen]


def answer(resource: Resource, question: Question, store: Store) -> list[Record]:
    """The records in their order; a record comes more than once where an i18n filter matches several of its texts."""
    rows = _candidates(resource, question, store)
    covered = "" if question.filters else COVERED.get((resource.name, ""), "")
    for field, value in question.filters:
        if field.i18n:
            rows = _in_any_language(rows, field, value, question.languages)
            continue
        test = comparison(field, value)
        rows = [one for one in rows if test(one[field.name])]
        covered = COVERED.get((resource.name, field.name), covered)
    if covered and covered in resource.by_name and not question.sort:
        by = resource.by_name[covered]
        if not by.i18n:
            key = row_key(by)
            rows = sorted(rows, key=lambda one: key(one[by.name]))  # stable: by id where the values are equal
    for field, descending in reversed(question.sort):
        rows = sorted(rows, key=_sort_key(field, question.languages), reverse=descending)
    start, count = question.window
    return rows[start:] if count is None else rows[start : start + count]


def _candidates(resource: Resource, question: Question, store: Store) -> list[Record]:
    table = store.tables[resource.name]
    for field, value in question.filters:
        exact = BRACKETS.match(value)
        if exact and not exact[1] and not exact[3] and not BETWEEN.match(exact[2]):
            values = exact[2].split("|")
            if field.name == "id":
                return [table[key] for key in sorted({int(number(one)) for one in values}) if key in table]
            keys = None if field.column.startswith("int") else store.indexed(resource.name, field.name, values)
            if field.column.startswith("int") and all(one.isdigit() for one in values):
                keys = store.indexed(resource.name, field.name, [str(int(one)) for one in values])
            if keys is not None:
                return [table[key] for key in sorted(keys)]
    return [table[key] for key in sorted(table)]


def _in_any_language(rows: list[Record], field: Field, value: str, languages: list[str]) -> list[Record]:
    """Joins each record's texts and keeps the distinct matches, in the order of the texts' index."""
    test = comparison(field, value)
    found: dict[tuple[str, str], Record] = {}
    for row in rows:
        for language in languages:
            text = row[field.name].get(language, "")
            if test(text):
                found.setdefault((row["id"], fold(text)), row)
    return [row for _, row in sorted(found.items(), key=lambda item: (item[0][1], int(item[0][0])))]


def _filter_field(resource: Resource, name: str, inner: str | None, value: str, dates: bool) -> Field:
    available = [one for one in ("id", *resource.by_name) if dates or one not in DATES]
    if inner is not None:
        raise query_refused(31, "There is no existing linked table for this resource")
    if dates and name in DATES and name not in resource.by_name:
        raise Crashed  # the column is named in SQL although the table lacks it
    if name not in available:
        listed = '", "'.join(available)
        guess = nearest(name, available)
        raise query_refused(32, f'This filter does not exist. Did you mean: "{guess}"? The full list is: "{listed}"')
    if not value:
        raise query_refused(33, f'The filter "{name}" is malformed.')
    field = resource.by_name.get(name) or Field("id", "int")
    if field.computed:
        raise query_refused(
            34, f'The field "{name}" is dynamic. It is not possible to filter GET query with this field.'
        )
    return field


def _sorting(resource: Resource, text: str, dates: bool) -> Iterable[tuple[Field, bool]]:
    available = [one for one in ("id", *resource.by_name) if dates or one not in DATES]
    for part in text.removeprefix("[").removesuffix("]").split(","):
        found = SORT.match(part)
        if not found:
            raise query_refused(
                37,
                'The "sort" value has to be formed as this example: "field_ASC" or '
                "'[field_1_DESC,field_2_ASC,field_3_ASC,...]' (\"field\" has to be an available field)",
            )
        if dates and found[1] in DATES and found[1] not in resource.by_name:
            raise Crashed
        if found[1] not in available:
            plain = ", ".join(one for one in available if one == "id" or not resource.by_name[one].i18n)
            texts = ", ".join(one for one in available if one != "id" and resource.by_name[one].i18n)
            raise query_refused(
                38,
                f"Unable to filter by this field. However, these are available: {plain}, for i18n fields:{texts}",
            )
        yield resource.by_name.get(found[1]) or Field("id", "int"), found[2] == "DESC"


def _window(text: str) -> tuple[int, int | None]:
    parts = text.split(",")
    if len(parts) > 2:
        raise query_refused(39, 'The "limit" value has to be formed as this example: "5,25" or "10"')
    numbers = [int(number(one)) for one in parts]
    if min(numbers) < 0:
        raise Crashed  # the number reaches SQL as it is
    return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def comparison(field: Field, value: str) -> Test:
    """The test that a filter's value makes of a stored text, with MySQL's conversions."""
    found = BRACKETS.match(value)
    if not found:
        return _like(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else _equals(field, value)
    before, inner, after = found.groups()
    if before == "%" or after == "%":
        return _like(before + inner + after)
    row = row_key(field)
    if before == after == "":
        between = BETWEEN.match(inner)
        if inner.find("|") > 0:
            wanted = {value_key(field, one) for one in inner.split("|")}
            return lambda text: row(text) in wanted
        if between:
            least, most = (value_key(field, one) for one in sorted(between.groups(), key=_php_order))
            return lambda text: bool(least <= row(text) <= most)
        return _equals(field, inner)
    limit = value_key(field, inner)
    if before == ">":
        return lambda text: bool(row(text) > limit)
    if before == "<":
        return lambda text: bool(row(text) < limit)
    if before == "!":
        unwanted = {value_key(field, one) for one in inner.split("|")}
        return lambda text: row(text) not in unwanted
    return lambda text: True


def _php_order(text: str) -> tuple[int, float, str]:
    """PHP sorts what looks like numbers as numbers."""
    return (0, float(text), "") if re.fullmatch(r"\s*-?\d+(\.\d*)?\s*", text) else (1, 0.0, text)


def _equals(field: Field, value: str) -> Test:
    wanted, row = value_key(field, value), row_key(field)
    return lambda text: bool(row(text) == wanted)


def _like(pattern: str) -> Test:
    parts = [re.escape(fold(one)).replace("_", ".") for one in pattern.split("%")]
    compiled = re.compile(".*".join(parts), re.DOTALL)
    return lambda text: compiled.fullmatch(fold(text)) is not None


def row_key(field: Field) -> Callable[[str], Any]:
    """What a stored text of this field counts as in a comparison."""
    if field.column == "int":
        return int
    if field.column == "int?":
        return lambda text: int(text) if text else NULL
    if field.column.startswith("dec"):
        return Decimal
    if field.column == "date":
        return lambda text: f"{text} 00:00:00"
    return str if field.column == "datetime" else fold


def value_key(field: Field, text: str) -> Any:
    """What a text from outside counts as: MySQL makes a number of any text, and a moment of a day."""
    column = field.column.rstrip("?")
    if column == "int" or column.startswith("dec"):
        return number(text)
    if column in ("datetime", "date"):
        found = MOMENT.fullmatch(text.strip())
        return f"{found[1]} {found[2] or '00:00:00'}" if found else NO_MOMENT
    return fold(text)


def _sort_key(field: Field, languages: list[str]) -> Callable[[Record], Any]:
    if field.i18n:
        first = languages[0] if languages else ""
        return lambda one: fold(one[field.name].get(first, ""))
    key = row_key(field)
    return lambda one: key(one[field.name])
