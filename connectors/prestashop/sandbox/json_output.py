"""The webservice's JSON, with the traps that make XML the better choice."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from connectors.prestashop.sandbox.errors import Crashed
from connectors.prestashop.sandbox.rights import Key
from connectors.prestashop.sandbox.schema import Field, Record, Resource
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.xml import EVERYTHING, Display

# PHP holds these as numbers; every other value is a text.
NUMBERS = {("products", "id_default_combination")}


class JsonOutput:
    """`listed` says that the request has a `display`: then even a single record comes as a list, with all its fields.
    Without one, a record loses every field of its own that is empty or "0". The lists of ids and the schemas follow
    the shop's source; nobody recorded them."""

    content_type = ("Content-Type", "application/json")

    def __init__(self, languages: Sequence[str], *, listed: bool) -> None:
        self._languages = languages
        self._listed = listed

    def one(self, resource: Resource, record: Record) -> bytes:
        return self.saved(resource, [record])

    def listing(self, resource: Resource, records: Sequence[Record], display: Display | None) -> bytes:
        shown: list[Any]
        if display is None:
            shown = [{"id": int(one["id"])} for one in records]
        else:
            shown = [self._record(resource, one, display) for one in records]
        return _encoded({resource.plural: shown} if shown else [])

    def saved(self, resource: Resource, records: Sequence[Record]) -> bytes:
        """Of several objects, each overwrites the one before."""
        shown = [self._record(resource, one, EVERYTHING) for one in records]
        if self._listed:
            return _encoded({resource.plural: shown})
        kept = [{name: value for name, value in one.items() if value not in ("", "0", 0)} for one in shown[-1:]]
        return _encoded({resource.node: kept[0] or []} if kept else [])

    def schema(self, resource: Resource, *, synopsis: bool) -> bytes:
        blank: Record = {one.name: {} if one.i18n else "" for one in resource.fields}
        rows = {one.name: [{field.name: "" for field in one.fields}] for one in resource.associations}
        texts = {one.name: self._value(one, blank) for one in resource.fields if one.i18n}
        return _encoded({resource.node: {**texts, **({"associations": rows} if rows else {})} or []})

    def errors(self, errors: Iterable[tuple[int, str]]) -> bytes:
        return _encoded({"errors": [{"code": code, "message": message} for code, message in errors]})

    def root(self, key: Key, shop: Shop) -> bytes:
        raise Crashed

    def _record(self, resource: Resource, record: Record, display: Display) -> dict[str, Any]:
        wanted = display.fields
        shown: dict[str, Any] = {"id": int(record["id"])} if wanted is None or "id" in wanted else {}
        for field in resource.fields:
            if wanted is None or field.name in wanted:
                value = self._value(field, record)
                shown[field.name] = int(value or 0) if (resource.name, field.name) in NUMBERS else value
        associations = {}
        for association in resource.associations:
            fields = display.association_fields(association.name)
            names = [one.name for one in association.fields if fields is None or one.name in fields]
            rows = record["associations"].get(association.name, [])
            if rows and names:
                associations[association.name] = [{name: row.get(name, "") for name in names} for row in rows]
        return {**shown, "associations": associations} if associations else shown

    def _value(self, field: Field, record: Record) -> Any:
        value = record[field.name]
        if not isinstance(value, dict):
            return value
        texts = [{"id": one, "value": value.get(one, "")} for one in self._languages]
        return texts[0]["value"] if len(texts) == 1 else texts


def _encoded(value: Any) -> bytes:
    """As PHP writes JSON: no blanks, slashes escaped, letters of all scripts as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()
