"""The PrestaShop sandbox: the Webservice of a small 8.2 shop over HTTP, with the shop's own traps."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.prestashop.sandbox import faults, folder, seed
from connectors.prestashop.sandbox.placing import place
from connectors.prestashop.sandbox.purchase import Line, Purchase
from connectors.prestashop.sandbox.rights import FULL, KEYS, Key
from connectors.prestashop.sandbox.service import Place, Service
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.shopper import KINDS, Shopper
from connectors.prestashop.sandbox.store import Store
from connectors.sandbox import Fault, Request, Response, Sandbox

VERSION = "8.2.1"


class PrestaShopSandbox(Sandbox):
    """`keys` may be replaced; `domain`, where set, is the only Host that is not sent to the front page."""

    system = "prestashop"
    keys: tuple[Key, ...] = KEYS
    domain: str | None = None

    def __init__(
        self, *, state_file: Path | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.shop: Shop
        super().__init__(state_file=state_file, clock=clock)

    @property
    def store(self) -> Store:
        return self.shop.store

    @property
    def mails(self) -> list[dict[str, str]]:
        """The mails that the shop would have sent: template, to, at, order and what else belongs to each."""
        return self.shop.store.mails

    def switch_webservice(self, on: bool) -> None:
        """Off, every call is answered 503 with code 22."""
        self.store.webservice_on = on
        self.touch()

    def respond(self, request: Request) -> Response:
        service = Service(self.shop, self.keys, Place(self.address, self.domain, self._version()), request)
        response = service.answer()
        if service.changed:
            self.touch()
        return response

    def reset(self) -> None:
        self.shop = Shop(Store(), self.clock)
        seed.plant(self.shop)

    def load_folder(self, path: Path) -> None:
        """Takes the recorded resources in `path` instead of all that is here: `<resource>/*.xml`, each file with one
        record or a list; what a shop cannot be without is filled in. Raises ValueError naming the file and line."""
        store = folder.read(path)
        with self.lock:
            self.shop = Shop(store, self.clock)
            folder.complete(self.shop)
            self.touch()

    def place_order(self, lines: Sequence[Line | tuple[Any, ...]], **options: Any) -> int:
        """Places an order as the shop's checkout does and returns its id; `options` are the fields of
        `purchase.Purchase`. Raises ValueError for a customer, product or currency that is not there."""
        with self.lock:
            order = place(self.shop, Purchase(lines, **options))
            self.touch()
            self._save()
            return int(order["id"])

    def place_samples(self) -> dict[str, Any]:
        """An order of every kind that the shopper knows, one that is not paid, one that was cancelled and one that was
        never completed: the same each time. What the ERP is not to know is the shopper's product for that."""
        shopper = Shopper(self, random.Random(1))  # noqa: S311
        placed = {shopper.place(kind): kind for kind in KINDS}
        placed[shopper.place("plain", state=10)] = "not paid"
        placed[shopper.place("plain", state=6)] = "cancelled"
        placed[shopper.place_half_made()] = "half made"
        return {"orders": placed, "unknown": list(seed.UNKNOWN_TO_ERP)}

    def dump(self) -> dict[str, Any]:
        return self.store.dump()

    def load(self, state: dict[str, Any]) -> None:
        self.shop = Shop(Store.restored(state), self.clock)

    def fault_response(self, fault: Fault, request: Request) -> Response:
        return faults.response(fault, request, self.shop, self.address, self._version())

    def announcement(self) -> dict[str, str]:
        return {"address": self.address, "key": FULL.key}

    def _version(self) -> str:
        return self.store.configuration("PS_VERSION_DB", VERSION)


sandbox = PrestaShopSandbox
