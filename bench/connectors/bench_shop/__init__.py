"""A shop that is asked for the measured work alone: orders, customers and addresses of a whole batch in three calls,
and one call to tell it an order's state. What a call is like says PrestaShop's own client."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from connectors.base import Connector, Entity, Field, Record, Value, Written
from connectors.errors import ConnectorError, NotFound
from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.entities.order import ORDER
from connectors.prestashop.entities.order_parts import ORDER_HISTORY
from connectors.prestashop.entities.people import ADDRESS, CUSTOMER
from connectors.prestashop.events import events
from connectors.prestashop.records import DISPLAYS, Records
from connectors.prestashop.shop import SETTINGS
from connectors.session import Session

ROW = Entity(
    "order_rows",
    "Line",
    "id",
    (
        Field("product_name", "Product"),
        Field("product_reference", "Item number"),
        Field("product_quantity", "Quantity", "integer"),
        Field("unit_price_tax_excl", "Price before tax", "money"),
        Field("unit_price_tax_incl", "Price with tax", "money"),
    ),
)


class Typed(Records):
    """Dates are taken as UTC, so that the shop is not asked for its zone."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo("UTC")


class BenchShop(Connector):
    name: ClassVar[str] = "bench_shop"
    label: ClassVar[str] = "Bench shop"
    settings = SETTINGS
    entities = (ORDER, ORDER_HISTORY)
    events = staticmethod(events)

    def __init__(self, settings: Mapping[str, str], session: Session | None = None) -> None:
        super().__init__(settings, session)
        self._client = Client(self.values, self.session)
        self._typed = Typed(self._client, self.session.cache, "")

    def read(self, entity: str, key: str) -> Record:
        found = self.read_many(entity, [key])[key]
        if isinstance(found, ConnectorError):
            raise found
        return found

    def read_many(self, entity: str, keys: Sequence[str]) -> dict[str, Record | ConnectorError]:
        orders = self._rows("orders", keys)
        customers = self._rows("customers", [one["id_customer"] for one in orders.values()])
        places = [one[name] for one in orders.values() for name in ("id_address_delivery", "id_address_invoice")]
        addresses = self._rows("addresses", places)
        found: dict[str, Record | ConnectorError] = {}
        for key in keys:
            if key in orders:
                found[key] = self._order(orders[key], customers, addresses)
            else:
                found[key] = NotFound(f"orders/{key} is not in the shop.")
        return found

    def find(self, entity: str, **fields: Value) -> list[Record]:
        return []

    def write(self, entity: str, record: Record, key: str | None = None, *, idempotency_key: str = "") -> Written:
        fields = {name: str(value) for name, value in record.items()}
        return Written(self._client.create("order_histories", "order_history", fields), True, "")

    def close(self) -> None:
        self._client.close()

    def _rows(self, resource: str, keys: Iterable[str]) -> dict[str, Row]:
        display = DISPLAYS.get(resource, "full")
        rows = self._client.by_values(resource, "id", dict.fromkeys(keys), display=display)
        return {row["id"]: row for row in rows}

    def _order(self, row: Row, customers: dict[str, Row], addresses: dict[str, Row]) -> Record:
        order = self._typed.plain(ORDER, row)
        belongs: dict[str, Any] = {
            "ordered_on": order["date_add"].date(),
            "customer": self._typed.plain(CUSTOMER, customers[row["id_customer"]]),
            "delivery_address": self._typed.plain(ADDRESS, addresses[row["id_address_delivery"]]),
            "invoice_address": self._typed.plain(ADDRESS, addresses[row["id_address_invoice"]]),
            "order_rows": [self._row(n, one) for n, one in enumerate(row["associations"]["order_rows"], 1)],
        }
        return order | belongs

    def _row(self, number: int, row: Row) -> Record:
        line = self._typed.plain(ROW, row)
        quantity = line["product_quantity"]
        totals = {f"total_price_{one}": quantity * line[f"unit_price_{one}"] for one in ("tax_excl", "tax_incl")}
        return line | totals | {"number": number}


connector = BenchShop

__all__ = ["connector"]
