"""A sandbox shop, a connector that speaks to it, and orders put into the shop's tables."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.prestashop import connector as PrestaShop
from connectors.prestashop.sandbox import sandbox as PrestaShopSandbox
from connectors.prestashop.sandbox.rights import Key
from connectors.session import Call, Session

NOON = datetime(2026, 3, 10, 11, 0, 0, tzinfo=UTC)  # noon in Paris


class Clock:
    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: int) -> None:
        self.now += timedelta(**time)


class Changing(httpx.BaseTransport):
    """Lets `change` alter the answers of a sandbox, for bodies that no fault switch of it makes."""

    def __init__(self, inner: httpx.BaseTransport, change: Callable[[httpx.Request, httpx.Response], Any]) -> None:
        self._inner = inner
        self._change = change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        changed = self._change(request, answer)
        if isinstance(changed, bytes):
            return httpx.Response(answer.status_code, headers=answer.headers, content=changed, request=request)
        return changed or answer


class Shop:
    """The sandbox with its clock, the calls that were made to it, and connectors for it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sandbox = PrestaShopSandbox(clock=self.clock)
        self.calls: list[Call] = []

    @property
    def store(self) -> Any:
        return self.sandbox.store

    def connect(self, change: Callable[..., Any] | None = None, **settings: str) -> PrestaShop:
        inner = self.sandbox.transport()
        session = Session(
            transport=Changing(inner, change) if change else inner, clock=self.clock, after=self.calls.append
        )
        return PrestaShop({"address": "http://sandbox.test", "key": self.key, **settings}, session)

    @property
    def key(self) -> str:
        return self.sandbox.announcement()["key"]

    def sent(self, method: str, part: str = "") -> list[Call]:
        return [one for one in self.calls if one.method == method and part in one.url]

    def key_with(self, rights: Iterable[tuple[str, str]]) -> str:
        """A key that may do exactly this: pairs of resource and method."""
        wanted = sorted(rights)

        class Exact(Key):
            def methods_for(self, resource: str) -> tuple[str, ...]:
                return tuple(method for name, method in wanted if name == resource)

        self.sandbox.keys = (Exact("exact", "E" * 32),)
        return "E" * 32

    def order(self, key: int | None = None, **fields: Any) -> str:
        """Puts an order with one line into the shop and returns its id."""
        record = {
            "id_address_delivery": 1, "id_address_invoice": 1, "id_cart": 1, "id_currency": 1, "id_lang": 2,
            "id_customer": 1, "id_carrier": 4, "current_state": 10, "module": "ps_wirepayment", "valid": 0,
            "date_add": "2026-03-10 11:00:00", "date_upd": "2026-03-10 11:00:00", "id_shop": 1,
            "payment": "Wire payment", "total_paid": "58.296000", "total_paid_tax_incl": "58.30",
            "total_paid_tax_excl": "48.58", "total_products": "41.58", "total_products_wt": "49.90",
            "total_shipping_tax_incl": "8.40", "total_shipping_tax_excl": "7", "carrier_tax_rate": "20",
            "round_mode": 2, "round_type": 2, "conversion_rate": 1, "reference": "AAAAAAAAA",
        } | fields  # fmt: skip
        order = self.store.insert("orders", {name: str(value) for name, value in record.items()}, key)
        self.line(order["id"])
        if record["current_state"]:
            self.history(order["id"], record["current_state"])
        return str(order["id"])

    def line(self, order: str, taxes: tuple[int, ...] = (1,), **fields: Any) -> str:
        record = {
            "id_order": order, "product_id": 1, "product_attribute_id": 0, "product_name": "Dawn desk lamp",
            "product_quantity": 1, "product_reference": "LUM-AUBE", "unit_price_tax_incl": "49.896",
            "unit_price_tax_excl": "41.58", "total_price_tax_incl": "49.90", "total_price_tax_excl": "41.58",
            "product_price": "41.58",
        } | fields  # fmt: skip
        values: dict[str, Any] = {name: str(value) for name, value in record.items()}
        values["associations"] = {"taxes": [{"id": str(one)} for one in taxes]}
        return str(self.store.insert("order_details", values)["id"])

    def history(self, order: str, state: int) -> str:
        row = {"id_order": order, "id_order_state": str(state), "date_add": "2026-03-10 11:00:00"}
        return str(self.store.insert("order_histories", row)["id"])

    def change(self, resource: str, key: str, **values: Any) -> None:
        self.store.change(resource, self.store.get(resource, key), **values)

    def row(self, resource: str, key: str) -> dict[str, Any]:
        return dict(self.store.get(resource, key))

    def histories(self, order: str) -> list[str]:
        return [one["id_order_state"] for one in self.store.find("order_histories", id_order=order)]
