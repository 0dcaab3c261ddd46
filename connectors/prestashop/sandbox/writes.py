"""POST, PUT, PATCH and DELETE. A request may hold several objects: they are saved one after another, and one that is
refused does not undo those before it. Only the id in the body counts, and unknown elements do not."""

from collections.abc import Sequence
from typing import Any

import httpx

from connectors.prestashop.sandbox import effects
from connectors.prestashop.sandbox.errors import Refused, php_warning
from connectors.prestashop.sandbox.schema import DATES, Field, Record, Resource
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.validation import check, check_texts
from connectors.prestashop.sandbox.xml import Sent


def save(shop: Shop, resource: Resource, method: str, body: Sequence[Sent], query: httpx.QueryParams) -> list[Record]:
    """Saves each object and returns what the answer shows: the object in memory, which holds the texts as they were
    sent, not as they were stored. Raises Refused, Crashed."""
    for sent in body:
        if method == "POST" and "id" in sent.fields:
            raise Refused(400, (91, "id is forbidden when adding a new resource"))
        if method != "POST" and not sent.text("id"):
            raise Refused(400, (90, "id is required when modifying a resource"))
    return [_save(shop, resource, method, sent, query) for sent in body]


def _save(shop: Shop, resource: Resource, method: str, sent: Sent, query: httpx.QueryParams) -> Record:
    if method == "POST":
        staged = _staged_new(resource)
        _fill(shop, resource, method, sent, staged)
        effects.complete_new(shop, resource.name, staged)
        _check(shop, resource, staged, None)
        return effects.add(shop, resource, staged, _rows(resource, sent), query)
    stored = shop.store.get(resource.name, sent.text("id"))
    if not stored:
        raise Refused(404, (92, "Invalid ID"))
    staged = {**stored}
    _fill(shop, resource, method, sent, staged)
    effects.complete_changed(shop, resource.name, method, stored, staged)
    _check(shop, resource, staged, set(sent.fields) if method == "PATCH" else None)
    now = shop.now()
    for name in DATES:
        if name in resource.by_name and (name == "date_upd" or not staged[name]):
            staged[name] = now
    return effects.change(shop, resource, stored, staged, _rows(resource, sent), query)


def _staged_new(resource: Resource) -> Record:
    staged: Record = {one.name: "" for one in resource.fields}
    return {**staged, "id": "", "associations": {one.name: [] for one in resource.associations}}


def _fill(shop: Shop, resource: Resource, method: str, sent: Sent, staged: Record) -> None:
    for field in resource.fields:
        if field.name in sent.fields:
            if field.refused:
                message = f'parameter "{field.name}" not writable. Please remove this attribute of this XML'
                raise Refused(400, (93, message))
            staged[field.name] = _value(shop, field, sent.fields[field.name])
            effects.written(shop, resource.name, field.name, staged)
        elif field.required and not field.i18n and method != "PATCH":
            raise Refused(400, (41, f'parameter "{field.name}" required'))
        elif method == "PUT" and not effects.kept_by_put(resource.name, field):
            staged[field.name] = ""


def _value(shop: Shop, field: Field, value: str | dict[str, str]) -> Any:
    if field.i18n:
        # What is sent replaces all languages, also by PATCH.
        return value if isinstance(value, dict) else dict.fromkeys(shop.languages(), value)
    return value if isinstance(value, str) else "".join(value.values())


def _check(shop: Shop, resource: Resource, staged: Record, only: set[str] | None) -> None:
    for field in resource.fields:
        if only is not None and field.name not in only:
            continue
        value = staged[field.name]
        if not field.i18n:
            check(resource, field, value)
        elif value or field.required:
            check_texts(resource, field, value or {}, shop.default_language())


def _rows(resource: Resource, sent: Sent) -> dict[str, list[dict[str, str]]]:
    """The association rows that were sent, with the fields that the shop knows; nothing else is replaced."""
    kept = {}
    for association in resource.associations:
        if association.name in sent.rows:
            names = [one.name for one in association.fields]
            kept[association.name] = [
                {name: row[name] for name in names if name in row} for row in sent.rows[association.name]
            ]
    return kept


def remove(shop: Shop, resource: Resource, ids: list[str] | None) -> None:
    """Deletes all of these or, where one is unknown, none. Raises Refused 87."""
    if ids is None:
        warning = php_warning("Undefined array key 1", 1485)
        raise Refused(404, (3, warning), (87, "Id(s) not exists: 0"))
    unknown = [one for one in ids if not shop.store.get(resource.name, one)]
    if unknown:
        raise Refused(404, (87, f"Id(s) not exists: {', '.join(unknown)}"))
    for one in dict.fromkeys(ids):
        effects.remove(shop, resource.name, int(one))
