"""Rows of the shop's text as typed records, and the reference data that they point at."""

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
        """One row of reference data by id; asked for by itself where it is newer than the kept list."""
        if key in ("", "0"):
            return None
        kept: dict[str, Row] = self.cached(resource, lambda: {row["id"]: row for row in self._client.rows(resource)})
        if key in kept:
            return kept[key]
        return next(iter(self._client.rows(resource, {"id": f"[{key}]"})), None)

    def reference(self, entity: Entity, key: str, language: str, names: tuple[str, ...] = ()) -> Record | None:
        """The named fields (default: all) of reference data; None for no id and for one that is gone."""
        row = self.known(entity.name, key)
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
