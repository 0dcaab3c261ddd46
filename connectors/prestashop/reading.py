"""Reading and finding, entity by entity."""

import re
from collections.abc import Callable, Iterable, Iterator

from connectors.base import Entity, Field, Record, Value
from connectors.errors import NeedsPerson, NotFound
from connectors.prestashop.catalogue import Catalogue
from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.entities import ENTITIES
from connectors.prestashop.filters import equals, wire
from connectors.prestashop.items import spelling
from connectors.prestashop.orders import HALF_MADE, Orders
from connectors.prestashop.records import DISPLAYS, Records

BY_NAME = {one.name: one for one in ENTITIES}
# Assembled fields that the shop can nevertheless search by, as the id of what they point at.
STORED_AS = {"current_state": "current_state", "currency": "id_currency", "customer": "id_customer"}


class Reader:
    def __init__(self, client: Client, records: Records, orders: Orders, catalogue: Catalogue) -> None:
        self._client = client
        self._records = records
        self._orders = orders
        self._catalogue = catalogue
        self._assembled: dict[str, Callable[[Row], Record]] = {
            "orders": orders.assemble,
            "order_details": orders.line,
            "customers": records.customer,
            "addresses": records.address,
            "order_states": records.order_state,
            "products": catalogue.product,
            "combinations": catalogue.combination,
        }

    def read(self, entity: str, key: str) -> Record:
        if entity == "items":
            found = [one for one in self._catalogue.items(item_number=key) if one["item_number"] == key]
            if not found:
                raise NotFound(f"items/{key[:80]}: the shop sells no such item.", "Look whether it was renamed there.")
            return found[0]
        if entity not in DISPLAYS:
            row = self._client.row(entity, key)
            self._records.prepare(entity, [row])
            return self._record(entity, row)
        shown = DISPLAYS[entity]
        rows = self._client.rows(entity, {"id": f"[{key}]"}, display=shown) if re.fullmatch(r"\d{1,10}", key) else []
        if not rows:
            raise NotFound(f"{entity}/{key[:80]} is not in the shop (any more).", "It was deleted there.")
        return self._record(entity, rows[0])

    def find(self, entity: str, fields: dict[str, Value]) -> list[Record]:
        if entity == "items":
            _check_items(fields)
            return matching(self._catalogue.items(**fields), fields)
        filters, dates = self._filters(BY_NAME[entity], fields)
        rows = {row["id"]: row for row in self._rows(entity, filters, dates)}
        if entity == "orders":
            rows = {key: row for key, row in rows.items() if row.get("current_state", "") not in HALF_MADE}
        self._records.prepare(entity, rows.values())
        return matching((self._record(entity, row) for row in rows.values()), fields)

    def _record(self, entity: str, row: Row) -> Record:
        assemble = self._assembled.get(entity)
        return assemble(row) if assemble else self._records.plain(BY_NAME[entity], row)

    def _rows(self, entity: str, filters: dict[str, str], dates: bool) -> Iterable[Row]:
        return self._client.pages(entity, filters, display=DISPLAYS.get(entity, "full"), dates=dates)

    def _filters(self, entity: Entity, fields: dict[str, Value]) -> tuple[dict[str, str], bool]:
        filters = {}
        dates = False
        for name, value in fields.items():
            field = _searchable(entity, name)
            dates = dates or name in ("date_add", "date_upd")
            filters[STORED_AS.get(name, name)] = equals(wire(value, field, self._records.zone))
        if entity.field("deleted") and "deleted" not in fields:
            filters["deleted"] = "[0]"
        return filters, dates


def matching(records: Iterable[Record], fields: dict[str, Value]) -> list[Record]:
    """The records whose fields equal these: a filter may find more, by another language or a part of the text."""
    return list(_matching(records, fields))


def _matching(records: Iterable[Record], fields: dict[str, Value]) -> Iterator[Record]:
    for one in records:
        if all(_equal(one.get(name), value) for name, value in fields.items()):
            yield one


def _equal(one: Value, other: Value) -> bool:
    if isinstance(one, dict):
        one = one.get("id")
    if isinstance(one, str) and isinstance(other, str):
        return spelling(one) == spelling(other)
    if isinstance(one, int) and isinstance(other, str):
        return str(int(one)) == other.strip()
    return one == other


def _searchable(entity: Entity, name: str) -> Field:
    field = entity.field(name)
    if field is None or (field.fields and name not in STORED_AS) or name in ("kind", "send_email", "after_history"):
        raise NeedsPerson(f"PrestaShop cannot search {entity.name} by {name}.", "Search by another field.", field=name)
    return field


def _check_items(fields: dict[str, Value]) -> None:
    for name in fields:
        _searchable(BY_NAME["items"], name)
