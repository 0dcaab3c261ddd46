"""The webservice of one shop over HTTP: addresses, filters, XML and failures end here.

Never retries, never follows a redirect, never asks for a list without a limit. Rows keep the shop's text; `records`
gives them their types.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from connectors.errors import ConnectorError, NeedsPerson, NotFound, RecordRefused, TryLater
from connectors.http import Http
from connectors.prestashop.documents import Broken, CutOff, Document, NotPrestashop, Row, read_document, write_document
from connectors.prestashop.failures import FailedAnswer, Request, failure, unfiltered
from connectors.prestashop.masking import masked_session
from connectors.session import Session

Filters = Mapping[str, str]
# Characters of a filter's values in one call, encoded, so that the address stays under the 4 KB that some hosts allow.
VALUES_A_CALL = 3000
USUAL_PORT = {"http": 80, "https": 443}
HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+")


class Client:
    """`base` is the address of the webservice itself, ending in /api."""

    def __init__(self, values: Mapping[str, str], session: Session) -> None:
        """`values` are the connection's settings. Raises NeedsPerson where the address is unusable."""
        self.base = api_address(values["address"])
        self._key_in_url = values["key_in_url"] == "yes"
        self._session = session
        self._common = {"ws_key": values["key"]} if self._key_in_url else {}
        if values["id_shop"]:
            self._common["id_shop"] = values["id_shop"]
        signed = b64encode(f"{values['key']}:".encode()).decode()
        headers = {} if self._key_in_url else {"Authorization": f"Basic {signed}"}
        self._http = Http(masked_session(session, values["key"]), "PrestaShop", headers=headers)
        self._page_size = int(values["page_size"])
        self._ahead = timedelta(0)
        self.version = ""

    def now(self) -> datetime:
        """The shop's own time, aware UTC, as far as its last answer told it."""
        return self._session.clock() + self._ahead

    @property
    def ahead(self) -> timedelta:
        """How far the shop's clock was ahead of ours at its last answer."""
        return self._ahead

    @property
    def place(self) -> str:
        """Host, port and folder of the shop, by which its webservice is known whatever the spelling of its address."""
        url = httpx.URL(self.base)
        return f"{url.host}:{url.port or USUAL_PORT[url.scheme]}{url.path.removesuffix('/api')}"

    def close(self) -> None:
        self._http.close()

    def root(self) -> Document:
        """The list of resources that the key may use."""
        return self._read(Request("GET", "", "", self._key_in_url), {})

    def rows(
        self,
        resource: str,
        filters: Filters | None = None,
        *,
        display: str = "full",
        sort: str = "[id_ASC]",
        limit: int | None = None,
        dates: bool = False,
    ) -> list[Row]:
        """The rows that match every filter (`{"id_order": "[44]"}`), sorted: the shop's own order is not by id; no more
        than `limit` (default: a page). `dates` must be set to filter or sort by date_add or date_upd."""
        query = {f"filter[{name}]": value for name, value in (filters or {}).items()}
        query |= {"display": display, "sort": sort, "limit": str(limit or self._page_size)}
        query |= {"date": "1"} if dates else {}
        return self._records(Request("GET", resource, "", self._key_in_url), query)

    def pages(
        self,
        resource: str,
        filters: Filters | None = None,
        *,
        display: str = "full",
        after: int = 0,
        dates: bool = False,
    ) -> Iterator[Row]:
        """All matching rows behind the id `after` by ascending id, a page at a time from the last id on: rows that come
        or go between two pages move no others over the edge. Raises NeedsPerson where the shop does not go on."""
        if filters and "id" in filters:
            yield from self.rows(resource, filters, display=display, dates=dates)
            return
        while True:
            page = self.rows(resource, {**(filters or {}), "id": f">[{after}]"}, display=display, dates=dates)
            if any(int(row["id"]) <= after for row in page):
                raise unfiltered(resource)
            yield from page
            if len(page) < self._page_size:
                return
            after = max(int(row["id"]) for row in page)

    def by_values(
        self,
        resource: str,
        name: str,
        values: Iterable[str],
        *,
        display: str = "full",
        also: Filters | None = None,
    ) -> list[Row]:
        """Rows whose field has one of these values, which must hold none of the filter's own characters, and that match
        the other filters."""
        found: list[Row] = []
        for part in self._portions(values):
            wanted = {name: f"[{'|'.join(part)}]", **(also or {})}
            rows = list(self.pages(resource, wanted, display=display))
            if name == "id" and not {row["id"] for row in rows} <= set(part):
                raise unfiltered(resource)
            found += rows
        return found

    def _portions(self, values: Iterable[str]) -> Iterator[list[str]]:
        """As many values as one call may carry and one page may answer, if they are ids."""
        part: list[str] = []
        length = 0
        for value in values:
            more = len(quote(f"{value}|", safe=""))
            if part and (len(part) == self._page_size or length + more > VALUES_A_CALL):
                yield part
                part, length = [], 0
            part.append(value)
            length += more
        if part:
            yield part

    def row(self, resource: str, key: str) -> Row:
        """One record by its id. Raises NotFound."""
        if not re.fullmatch(r"[1-9]\d{0,9}", key, re.ASCII):
            raise NotFound(f"{resource}/{key[:40]} cannot be in the shop: ids there are whole numbers.")
        rows = self._records(Request("GET", resource, key, self._key_in_url), {})
        if [row["id"] for row in rows] != [key]:
            # The shop answers 404 for what is not there, so this says nothing about the record.
            raise TryLater(f"Reading {resource}/{key}: the shop's answer does not hold this record.")
        return rows[0]

    def create(self, resource: str, node: str, fields: Mapping[str, str], query: Filters | None = None) -> str:
        """Creates a record and returns its id: the rest of the answer echoes the request, not what was stored.
        Raises FailedAnswer where the answer leaves open whether it was done, InDoubt where there was none."""
        request = Request("POST", resource, "", self._key_in_url)
        rows = self._write(request, node, fields, query or {}).rows
        if not rows or not str(rows[0].get("id", "")).isdecimal():
            raise FailedAnswer(f"Writing {resource}: the shop's answer names no id.")
        return str(rows[0]["id"])

    def patch(self, resource: str, key: str, node: str, fields: Mapping[str, str]) -> None:
        """Changes only these fields of a record (PrestaShop 8.0 and later). Raises as `create`: a shop that carried it
        out sends the record."""
        request = Request("PATCH", resource, key, self._key_in_url)
        rows = self._write(request, node, {"id": key, **fields}, {}).rows
        if [row.get("id") for row in rows] != [key]:
            raise FailedAnswer(f"Writing {request.record}: the shop's answer does not hold this record.")

    def _records(self, request: Request, query: Filters) -> list[Row]:
        rows = self._read(request, query).rows
        if not all(re.fullmatch(r"\d{1,10}", str(row.get("id", "")), re.ASCII) for row in rows):
            raise NeedsPerson(
                f"Reading {request.record}: the shop sent a record without an id.",
                "A module of the shop, or a cache before it, changes what the webservice answers.",
            )
        return rows

    def _read(self, request: Request, query: Filters) -> Document:
        return self._answer(request, query, b"")

    def _write(self, request: Request, node: str, fields: Mapping[str, str], query: Filters) -> Document:
        try:
            body = write_document(node, fields)
        except ValueError as error:
            raise RecordRefused(
                f"{request.record} {error}: it holds a control character that cannot be sent to the shop.",
                "Remove the character where the text comes from.",
                field=str(error),
            ) from error
        return self._answer(request, query, body)

    def _answer(self, request: Request, query: Filters, body: bytes) -> Document:
        path = "/".join(part for part in (self.base, request.resource, request.key) if part)
        options: dict[str, Any] = {"params": {**query, **self._common}}
        if body:
            options |= {"content": body, "headers": {"Content-Type": "text/xml; charset=utf-8"}}
        answer = self._http.send(request.method, path, **options)
        self._note(answer)
        try:
            document = read_document(answer.content)
        except (NotPrestashop, CutOff, Broken) as error:
            if answer.is_success:
                raise _unreadable(request, answer, error) from error
            document = Document()
        if not answer.is_success or document.errors:
            raise failure(request, answer, document.errors, self._session.clock())
        return document

    def _note(self, answer: httpx.Response) -> None:
        version = answer.headers.get("PSWS-Version", "")
        if version not in ("", "0"):
            self.version = version
        told = answer.headers.get("Access-Time", "")
        if re.fullmatch(r"\d{9,11}", told, re.ASCII):
            self._ahead = datetime.fromtimestamp(int(told), UTC) - self._session.clock()


def api_address(address: str) -> str:
    """The webservice's address from what an operator types: with or without scheme, sub-folder, /api, slashes.
    Raises NeedsPerson."""
    text = address.strip()
    text = text if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) else f"https://{text}"
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise _bad_address("is not an address") from error
    if url.scheme not in ("http", "https") or not HOST.fullmatch(url.host):
        raise _bad_address("must begin with https:// (or http://) and name the shop's host")
    if url.userinfo or url.query or url.fragment:
        raise _bad_address("must hold neither key nor parameters; the key has a setting of its own")
    path = re.sub(r"/+", "/", url.path).rstrip("/")
    path = path if path.endswith("/api") else f"{path}/api"
    return str(url.copy_with(path=path))


def _bad_address(words: str) -> NeedsPerson:
    return NeedsPerson(
        f"PrestaShop connection: the shop's address {words}.",
        "Enter the address that customers use, for example https://shop.example or https://shop.example/store.",
        field="address",
    )


def _unreadable(request: Request, answer: httpx.Response, error: Exception) -> ConnectorError:
    """A success whose body is no document."""
    if request.writes:
        return FailedAnswer(f"Writing {request.record}: the shop's answer cannot be read.")
    if isinstance(error, CutOff) or not answer.content.strip():
        return TryLater(f"Reading {request.record}: the shop's answer ends too early.")
    if isinstance(error, Broken):
        return NeedsPerson(
            f"Reading {request.record}: the shop's answer cannot be read: {error}.",
            "A text of this record, or a module of the shop, breaks the XML: look at the record in the back office.",
        )
    return NeedsPerson(
        "This address answers, but not as a PrestaShop webservice.",
        "Correct the shop's address in the connection; if it is right, look whether a web page (maintenance, login, "
        "firewall) stands before /api.",
    )
