"""The PrestaShop sandbox: the Webservice of a small 8.2 shop over HTTP, with the shop's own traps."""

import random
import urllib.parse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.prestashop.sandbox import completing, faults, folder, seed, staff, written
from connectors.prestashop.sandbox.placing import place
from connectors.prestashop.sandbox.purchase import Line, Purchase
from connectors.prestashop.sandbox.rights import FULL, KEYS, Key
from connectors.prestashop.sandbox.service import Place, Service
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.shopper import KINDS, PLACEABLE, Shopper
from connectors.prestashop.sandbox.store import Store
from connectors.sandbox import Fault, Request, Response, Sandbox

VERSION = "8.2.1"
IN_PROCESS = "sandbox.test"  # until it is served on a port, every Host is the shop's own
LOOPBACK = ("127.0.0.1", "localhost")


class PrestaShopSandbox(Sandbox):
    """`keys` may be replaced. Requests for another host than the shop's own are sent to its front page: `domain` where
    it is set, else the host and port on which it is served, by either of this machine's own names."""

    system = "prestashop"
    controls = ("place", "touch")
    keys: tuple[Key, ...] = KEYS
    domain: str | None = None

    def __init__(
        self,
        *,
        state_file: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        journal: Path | None = None,
    ) -> None:
        self.shop: Shop
        self._loaded: dict[str, Any] | None = None
        super().__init__(state_file=state_file, clock=clock, journal=journal)
        self._shopper = Shopper(self, random.Random(2))  # noqa: S311

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

    @property
    def break_after_state(self) -> int:
        """How many of the next changes of an order's state (POST order_histories, or `current_state` of an order) end
        in an empty 500 between the two halves: the order, its stock, invoice and payment have changed, and there is no
        history row and no mail. -1 is all of them. Kept with the state, so that it can be set over the wire."""
        return self.store.break_after_state

    @break_after_state.setter
    def break_after_state(self, times: int) -> None:
        self.store.break_after_state = times
        self.touch()

    def respond(self, request: Request) -> Response:
        service = Service(self.shop, self.keys, Place(self.address, self._hosts(), self._version()), request)
        response = service.answer()
        if service.changed:
            self.touch()
        return response

    def reset(self) -> None:
        """Back to the folder that was loaded, else to the seed data."""
        if self._loaded is not None:
            self.shop = Shop(Store.restored(self._loaded), self.clock)
            return
        self.shop = Shop(Store(), self.clock)
        seed.plant(self.shop)

    def load_folder(self, path: Path) -> None:
        """Takes the recorded resources in `path` instead of all that is here: `<resource>/*.xml`, each file with one
        record or a list as `display=full` gives it.

        Orders need `orders`, `order_details` and `currencies`; with `taxes`, `countries`, `states`, `languages`,
        `customers`, `addresses`, `carriers`, `order_carriers`, `order_cart_rules`, `order_payments`, `order_states`,
        `products`, `combinations` and `configurations` they read as in their own shop. What an order names of people,
        places, carriers, languages and shops and the folder lacks is made up as nobody in particular; a tax is worked
        out where the rows' prices leave no doubt; the states are those of a new shop, its time zone Europe/Paris. All
        else is empty. Raises ValueError naming the file and line, or what is missing and for which orders; the sandbox
        then stays as it was."""
        shop = Shop(folder.read(path), self.clock)
        completing.complete(shop)
        with self.lock:
            self.shop, self._loaded = shop, shop.store.dump()
            self.touch()

    def place_order(self, lines: Sequence[Line | tuple[Any, ...]], **options: Any) -> int:
        """Places an order as the shop's checkout does and returns its id; `options` are the fields of
        `purchase.Purchase`. Raises ValueError for a customer, product or currency that is not there."""
        with self.lock:
            order = place(self.shop, Purchase(lines, **options))
            self.touch()
            self.save()
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

    def control(self, action: str, data: Any) -> Any:
        """place: {"count": 3} orders of any kind, or {"kinds": ["plain", …], "count": 9} of these, one after another;
        touch: {"orders": [ids]}, as an employee works on them. Both answer {"orders": [ids]}."""
        if not isinstance(data, dict):
            raise ValueError("an object is needed")
        if action == "touch":
            orders = staff.look_after(self.shop, data["orders"])
        else:
            orders = [self._shopper.place(kind) for kind in self._kinds(data)]
        self.touch()
        return {"orders": orders}

    def _kinds(self, data: dict[str, Any]) -> list[str]:
        kinds = data.get("kinds") or []
        unknown = sorted(set(kinds) - set(PLACEABLE))
        if unknown:
            raise ValueError(f"no order is called {unknown[0]!r}: {', '.join(PLACEABLE)}")
        count = int(data.get("count", len(kinds) or 1))
        return [kinds[one % len(kinds)] if kinds else self._shopper.any_kind() for one in range(count)]

    def written_key(self, request: Request) -> str:
        return written.written_key(request)

    def changes(self) -> int:
        return self.store.changes

    def dump(self) -> dict[str, Any]:
        return self.store.dump()

    def load(self, state: dict[str, Any]) -> None:
        self.shop = Shop(Store.restored(state), self.clock)

    def fault_response(self, fault: Fault, request: Request) -> Response:
        return faults.response(fault, request, self.shop, self.address, self._version())

    def announcement(self) -> dict[str, str]:
        return {"address": self.address, "key": FULL.key}

    def _hosts(self) -> tuple[str, ...] | None:
        if self.domain:
            return (self.domain.lower(),)
        address = urllib.parse.urlsplit(self.address)
        if address.hostname == IN_PROCESS:
            return None
        names = LOOPBACK if address.hostname in LOOPBACK else (str(address.hostname),)
        usual = {"http": 80, "https": 443}[address.scheme]
        hosts = tuple(f"{name}:{address.port or usual}" for name in names)
        return hosts if address.port not in (None, usual) else (*hosts, *names)

    def _version(self) -> str:
        return self.store.configuration("PS_VERSION_DB", VERSION)


sandbox = PrestaShopSandbox
