"""Reading and finding, entity by entity."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial

from connectors.base import Entity, Field, Record, Value, attempt, concerns_all
from connectors.errors import ConnectorError, NeedsPerson, NotFound
from connectors.prestashop.belongings import grouped
from connectors.prestashop.catalogue import Catalogue
from connectors.prestashop.changes import EPOCH
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
            "order_details": orders.line,
            "addresses": records.address,
            "order_states": records.order_state,
            "products": catalogue.product,
            "combinations": catalogue.combination,
        }

    def read(self, entity: str, key: str) -> Record:
        found = self.read_many(entity, [key])[key]
        if isinstance(found, ConnectorError):
            raise found
        return found

    def read_many(self, entity: str, keys: Sequence[str]) -> dict[str, Record | ConnectorError]:
        """Where reading all together fails, by what may be the fault of one record, halves are read until it is alone
        with it."""
        keys = list(dict.fromkeys(keys))
        try:
            return self._together(entity, keys)
        except ConnectorError as error:
            if concerns_all(error):
                raise
            if len(keys) == 1:
                return {keys[0]: error}
        half = len(keys) // 2
        return self.read_many(entity, keys[:half]) | self.read_many(entity, keys[half:])

    def _together(self, entity: str, keys: list[str]) -> dict[str, Record | ConnectorError]:
        if entity == "items":
            return {key: attempt(partial(self._item, key)) for key in keys}
        listed = self._listed(entity, keys) if len(keys) > 1 else {}
        # What a list leaves out is asked for alone: that says why.
        rows = {key: listed.get(key) or attempt(partial(self._row, entity, key)) for key in keys}
        there = {key: row for key, row in rows.items() if not isinstance(row, ConnectorError)}
        self._records.prepare(entity, there.values())
        return {**rows, **dict(zip(there, self._made(entity, there.values()), strict=True))}

    def _item(self, key: str) -> Record:
        found = [one for one in self._catalogue.items(item_number=key) if one["item_number"] == key]
        if not found:
            raise NotFound(f"items/{key[:80]}: the shop sells no such item.", "Look whether it was renamed there.")
        return found[0]

    def _listed(self, entity: str, keys: list[str]) -> dict[str, Row]:
        ids = [one for one in keys if re.fullmatch(r"[1-9]\d{0,9}", one, re.ASCII)]
        rows = self._client.by_values(entity, "id", ids, display=DISPLAYS.get(entity, "full"))
        return {row["id"]: row for row in rows}

    def _row(self, entity: str, key: str) -> Row:
        if entity not in DISPLAYS:
            return self._client.row(entity, key)
        shown = DISPLAYS[entity]
        rows = self._client.rows(entity, {"id": f"[{key}]"}, display=shown) if re.fullmatch(r"\d{1,10}", key) else []
        if not rows:
            raise NotFound(f"{entity}/{key[:80]} is not in the shop (any more).", "It was deleted there.")
        return rows[0]

    def _made(self, entity: str, rows: Collection[Row]) -> list[Record | ConnectorError]:
        if entity == "orders":
            return self._orders.assemble(rows)
        if entity == "customers":
            return self._with_addresses(rows)
        make = self._assembled.get(entity) or partial(self._records.plain, BY_NAME[entity])
        return [attempt(partial(make, row)) for row in rows]

    def _with_addresses(self, customers: Collection[Row]) -> list[Record | ConnectorError]:
        ids = [one["id"] for one in customers]
        rows = self._client.by_values("addresses", "id_customer", ids, also={"deleted": "[0]"})
        places = grouped("addresses", "id_customer", ids, rows)
        self._records.prepare("addresses", rows)
        return [attempt(partial(self._at_home, one, places[one["id"]])) for one in customers]

    def _at_home(self, customer: Row, places: list[Row]) -> Record:
        addresses = [self._records.address(one) for one in places if one.get("deleted", "0") == "0"]
        latest = max(addresses, key=lambda one: (one["date_upd"] or EPOCH, one["id"]), default=None)
        return self._records.customer(customer) | {"addresses": addresses, "address": latest}

    def find(self, entity: str, fields: dict[str, Value]) -> list[Record]:
        if entity == "items":
            _check_items(fields)
            return matching(self._catalogue.items(**fields), fields)
        filters, dates = self._filters(BY_NAME[entity], fields)
        rows = {row["id"]: row for row in self._rows(entity, filters, dates)}
        if entity == "orders":
            rows = {key: row for key, row in rows.items() if row.get("current_state", "") not in HALF_MADE}
        self._records.prepare(entity, rows.values())
        return matching(_whole(self._made(entity, rows.values())), fields)

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


def _whole(made: Iterable[Record | ConnectorError]) -> Iterator[Record]:
    for one in made:
        if isinstance(one, ConnectorError):
            raise one
        yield one


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
