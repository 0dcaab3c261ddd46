"""One request to the webservice, from its key to its answer."""

import hashlib
import re
import urllib.parse
from dataclasses import dataclass

import httpx

from connectors.prestashop.sandbox import query as queries
from connectors.prestashop.sandbox import writes
from connectors.prestashop.sandbox.display import parsed_display
from connectors.prestashop.sandbox.errors import SWITCHED_OFF, Crashed, Elsewhere, Missing, Refused, error_xml
from connectors.prestashop.sandbox.headers import HTML, SIGN_IN, webservice_headers
from connectors.prestashop.sandbox.rights import Key, NoKey, check_method, check_resource, sent_key, signed_in
from connectors.prestashop.sandbox.schema import RESOURCES, Record, Resource
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.xml import EVERYTHING, Display, Writer, document, parse
from connectors.sandbox import Request, Response

FRONT_PAGE = b"<!DOCTYPE html>\n<html><head><title>Shop</title></head><body>The shop front.</body></html>\n"


@dataclass(frozen=True)
class Place:
    """Where requests are answered: the address in links, the domain that the shop insists on (None: any)."""

    address: str
    domain: str | None
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
            return Response(404, b"", self._headers(typed=False))
        except Crashed as crash:
            return Response(500, crash.sentence.encode(), HTML)
        except Refused as refused:
            headers = self._headers()
            if refused.status == 401:
                headers.append(SIGN_IN)
            return Response(refused.status, document(error_xml(refused.errors)), headers)

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
        if not self._segments:
            return self._xml(200, root(key, self._place.api, self._shop))
        check_resource(key, self._segments[0])
        check_method(key, method, self._segments[0])
        resource = RESOURCES[self._segments[0]]
        if method in ("GET", "HEAD"):
            return self._xml(200, self._read(resource))
        self.changed = True
        if method == "DELETE":
            writes.remove(self._shop, resource, self._ids())
            return Response(200, b"", self._headers(typed=False))
        body = self._form.get("xml", "").encode() or self._request.body
        saved = writes.save(self._shop, resource, method, parse(body), self._query)
        writer = self._writer(self._shop.languages())
        return self._xml(201 if method == "POST" else 200, [self._full(writer, resource, one) for one in saved])

    def _check_shop(self) -> None:
        domain = self._place.domain
        headers = self._request.headers
        host = headers.get("X-Forwarded-Host") or headers.get("Host") or ""
        if domain and host != domain:
            raise Elsewhere
        id_shop = self._query.get("id_shop", "")
        if id_shop and id_shop != "all" and not self._shop.store.get("shops", id_shop):
            raise Elsewhere

    def _ids(self) -> list[str] | None:
        if len(self._segments) > 1:
            return self._segments[1].split(",")
        return [one.strip() for one in self._query["id"].strip("[]").split(",")] if "id" in self._query else None

    def _read(self, resource: Resource) -> list[str]:
        known = self._shop.languages()
        languages = queries.wanted_languages(self._query, known)
        writer = self._writer(languages)
        if len(self._segments) > 1:
            return self._read_one(resource, writer)
        if "schema" in self._query:
            return [self._schema(resource, writer)]
        question = queries.asked(resource, self._query, languages)
        records = queries.answer(resource, question, self._shop.store)
        return self._list(resource, writer, question.display, records)

    def _read_one(self, resource: Resource, writer: Writer) -> list[str]:
        key = self._segments[1]
        record = self._shop.store.get(resource.name, key)
        if not record:
            raise Missing
        display = parsed_display(resource, self._query.get("display"))
        if display is None or display == EVERYTHING:
            return [self._full(writer, resource, record)]
        return self._list(resource, writer, display, [record])

    def _list(self, resource: Resource, writer: Writer, display: Display | None, records: list[Record]) -> list[str]:
        parts = [f"<{resource.plural}>\n"]
        if display is None:
            parts += [writer.reference(resource, one) for one in records]
        else:
            parts += [self._full(writer, resource, one, display) for one in records]
        return [*parts, f"</{resource.plural}>\n"]

    def _full(self, writer: Writer, resource: Resource, record: Record, display: Display = EVERYTHING) -> str:
        if resource.name == "orders" and display.association_fields("order_rows") != frozenset():
            record = {**record, "associations": {"order_rows": order_rows(self._shop, record["id"])}}
        return writer.record(resource, record, display)

    def _schema(self, resource: Resource, writer: Writer) -> str:
        wanted = self._query["schema"]
        if wanted not in ("blank", "synopsis"):
            raise Refused(400, (28, "Please select a schema of type 'synopsis' or 'blank'"))
        return writer.schema(resource, wanted == "synopsis")

    def _writer(self, languages: list[str]) -> Writer:
        return Writer(self._place.api, languages)

    def _headers(self, *, typed: bool = True) -> list[tuple[str, str]]:
        return webservice_headers(self._shop, self._version, typed=typed)

    def _xml(self, status: int, parts: list[str]) -> Response:
        body = document(parts)
        digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        headers = [*self._headers(), ("Content-Sha1", digest)]
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


def root(key: Key, api: str, shop: Shop) -> list[str]:
    """The list of the resources that the key may use."""
    name = shop.store.configuration("PS_SHOP_NAME", "Shop").replace("&", "&amp;").replace('"', "&quot;")
    parts = [f'<api shopName="{name}">\n']
    for resource in RESOURCES:
        allowed = key.methods_for(resource)
        if not allowed:
            continue
        verbs = ("get", "put", "post", "patch", "delete", "head")
        rights = " ".join(f'{one}="{str(one.upper() in allowed).lower()}"' for one in verbs)
        marks = f'xlink:href="{api}/{resource}" {rights}'
        parts.append(f"<{resource} {marks}>\n<description {marks}>\n{resource.replace('_', ' ').capitalize()}")
        parts.append("</description>\n")
        parts += [
            f'<schema xlink:href="{api}/{resource}?schema={one}" type="{one}"/>\n' for one in ("blank", "synopsis")
        ]
        parts.append(f"</{resource}>\n")
    return [*parts, "</api>\n"]
