"""An environment with a small catalogue, and connections to it whose calls and clock a test can see and move."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx

from connectors.base import Record
from connectors.dynamics365 import connector as Dynamics365
from connectors.dynamics365.sandbox import sandbox as DynamicsSandbox
from connectors.sandbox import Fault
from connectors.session import Call, MemoryTokens, Session

MODES = ("deep insert", "batch")


class Erp:
    """`calls` are the calls of every connection made here, the sign-ins too."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
        self.sandbox = DynamicsSandbox(clock=lambda: self.now)
        self.sandbox.seed(ITEMS, CURRENCIES)
        self.calls: list[Call] = []
        self.tokens = MemoryTokens()

    def session(self, transport: httpx.BaseTransport | None = None) -> Session:
        return Session(
            transport=transport or self.sandbox.transport(),
            clock=lambda: self.now,
            tokens=self.tokens,
            after=self.calls.append,
        )

    def connect(self, transport: httpx.BaseTransport | None = None, **settings: str) -> Dynamics365:
        told = self.sandbox.announcement()
        given = {
            "environment_url": told["address"],
            "authority": told["address"],
            **{name: told[name] for name in ("tenant", "client_id", "client_secret")},
        }
        return Dynamics365({**given, **settings}, self.session(transport))

    def fault(self, kind: Any, **more: Any) -> None:
        self.sandbox.faults.append(Fault(kind, **more))

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def call(self, method: str, path: str, content: Any = None) -> httpx.Response:
        """What somebody else does there meanwhile."""
        told = self.sandbox.announcement()
        form = {
            "grant_type": "client_credentials",
            "client_id": told["client_id"],
            "client_secret": told["client_secret"],
            "scope": f"{told['address']}/.default",
        }
        with httpx.Client(transport=self.sandbox.transport(), base_url=told["address"]) as client:
            token = client.post(f"/{told['tenant']}/oauth2/v2.0/token", data=form).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            answer = client.request(method, f"/api/data/v9.2/{path}", json=content, headers=headers)
        assert answer.is_success, answer.text
        return answer

    def close(self, order_key: str) -> None:
        closing = {"subject": "sent", "salesorderid@odata.bind": f"/salesorders({order_key})"}
        self.call("POST", "salesorders/Microsoft.Dynamics.CRM.FulfillSalesOrder", {"OrderClose": closing, "Status": -1})

    def sent(self, method: str, part: str = "") -> list[Call]:
        return [call for call in self.calls if call.method == method and part in call.url]


ITEMS = [{"number": "MUG", "name": "Mug", "price": Decimal("9.90")}]
CURRENCIES = [
    {"iso_code": "EUR", "precision": 2, "rate": Decimal(1)},
    {"iso_code": "JPY", "precision": 0, "rate": Decimal(160)},
    {"iso_code": "KWD", "precision": 3, "rate": Decimal("0.33")},
]


def order(erp: Dynamics365, number: str = "SHOP-1", code: str = "EUR", **changes: Any) -> Record:
    """A guest's order of two mugs and their shipping: 2 x 8.25 + 5.00, taxed with 20 %, comes to 25.80."""
    return {
        "ordernumber": number,
        "name": f"Reference of {number}",
        "customerid_contact": customer(erp),
        **terms(erp, code),
        "order_details": [mug(erp), write_in("Shipping", "5.00", "1.00")],
        **changes,
    }


def terms(erp: Dynamics365, code: str) -> Record:
    currency = erp.find("transactioncurrency", isocurrencycode=code)[0]["transactioncurrencyid"]
    price_list = erp.find("pricelevel", transactioncurrencyid=currency)[0]["pricelevelid"]
    return {"transactioncurrencyid": currency, "pricelevelid": price_list}


def customer(erp: Dynamics365, **fields: Any) -> str:
    found = erp.find("contact", emailaddress1="guest@example.com")
    if found:
        return str(found[0]["contactid"])
    record = {"lastname": "Guest", "emailaddress1": "guest@example.com", **fields}
    return erp.write("contact", record, idempotency_key=str(uuid4())).key


def mug(erp: Dynamics365, **changes: Any) -> Record:
    product = erp.find("product", productnumber="MUG")[0]
    return {
        "productid": product["productid"],
        "uomid": product["defaultuomid"],
        "ispriceoverridden": True,
        "priceperunit": Decimal("8.25"),
        "quantity": Decimal(2),
        "tax": Decimal("3.30"),
        **changes,
    }


def write_in(words: str, price: str, tax: str = "0", quantity: int = 1) -> Record:
    return {
        "isproductoverridden": True,
        "productdescription": words,
        "priceperunit": Decimal(price),
        "quantity": Decimal(quantity),
        "tax": Decimal(tax),
    }


def body(call: Call) -> Any:
    return json.loads(call.request_body, parse_float=Decimal)


class Through(httpx.BaseTransport):
    """Lets a test change answers on their way from the sandbox."""

    def __init__(self, erp: Erp, change: Any) -> None:
        self._inner = erp.sandbox.transport()
        self._change = change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._change(request, self._inner.handle_request(request))


class Meanwhile(httpx.BaseTransport):
    """Lets something happen once, just before the first request of a method leaves."""

    def __init__(self, erp: Erp, method: str, act: Any) -> None:
        self._inner = erp.sandbox.transport()
        self._method = method
        self._waiting = [act]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == self._method and "/api/" in request.url.path and self._waiting:
            self._waiting.pop()()
        return self._inner.handle_request(request)
