"""One request to the webservice, from its key to its answer."""

import hashlib
import re
import urllib.parse
from dataclasses import dataclass

import httpx

from connectors.prestashop.sandbox import query as queries
from connectors.prestashop.sandbox import writes
from connectors.prestashop.sandbox.computed_prices import ComputedPrices
from connectors.prestashop.sandbox.display import parsed_display
from connectors.prestashop.sandbox.errors import SWITCHED_OFF, Crashed, Elsewhere, Missing, Refused
from connectors.prestashop.sandbox.headers import HTML, SIGN_IN, webservice_headers
from connectors.prestashop.sandbox.json_output import JsonOutput
from connectors.prestashop.sandbox.output import Output, XmlOutput, wants_json
from connectors.prestashop.sandbox.rights import Key, NoKey, check_method, check_resource, sent_key, signed_in
from connectors.prestashop.sandbox.schema import RESOURCES, Record, Resource
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.xml import EVERYTHING, Display, parse
from connectors.sandbox import Request, Response

FRONT_PAGE = b"<!DOCTYPE html>\n<html><head><title>Shop</title></head><body>The shop front.</body></html>\n"


@dataclass(frozen=True)
class Place:
    """Where requests are answered: the address in links, and the hosts that the shop answers to (None: any)."""

    address: str
    hosts: tuple[str, ...] | None
    version: str

    @property
    def api(self) -> str:
        return f"{self.address}/api"


class Service:
    """Answers one request; `changed` says afterwards whether it may have changed something."""

    def __init__(self, shop: Shop, keys: tuple[Key, ...], place: Place, request: Request) -> None:
        self._shop = shop
        self._keys = keys
        self._place = place
        self._request = request
        path, _, odd = request.path.partition("&")  # one PHP client appends "&id_shop=2" without a "?"
        self._segments = [one for one in path.lstrip("/").removeprefix("api").split("/") if one]
        self._query = httpx.QueryParams(odd).merge(request.query) if odd else request.query
        self._form = _form(request)
        self._json = wants_json(request)
        self._prices = ComputedPrices(shop, self._query)
        self._version = "0"
        self.changed = False

    def answer(self) -> Response:
        try:
            return self._answer()
        except Elsewhere:
            rest = [("url", "/".join(self._segments)), *self._query.remove("id_shop").multi_items()]
            return Response(302, b"", [*HTML, ("Location", f"{self._place.address}/?{urllib.parse.urlencode(rest)}")])
        except NoKey:
            return Response(401, b"401 Unauthorized", [*HTML, SIGN_IN])
        except Missing:
            return Response(404, b"", self._headers(None))
        except Crashed as crash:
            return Response(500, crash.sentence.encode(), HTML)
        except Refused as refused:
            output = self._output([])
            headers = self._headers(output)
            if refused.status == 401:
                headers.append(SIGN_IN)
            return Response(refused.status, output.errors(refused.errors), headers)

    def _answer(self) -> Response:
        if not re.match(r"/+api(/|&|$)", self._request.path):
            return Response(404 if self._request.path.strip("/") else 200, FRONT_PAGE, HTML)
        self._check_shop()
        key_text = sent_key(self._request)
        if not self._shop.store.webservice_on:
            raise Refused(503, SWITCHED_OFF)
        key = signed_in(self._keys, key_text)
        self._version = self._place.version
        method = self._query.get("ps_method") or self._form.get("ps_method") or self._request.method
        output = self._output(self._shop.languages())
        if not self._segments:
            return self._answered(200, output, output.root(key, self._shop))
        check_resource(key, self._segments[0])
        check_method(key, method, self._segments[0])
        resource = RESOURCES[self._segments[0]]
        if method in ("GET", "HEAD"):
            return self._read(resource)
        self.changed = True
        if method == "DELETE":
            writes.remove(self._shop, resource, self._ids())
            return Response(200, b"", self._headers(None))
        body = self._form.get("xml", "").encode() or self._request.body
        saved = writes.save(self._shop, resource, method, parse(body), self._query)
        shown = [self._whole(resource, one) for one in saved]
        return self._answered(201 if method == "POST" else 200, output, output.saved(resource, shown))

    def _check_shop(self) -> None:
        headers, hosts = self._request.headers, self._place.hosts
        host = headers.get("X-Forwarded-Host") or headers.get("Host") or ""
        if hosts is not None and host.lower() not in hosts:
            raise Elsewhere
        id_shop = self._query.get("id_shop", "")
        if id_shop and id_shop != "all" and not self._shop.store.get("shops", id_shop):
            raise Elsewhere

    def _ids(self) -> list[str] | None:
        if len(self._segments) > 1:
            return self._segments[1].split(",")
        return [one.strip() for one in self._query["id"].strip("[]").split(",")] if "id" in self._query else None

    def _read(self, resource: Resource) -> Response:
        languages = queries.wanted_languages(self._query, self._shop.languages())
        output = self._output(languages)
        if len(self._segments) > 1:
            return self._answered(200, output, self._one(resource, output))
        if "schema" in self._query:
            wanted = self._query["schema"]
            if wanted not in ("blank", "synopsis"):
                raise Refused(400, (28, "Please select a schema of type 'synopsis' or 'blank'"))
            return self._answered(200, output, output.schema(resource, synopsis=wanted == "synopsis"))
        priced = self._prices.resource(resource)
        display = parsed_display(priced, self._query.get("display"))
        question = queries.asked(resource, self._query, languages)
        records = queries.answer(resource, question, self._shop.store)
        return self._answered(200, output, self._list(priced, output, display, records))

    def _one(self, resource: Resource, output: Output) -> bytes:
        record = self._shop.store.get(resource.name, self._segments[1])
        if not record:
            raise Missing
        priced = self._prices.resource(resource)
        display = parsed_display(priced, self._query.get("display"))
        if display is None or display == EVERYTHING:
            return output.one(priced, self._whole(priced, record))
        return self._list(priced, output, display, [record])

    def _list(self, resource: Resource, output: Output, display: Display | None, records: list[Record]) -> bytes:
        if display is not None:
            records = [self._whole(resource, one, display) for one in records]
        return output.listing(resource, records, display)

    def _whole(self, resource: Resource, record: Record, display: Display = EVERYTHING) -> Record:
        """The record with what the shop puts together for an answer: an order's rows, prices that were asked for."""
        if resource.name == "orders" and display.association_fields("order_rows") != frozenset():
            record = {**record, "associations": {"order_rows": order_rows(self._shop, record["id"])}}
        return record if resource is RESOURCES[resource.name] else self._prices.record(resource, record)

    def _output(self, languages: list[str]) -> Output:
        if self._json:
            return JsonOutput(languages, listed="display" in self._query)
        return XmlOutput(self._place.api, languages)

    def _headers(self, output: Output | None) -> list[tuple[str, str]]:
        return webservice_headers(self._shop, self._version, output.content_type if output else None)

    def _answered(self, status: int, output: Output, body: bytes) -> Response:
        digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        headers = [*self._headers(output), ("Content-Sha1", digest)]
        if self._request.headers.get("Local-Content-Sha1") == digest:
            return Response(304, b"", headers)
        return Response(status, body, headers)


def _form(request: Request) -> dict[str, str]:
    """The fields of a form body; XML that a client labels as a form is none."""
    labelled = "x-www-form-urlencoded" in request.headers.get("Content-Type", "")
    if not labelled or request.body.lstrip().startswith(b"<"):
        return {}
    return dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def order_rows(shop: Shop, id_order: str) -> list[dict[str, str]]:
    """An order's rows in short, as its association shows them."""
    same = ("id", "product_id", "product_attribute_id", "product_quantity", "product_name", "product_reference")
    also = ("product_ean13", "product_isbn", "product_upc", "product_price", "id_customization")
    prices = ("unit_price_tax_incl", "unit_price_tax_excl")
    details = shop.store.find("order_details", id_order=id_order)
    return [{name: one[name] for name in (*same, *also, *prices)} for one in details]
