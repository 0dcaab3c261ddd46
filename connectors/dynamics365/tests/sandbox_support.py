"""What the tests of the Dynamics 365 sandbox share: a signed-in client that speaks plain HTTP, and orders to send."""

import json
from decimal import Decimal

import httpx
import trustme

from connectors.dynamics365.sandbox import Dynamics365Sandbox

ROOT = "/api/data/v9.2/"
ORDER_ID = "0f0e0d0c-0b0a-4908-8706-050403020100"
EVERYTHING = {"Prefer": 'odata.include-annotations="*"'}
REPRESENTATION = {"Prefer": "return=representation"}


def token_form(sandbox, **changes):
    known = sandbox.announcement()
    form = {
        "grant_type": "client_credentials",
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "scope": f"{known['address']}/.default",
    }
    return {name: value for name, value in (form | changes).items() if value is not None}


class Api:
    """A client of the Web API; `body()` reads numbers as Decimal."""

    def __init__(self, sandbox: Dynamics365Sandbox) -> None:
        self.sandbox = sandbox
        self.tenant = sandbox.announcement()["tenant"]
        self.client = httpx.Client(transport=sandbox.transport(), base_url=sandbox.address)
        self.sign_in()

    def sign_in(self):
        answer = self.client.post(f"/{self.tenant}/oauth2/v2.0/token", data=token_form(self.sandbox))
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def send(self, method, path, body=None, **headers):
        content = None if body is None else json.dumps(body, default=str)
        names = {name.replace("MSCRM_", "MSCRM.").replace("_", "-"): value for name, value in headers.items()}
        address = path if path.startswith("http") else ROOT + path
        return self.client.request(method, address, content=content, headers=names)

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.send("POST", path, body, **headers)

    def patch(self, path, body, **headers):
        return self.send("PATCH", path, body, **headers)

    def delete(self, path, **headers):
        return self.send("DELETE", path, **headers)

    def rows(self, path, **headers):
        answer = self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        return body(answer)["value"]

    def one(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return body(answer)

    def create(self, path, given):
        """The id of the new record."""
        answer = self.post(path, given)
        assert answer.status_code == 204, answer.text
        return key_of(answer)

    # What the seed holds

    def product(self, number="LAMP-100"):
        [found] = self.rows(f"products?$filter=productnumber eq '{number}'")
        return found

    def price_list(self, code="EUR"):
        [found] = self.rows(f"pricelevels?$filter=transactioncurrencyid/isocurrencycode eq '{code}'")
        return found

    def order(self, lines=(), code="EUR", **given):
        """An order for a new contact, as a deep insert sends it."""
        price_list = self.price_list(code)
        return {
            "name": "A basket",
            "customerid_contact@odata.bind": f"/contacts({self.contact()})",
            "pricelevelid@odata.bind": f"/pricelevels({price_list['pricelevelid']})",
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({price_list['_transactioncurrencyid_value']})",
            **({"order_details": list(lines)} if lines else {}),
            **given,
        }

    def contact(self):
        return self.create("contacts", {"firstname": "Ada", "lastname": "Byron", "emailaddress1": "ada@example.com"})

    def line(self, number="LAMP-100", quantity=1, **given):
        found = self.product(number)
        return {
            "productid@odata.bind": f"/products({found['productid']})",
            "uomid@odata.bind": f"/uoms({found['_defaultuomid_value']})",
            "quantity": quantity,
            **given,
        }


def write_in(text="Gift wrapping", price=4, **given):
    return {"isproductoverridden": True, "productdescription": text, "quantity": 1, "priceperunit": price, **given}


def body(answer):
    return json.loads(answer.text, parse_float=Decimal)


def key_of(answer):
    return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


def trusted_certificate(folder, monkeypatch):
    """Chain and key for localhost, signed by an authority that `requests` is told to trust."""
    authority, chain, key = trustme.CA(), folder / "chain.pem", folder / "key.pem"
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(key)
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(chain, append=True)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "authority.pem"))
    return chain, key
