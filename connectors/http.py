"""The one way out: httpx with time-outs, no redirects, hooks for limits and evidence, and failures in words.

Answers come back whatever their status; what a status means is each system's client to say. Only a missing answer
is decided here, since it means the same everywhere.
"""

import ssl
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

from connectors.errors import InDoubt, NeedsPerson, TryLater
from connectors.session import Call, Session

MASK = "•••"
SECRET_HEADERS = {"authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key"}
SECRET_PARAMETERS = {"ws_key", "client_secret", "client_assertion", "code", "token", "access_token", "password"}
UNPACKED = {"content-encoding", "transfer-encoding", "content-length"}  # they describe the answer as it was packed
ADDRESS_HEADERS = {"location", "content-location"}
SHORTEST = 8  # anything shorter is no secret, and would be found in every other word
LARGEST = 32 * 1024 * 1024  # bytes of an answer once unpacked
LONGEST = 4  # times the timeout, for an answer that trickles in
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class TooLarge(httpx.ReadError):
    """An answer of more bytes than are taken: that is about what was asked for, not about the system."""


@cache
def trusted(file: str) -> ssl.SSLContext:
    """Made once: reading the usual authorities takes 20 ms, and threads may share a context."""
    return ssl.create_default_context(cafile=file) if file else httpx.create_ssl_context()


class Http:
    """One HTTP client of one connection; make one a thread. `timeout` in seconds is for the connection and for each
    part of an answer; no answer takes longer than four times that or holds more than 32 MB."""

    def __init__(
        self,
        session: Session,
        system: str,
        *,
        timeout: float = 30.0,
        auth: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        timeout = min(timeout, session.longest)
        self._session = session
        self._system = system
        self._timeout = timeout
        self._client = httpx.Client(
            transport=session.transport,
            verify=trusted(session.verify),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            follow_redirects=False,
            auth=auth,
            headers={"User-Agent": "Tillbridge/1", **(headers or {})},
        )

    def send(self, method: str, url: str, *, writes: bool | None = None, **options: Any) -> httpx.Response:
        """Sends one request. `writes` says whether it may change something there (by default: any method but GET and
        HEAD). Raises TryLater where nothing can have been written, InDoubt where a write's answer was lost, and
        NeedsPerson where the address itself is unusable."""
        writes = method not in ("GET", "HEAD") if writes is None else writes
        request = self._request(method, url, options)
        call = Call(method, masked_url(request.url), masked_headers(request.headers), request.content)
        self._session.before(call)
        started = time.monotonic()
        try:
            response = self._answer(request, started + LONGEST * self._timeout)
        except httpx.HTTPError as error:
            call.error = str(error) or type(error).__name__
            raise self._no_answer(error, writes) from error
        else:
            call.status = response.status_code
            call.response_headers = masked_headers(response.headers)
            call.response_body = response.content
            return response
        finally:
            self._client.cookies.clear()  # sessions that an error page opens are not ours to carry on
            call.seconds = time.monotonic() - started
            self._session.after(call)

    def _answer(self, request: httpx.Request, deadline: float) -> httpx.Response:
        """The whole answer, unpacked. Raises httpx.ReadError for one that is too large or takes too long."""
        streamed = self._client.send(request, stream=True)
        body = bytearray()
        try:
            for part in streamed.iter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise TooLarge(f"the answer is larger than {LARGEST // 1024**2} MB", request=request)
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer takes too long", request=request)
        finally:
            streamed.close()
        headers = [(name, value) for name, value in streamed.headers.multi_items() if name not in UNPACKED]
        content = _without_sign_in(bytes(body), request)
        return httpx.Response(streamed.status_code, headers=headers, content=content, request=request)

    def _request(self, method: str, url: str, options: dict[str, Any]) -> httpx.Request:
        try:
            request = self._client.build_request(method, url, **options)
            if request.url.scheme not in ("http", "https") or not request.url.host:
                raise httpx.InvalidURL("it needs http:// or https:// and a host")
        except (httpx.InvalidURL, UnicodeError) as error:
            raise NeedsPerson(
                f"{self._system}: the address {url.partition('?')[0]!r} cannot be used: {error}.",
                "Correct the address in the connection.",
            ) from error
        return request

    def _no_answer(self, error: httpx.HTTPError, writes: bool) -> Exception:
        words = (str(error) or type(error).__name__).rstrip(".")
        if isinstance(error, NEVER_SENT):
            if "CERTIFICATE_VERIFY_FAILED" in words:
                return NeedsPerson(
                    f"{self._system}: its certificate is not trusted: {words}.",
                    "Renew the certificate there, or give the connection the authority that signed it.",
                )
            return TryLater(f"{self._system} cannot be reached: {words}.", outage=True)
        if writes:
            return InDoubt(f"{self._system} was sent a write and its answer was lost: {words}.")
        return TryLater(f"{self._system} gave no complete answer: {words}.", outage=not isinstance(error, TooLarge))

    def close(self) -> None:
        self._client.close()


def _without_sign_in(body: bytes, request: httpx.Request) -> bytes:
    """An answer that repeats the token or key that it was asked with, as pages of errors do, is not to carry it on."""
    secret = request.headers.get("Authorization", "").partition(" ")[2].encode()
    return body.replace(secret, MASK.encode()) if len(secret) >= SHORTEST else body


def masked_headers(headers: httpx.Headers) -> dict[str, str]:
    return {name: _masked_header(name, value) for name, value in headers.items()}


def _masked_header(name: str, value: str) -> str:
    if name in SECRET_HEADERS:
        return MASK
    if name in ADDRESS_HEADERS:  # a redirect repeats the address that it was asked for, and a key in it
        try:
            return masked_url(httpx.URL(value))
        except httpx.InvalidURL:
            return MASK
    return value


def masked_url(url: httpx.URL) -> str:
    """The address without any user information and with the values of secret parameters masked."""
    clean = url.copy_with(username=None, password=None) if url.userinfo else url
    if not SECRET_PARAMETERS & set(clean.params):
        return str(clean)
    return str(clean.copy_merge_params({name: "***" for name in clean.params if name in SECRET_PARAMETERS}))
