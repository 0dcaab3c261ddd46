"""A Dataverse environment with Dynamics 365 Sales, and the part of Microsoft Entra that signs a client in, on one
address. Speaks the Web API as documented; where Microsoft leaves something open, the module that decides it says so."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar
from urllib.parse import unquote

from connectors.dynamics365.sandbox import batch, entra, faults, seed, web_api, written
from connectors.dynamics365.sandbox.environment import Environment, Switches
from connectors.dynamics365.sandbox.errors import Refused
from connectors.dynamics365.sandbox.limits import Limits, too_many_at_once
from connectors.dynamics365.sandbox.store import Store
from connectors.dynamics365.sandbox.tables import add_column, custom_column, load_tables
from connectors.dynamics365.sandbox.wire import Call, refusal, traced
from connectors.sandbox import Fault, Request, Response, Sandbox

API = "/api/data/"
VERSIONS = ("v9.0", "v9.1", "v9.2")
TEXT_SIZE = 100
LONGEST_ADDRESS = 32768


class Dynamics365Sandbox(Sandbox):
    """`switches` turn on limits, refusals at sign-in and a short token lifetime."""

    system: ClassVar[str] = "dynamics365"

    def reset(self) -> None:
        tables = load_tables()
        store = Store(tables, self.touch)
        self.environment = Environment(
            tables, store, lambda: self.clock(), seed.USER, seed.BUSINESS_UNIT, seed.ORGANIZATION
        )
        application = entra.Application(seed.SEED["tenant"], seed.SEED["client_id"], seed.SEED["secret"])
        self.entra = entra.Entra(application, self.environment)
        self.limits = Limits(self.environment)
        self._custom: list[dict[str, Any]] = []
        seed.plant(self.environment)
        self.add_column("salesorder", "new_psorderid", "String", TEXT_SIZE, "PrestaShop order")
        self.add_key("salesorder", "new_psorderkey", ("new_psorderid",))

    @property
    def switches(self) -> Switches:
        return self.environment.switches

    def announcement(self) -> dict[str, str]:
        known = self.entra.application
        return {
            "address": self.address,
            "tenant": known.tenant,
            "client_id": known.client_id,
            "client_secret": known.secret,
        }

    def connection(self) -> dict[str, str]:
        known = self.announcement()
        return {"environment_url": known.pop("address"), "authority": self.address, **known}

    def seed(self, items: Iterable[Mapping[str, Any]], currencies: Iterable[Mapping[str, Any]]) -> None:
        """Adds a catalogue: items as {number, name, price (Decimal, base currency, before tax)}, currencies as
        {iso_code, precision, rate (Decimal, units of it for one of the base currency)}. The same a second time changes
        nothing; list prices differ from the given ones on purpose."""
        with self.lock:
            seed.catalogue(self.environment, items, currencies)

    def add_column(
        self, table: str, name: str, type: str = "String", max_length: int | None = TEXT_SIZE, label: str = ""
    ) -> None:
        """A custom column of a plain type (String, Memo, Integer, Decimal, Money, Boolean, DateTime). The name may
        keep the capitals of its schema name; the column is written in lower case."""
        with self.lock:
            add_column(self.environment.tables[table], custom_column(name, type, max_length, label))
            given = {"table": table, "name": name, "type": type, "max_length": max_length, "label": label}
            self._custom.append(given)
            self.touch()

    def add_key(self, table: str, name: str, columns: tuple[str, ...]) -> None:
        """An alternate key whose index is active at once."""
        with self.lock:
            self.environment.tables[table].keys[name] = columns
            self.touch()

    def dump(self) -> dict[str, Any]:
        tables = self.environment.tables.items()
        keys = {name: {key: list(columns) for key, columns in table.keys.items()} for name, table in tables}
        return {
            "store": self.environment.store.dump(),
            "columns": self._custom,
            "keys": {name: one for name, one in keys.items() if one},
            "switches": asdict(self.switches),
        }

    def load(self, state: dict[str, Any]) -> None:
        tables = load_tables()
        for one in state["columns"]:
            column = custom_column(one["name"], one["type"], one["max_length"], one["label"])
            add_column(tables[one["table"]], column)
        for name, keys in state["keys"].items():
            tables[name].keys = {key: tuple(columns) for key, columns in keys.items()}
        store = Store(tables, self.touch)
        store.load(state["store"])
        switches = Switches(**state["switches"])
        self._custom = list(state["columns"])
        self.environment.tables, self.environment.store, self.environment.switches = tables, store, switches

    def written_key(self, request: Request) -> str:
        return written.written_key(request, self.environment.tables)

    def changes(self) -> int:
        return self.environment.store.changes

    def handle(self, request: Request) -> Response:
        if not request.path.startswith(API):
            return super().handle(request)
        with self.limits.running() as allowed:
            if not allowed:
                limit = self.switches.concurrency_limit or 0
                return traced(refusal(too_many_at_once(limit, self.switches.retry_after)))
            return traced(super().handle(request))

    def respond(self, request: Request) -> Response:
        address = self._address(request)
        answered = self.entra.respond(request, address)
        if answered is not None:
            return answered
        try:
            self.entra.authorize(request, address)
            self.limits.count()
            call = self._call(request, address)
        except Refused as error:
            response = refusal(error)
            response.headers += self.limits.headers() if error.status == 429 else []
            return response
        if call.path.strip("/") == "$batch":
            response = batch.answer(self.environment, call)
        else:
            response = web_api.answer(self.environment, call)
        response.headers += self.limits.headers()
        return response

    def _address(self, request: Request) -> str:
        """The address that the caller used, since links in answers lead there."""
        scheme, _, own = self.address.partition("://")
        return f"{scheme}://{request.headers.get('Host') or own}"

    def _call(self, request: Request, address: str) -> Call:
        """Raises Refused (404) for paths outside the Web API."""
        path = request.target.partition("?")[0]
        version, _, rest = path.removeprefix(API).partition("/")
        if not path.startswith(API) or version not in VERSIONS:
            raise Refused(404, "", "No HTTP resource was found that matches the request URI.")
        if len(request.target) > LONGEST_ADDRESS:
            raise Refused(414, "", "The request URI is too long.")
        return Call(
            method=request.method,
            path=unquote(rest),
            options=dict(request.query.multi_items()),
            headers=request.headers,
            body=request.body,
            root=f"{address}{API}{version}/",
            url=address + request.target,
        )

    def fault_response(self, fault: Fault, request: Request) -> Response:
        return faults.fault_response(fault, request, self.entra, self._address(request))


sandbox = Dynamics365Sandbox

__all__ = ["Dynamics365Sandbox", "sandbox"]
