"""Rows of the shop's text as typed records, and the reference data that they point at."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.base import Entity, Record
from connectors.errors import NeedsPerson
from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.entities.order_parts import CUSTOMER_THREAD, PAYMENT
from connectors.prestashop.entities.people import ADDRESS, CUSTOMER
from connectors.prestashop.entities.reference import COUNTRY, LANGUAGE, ORDER_STATE, STATE
from connectors.prestashop.kinds import kind_of
from connectors.prestashop.values import language_text, value_of
from connectors.session import Cache

CONFIGURATION_NAMES = ["PS_TIMEZONE", "PS_LANG_DEFAULT", "PS_CURRENCY_DEFAULT"]
# The reference data that a row points at: by its own field, or by the ids among its associations.
POINTS_AT = {
    "orders": {"current_state": "order_states", "id_currency": "currencies", "id_lang": "languages"},
    "customers": {"id_lang": "languages"},
    "addresses": {"id_country": "countries", "id_state": "states"},
    "product_option_values": {"id_attribute_group": "product_options"},
}
HOLDS = {
    "order_details": {"taxes": "taxes"},
    "combinations": {"product_option_values": "product_option_values"},
}


def display(entity: Entity) -> str:
    """Only the fields that a record keeps: what a shop knows besides, like password hashes, stays there."""
    return f"[{','.join(one.name for one in entity.fields if not one.fields and one.name != 'kind')}]"


DISPLAYS = {one.name: display(one) for one in (CUSTOMER, PAYMENT, CUSTOMER_THREAD)}


class Records:
    """Turns rows into records. Reference data is kept in the session's cache."""

    def __init__(self, client: Client, cache: Cache, id_shop: str) -> None:
        self._client = client
        self._cache = cache
        self._id_shop = id_shop

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of every date in the shop. Raises NeedsPerson where it has none that is known."""
        name = self.configuration().get("PS_TIMEZONE", "")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise NeedsPerson(
                f"The shop's time zone {name!r} is not known, so none of its dates can be read.",
                "Choose a time zone in the shop: International > Localization > Local units. If one is chosen, give "
                "the webservice key the right to GET configurations.",
            ) from error

    @property
    def default_language(self) -> str:
        return self.configuration().get("PS_LANG_DEFAULT", "")

    def configuration(self) -> dict[str, str]:
        """The shop's own settings by name: this shop's where shops differ, else the common ones."""
        return dict(self.cached("configurations", self._read_configuration))

    def cached(self, name: str, make: Any) -> Any:
        return self._cache.get_or(("prestashop", self._client.base, self._id_shop, name), make)

    def plain(self, entity: Entity, row: Row, language: str = "") -> Record:
        """The fields that stand in the row itself, typed; i18n fields in the language (id), or the default one."""
        where = f"{entity.name}/{row.get('id', '?')}"
        zone = self.zone if any(one.type == "datetime" for one in entity.fields) else ZoneInfo("UTC")
        record: Record = {}
        for field in entity.fields:
            if not field.fields and field.name in row:
                text = row[field.name]
                if field.type == "text":
                    text = language_text(text, language, self.default_language if isinstance(text, dict) else "")
                record[field.name] = value_of(text, field, f"{where} {field.name}", zone)
            elif not field.fields:
                record[field.name] = None
        return record

    def known(self, resource: str, key: str) -> Row | None:
        """One row of reference data by id."""
        return self.several(resource, {key}).get(key)

    def prepare(self, entity: str, rows: Iterable[Row]) -> None:
        """Fetches the reference data that these rows point at, with one call a resource instead of one a record."""
        wanted: dict[str, set[str]] = {}
        for row in rows:
            for resource, key in _pointed_at(entity, row):
                wanted.setdefault(resource, set()).add(key)
        for resource, keys in wanted.items():
            self.prepare(resource, self.several(resource, keys).values())

    def several(self, resource: str, keys: set[str]) -> dict[str, Row]:
        """Rows of reference data by id, from the cache or the shop; an id that the shop does not know is asked for
        every time."""
        wanted = sorted(one for one in keys if re.fullmatch(r"[1-9]\d{0,9}", one, re.ASCII))
        found: dict[str, Row] = {key: self.cached(f"{resource}/{key}", dict) for key in wanted}
        for row in self._client.by_values(resource, "id", [key for key in wanted if not found[key]]):
            found[row["id"]] = self.cached(f"{resource}/{row['id']}", partial(dict, row))
        return {key: row for key, row in found.items() if row}

    def reference(self, entity: Entity, key: str, language: str, names: tuple[str, ...] = ()) -> Record | None:
        """The named fields (default: all) of reference data; None for no id and for one that is gone."""
        return self.shown(entity, self.known(entity.name, key), language, names)

    def shown(self, entity: Entity, row: Row | None, language: str, names: tuple[str, ...] = ()) -> Record | None:
        """The named fields (default: all) of a row of reference data."""
        if row is None:
            return None
        record = self.order_state(row, language) if entity is ORDER_STATE else self.plain(entity, row, language)
        return {name: record[name] for name in names} if names else record

    def order_state(self, row: Row, language: str = "") -> Record:
        state = self.plain(ORDER_STATE, row, language)
        return state | {"kind": kind_of(state)}

    def customer(self, row: Row) -> Record:
        language = self.reference(LANGUAGE, row.get("id_lang", ""), "", ("id", "iso_code"))
        return self.plain(CUSTOMER, row) | {"language": language}

    def address(self, row: Row, language: str = "") -> Record:
        names = ("id", "iso_code", "name")
        return self.plain(ADDRESS, row, language) | {
            "country": self.reference(COUNTRY, row.get("id_country", ""), language, names),
            "state": self.reference(STATE, row.get("id_state", ""), language, names),
        }

    def _read_configuration(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for row in self._client.by_values("configurations", "name", CONFIGURATION_NAMES):
            shop = row.get("id_shop") or ""
            if shop in ("", "0", self._id_shop) and (shop == self._id_shop or row["name"] not in found):
                found[row["name"]] = row.get("value", "")
        return found


def _pointed_at(entity: str, row: Row) -> Iterator[tuple[str, str]]:
    """Resource and id of everything that a row points at."""
    for field, resource in POINTS_AT.get(entity, {}).items():
        yield resource, row.get(field, "")
    for name, resource in HOLDS.get(entity, {}).items():
        for one in row.get("associations", {}).get(name, []):
            yield resource, one.get("id", "")
