"""What the sandbox's tests share: a clock that they set, a client, and short ways to write and read the XML."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from lxml import etree

from connectors.prestashop.sandbox import PrestaShopSandbox
from connectors.prestashop.sandbox.rights import FULL, Key

LINK = "{http://www.w3.org/1999/xlink}href"
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Clock:
    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: int = 60) -> None:
        self.now += timedelta(seconds=seconds)


class ShopClient:
    """A sandbox with a client for it. `shop.get("orders", sort="[id_ASC]")`; answers are parsed where they are XML."""

    def __init__(self, clock: Clock | None = None, state_file: Path | None = None) -> None:
        self.clock = clock or Clock()
        self.sandbox = PrestaShopSandbox(clock=self.clock, state_file=state_file)
        self.http = self.client()

    def client(self, key: Key = FULL) -> httpx.Client:
        return httpx.Client(
            transport=self.sandbox.transport(), base_url=f"{self.sandbox.address}/api/", auth=(key.key, "")
        )

    def get(self, path: str, **query: str) -> Any:
        """The element below the root of a reading that succeeded."""
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content)[0]

    def ids(self, path: str, **query: str) -> list[str]:
        found = self.get(path, **query)
        return [one.get("id") or one.findtext("id") for one in found]

    def send(self, method: str, path: str, inner: str) -> httpx.Response:
        return self.http.request(method, path, content=f"<prestashop>{inner}</prestashop>".encode())

    def order(self, order_id: int | str) -> dict[str, str]:
        return texts(self.get(f"orders/{order_id}"))

    def rows(self, resource: str, order_id: int | str) -> list[dict[str, str]]:
        found = self.get(resource, **{"filter[id_order]": f"[{order_id}]", "display": "full", "sort": "[id_ASC]"})
        return [texts(one) for one in found]

    def stock(self, product: int, attribute: int = 0) -> int:
        query = {"filter[id_product]": f"[{product}]", "filter[id_product_attribute]": f"[{attribute}]"}
        return int(self.get("stock_availables", display="full", **query)[0].findtext("quantity"))


def texts(node: Any) -> dict[str, str]:
    return {one.tag: one.text or "" for one in node if one.tag != "associations"}


def codes(answer: httpx.Response) -> list[str]:
    return [one.text for one in etree.fromstring(answer.content).iter("code")]


def message(answer: httpx.Response) -> str:
    return str(next(etree.fromstring(answer.content).iter("message")).text)
