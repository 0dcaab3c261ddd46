"""Dataverse's Web API: addresses, headers, one renewal of an expired token, paging, and answers as exact values."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from connectors.dynamics365 import json_text
from connectors.dynamics365.entities import Table
from connectors.dynamics365.entra import Entra
from connectors.dynamics365.failures import Task, failure, request_note, says_already_there
from connectors.dynamics365.wire import LOOKUP_NAME
from connectors.errors import InDoubt, NeedsPerson, SignInRefused, TryLater
from connectors.http import Http
from connectors.session import Session

# Dataverse stops a message of its own after two minutes; a shorter time-out here would only put writes in doubt.
SECONDS = 120.0
ANNOTATIONS = f'odata.include-annotations="{LOOKUP_NAME}"'
HEADERS = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0"}
# Every environment has two hosts: name.crm4.dynamics.com and name.api.crm4.dynamics.com.
API_HOST = re.compile(r"([^.:]+)\.api\.(crm[0-9]*\.[^.:]+\.[^.:]+(?::[0-9]+)?)")
Row = dict[str, Any]


def environment_origin(text: str) -> str:
    """`https://name.crm4.dynamics.com` out of any address inside of it, also on its api host. Raises NeedsPerson."""
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise NeedsPerson(
            f"Dynamics 365 connection: {text!r} is not the address of an environment.",
            "Enter it as https://<name>.crm<n>.dynamics.com (Power Platform admin center, Environments).",
        )
    host = url.netloc.decode("ascii")
    by_api = API_HOST.fullmatch(host)
    return f"{url.scheme}://{f'{by_api[1]}.{by_api[2]}' if by_api else host}"


class Client:
    """One environment as one application user. Never repeats a call, except once after renewing a refused token."""

    def __init__(self, values: Mapping[str, str], session: Session) -> None:
        self.origin = environment_origin(values["environment_url"])
        self.root = f"/api/data/{values['api_version']}"
        self.clock = session.clock
        self.clock_skew: float | None = None  # seconds that the environment is ahead of us, from the last answer
        self._page_size = values["page_size"]
        self.entra = Entra(values, f"{self.origin}/.default", session)
        self._http = Http(session, "Dynamics 365", timeout=SECONDS, headers=HEADERS)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, task: Task, query: Mapping[str, str] | None = None, prefer: str = ANNOTATIONS) -> Row:
        """The JSON object there, `path` below the service root. Raises NotFound, TryLater, SignInRefused."""
        return self._fetched(f"{self.origin}{self.root}{path}{_query(query)}", task, prefer)

    def rows(self, table: Table, task: Task, query: Mapping[str, str]) -> Iterator[Row]:
        """Every row of a query, page after page."""
        address = f"{self.origin}{self.root}/{table.entity_set}{_query(query)}"
        yield from self.pages(address, task)

    def pages(self, address: str, task: Task) -> Iterator[Row]:
        """Every row from this page on; next links are called as they were given, with the same page size."""
        seen: set[str] = set()
        while address:
            seen.add(address)
            answer = self._fetched(address, task, f"{ANNOTATIONS},odata.maxpagesize={self._page_size}")
            rows = answer.get("value")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise TryLater(f"Dynamics 365 answered no rows when asked to {task}.")
            yield from rows
            address = answer.get("@odata.nextLink") or ""
            if address and (address in seen or not self._is_ours(address)):
                raise NeedsPerson(
                    f"Dynamics 365 gave a next page that cannot be followed when asked to {task}.",
                    "Check whether a proxy in front of the environment rewrites addresses.",
                )

    def write(self, method: str, path: str, task: Task, row: Row, headers: Mapping[str, str]) -> httpx.Response:
        """Sends a row. Returns answers of success, and those that say that a row is there already. Raises
        RecordRefused, InDoubt, TryLater, SignInRefused."""
        content = json_text.dumps(row)
        response = self.send(method, path, content, {"Content-Type": "application/json", **headers})
        if says_already_there(response):
            return response
        if not response.is_success:
            raise failure(response, task, self.clock())
        if response.status_code != 204 and "json" not in response.headers.get("content-type", ""):
            raise InDoubt(
                f"Dynamics 365 was asked to {task}, and something else answered in its place{request_note(response)}."
            )
        return response

    def send(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """The answer to a write, whatever its status but 401."""
        return self._signed(method, f"{self.origin}{self.root}{path}", headers, content=content)

    def _fetched(self, address: str, task: Task, prefer: str) -> Row:
        response = self._signed("GET", address, {"Prefer": prefer, "If-None-Match": "null"})
        if response.status_code != 200:
            raise failure(response, task, self.clock())
        try:
            answer = json_text.loads(response.content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TryLater(f"Dynamics 365 gave no readable answer when asked to {task}{request_note(response)}.")
        return answer

    def _signed(self, method: str, address: str, headers: Mapping[str, str], **options: Any) -> httpx.Response:
        token = self.entra.token()
        response = self._sent(method, address, headers, token, options)
        if response.status_code == 401:
            self.entra.drop(token)
            response = self._sent(method, address, headers, self.entra.token(), options)
        if response.status_code == 401:
            raise SignInRefused(
                f"Dynamics 365 refuses the access token, also a new one (HTTP 401{request_note(response)}).",
                "Check that the connection's tenant is the one of the environment, and that the application user is "
                "enabled: Power Platform admin center, environment, Settings, Application users.",
                code="401",
            )
        return response

    def _sent(
        self, method: str, address: str, headers: Mapping[str, str], token: str, options: Mapping[str, Any]
    ) -> httpx.Response:
        signed = {**headers, "Authorization": f"Bearer {token}"}
        response = self._http.send(method, address, headers=signed, **options)
        self.clock_skew = _skew(response, self.clock())
        return response

    def _is_ours(self, address: str) -> bool:
        """Whether a link stays in the environment, on either of its hosts: the token goes nowhere else."""
        try:
            return environment_origin(address) == self.origin
        except NeedsPerson:
            return False


def _query(query: Mapping[str, str] | None) -> str:
    if not query:
        return ""
    return "?" + "&".join(f"{name}={quote(value, safe='$,()=:;/@')}" for name, value in query.items())


def _skew(response: httpx.Response, now: datetime) -> float | None:
    try:
        there = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
    return ((there if there.tzinfo else there.replace(tzinfo=UTC)) - now).total_seconds()
