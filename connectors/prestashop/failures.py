"""What an answer other than success means: by status, first error code and content type, in the operator's words.

No text of the answer is passed on: error 127 echoes the whole request, others carry paths of the server.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from connectors.errors import (
    ConnectorError,
    InDoubt,
    NeedsPerson,
    NotFound,
    RecordRefused,
    SignInRefused,
    TryLater,
)

KEYS = "Advanced Parameters > Webservice"
BUSY = (429, 502, 503, 504)
# Error codes of a refusal that happens before anything is stored; what they complain about.
REFUSALS = {
    "41": "a required field is missing",
    "46": "the shop could not save it",
    "84": "a text is not valid",
    "85": "a value is not valid",
    "90": "the id is missing",
    "91": "an id was sent for a new record",
    "93": "a field cannot be written",
    "133": "this stock depends on warehouses",
    "140": "another customer has this e-mail address",
}
# PHP's own warnings and errors, which PrestaShop appends after whatever it did.
PHP_CODES = {str(code) for code in range(2, 16)}
QUERY_CODES = {"31", "32", "33", "34", "35", "36", "37", "38", "39", "81"}
FIELD = re.compile(r'parameter "(\w{1,64})"|[Pp]roperty (?:\w+->|\w+-&gt;)(\w{1,64})')


class FailedAnswer(InDoubt):
    """The shop answered a write with a failure that does not say whether it was carried out; it is no longer busy
    with it, so a look settles the matter."""


@dataclass(frozen=True)
class Request:
    """What was asked: `resource` and `key` as in the address, `key_in_url` is the connection's setting."""

    method: str
    resource: str
    key: str = ""
    key_in_url: bool = False

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD")

    @property
    def record(self) -> str:
        return f"{self.resource}/{self.key}" if self.key else self.resource or "the webservice"


def failure(request: Request, answer: httpx.Response, errors: list[tuple[str, str]], now: datetime) -> ConnectorError:
    """The error to raise for an answer that is no success. `errors` are the (code, message) pairs it carried, `now`
    is aware UTC."""
    code = errors[0][0] if errors else ""
    if 300 <= answer.status_code < 400:
        return _redirected(answer)
    for decide in (_sign_in, _missing_right, _busy):
        found = decide(request, answer, code, now)
        if found:
            return found
    if answer.status_code == 404:
        return _absent(request, answer, code)
    if code in REFUSALS:
        field = FIELD.search(errors[0][1])
        name = next((one for one in field.groups() if one), "") if field else ""
        return RecordRefused(
            f"PrestaShop refused {request.record}: {REFUSALS[code]}{f' ({name})' if name else ''}.",
            "Correct the record and send it again.",
            field=name,
            code=code,
        )
    if code in PHP_CODES:
        return _failed(request, answer, code)
    if answer.status_code < 500 or code in QUERY_CODES or code in ("27", "127"):
        return _not_understood(request, answer, code)
    return _failed(request, answer, code)


def retry_after(answer: httpx.Response, now: datetime) -> datetime | None:
    """The aware UTC time that a Retry-After header names, as seconds or as a date; None where it is unreadable."""
    value = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,7}", value, re.ASCII):
        return now + timedelta(seconds=int(value))
    try:
        named = parsedate_to_datetime(value)
    except ValueError:
        return None
    return named.astimezone(UTC) if named.tzinfo else named.replace(tzinfo=UTC)


def missing_right(method: str, resource: str, code: str = "") -> SignInRefused:
    return SignInRefused(
        f"The webservice key may not {method} {resource}.",
        f"In the shop's back office, {KEYS}, open the key and tick {method} in the row {resource}.",
        code=code,
    )


def unfiltered(resource: str) -> NeedsPerson:
    return NeedsPerson(
        f"Reading {resource}: the shop sends records that were not asked for, and so would send the same for ever.",
        "A cache before the shop, or a module in it, ignores filters: exempt /api from every cache.",
    )


def _sign_in(request: Request, answer: httpx.Response, code: str, now: datetime) -> ConnectorError | None:
    if code == "132":
        return SignInRefused(
            "The webservice key is not allowed for this shop.",
            f"In {KEYS}, open the key and add the shop to its shop association, or correct the shop id here.",
            code=code,
        )
    if answer.status_code != 401:
        return None
    if code == "26":
        return missing_right(request.method, request.resource, code)
    if code == "18":
        return SignInRefused(
            "PrestaShop says that the webservice key does not have its 32 characters.",
            f"Copy the key again from {KEYS} into the connection, without blanks.",
            code=code,
        )
    if code in ("20", "21"):
        return SignInRefused(
            "PrestaShop does not know this webservice key, or it is switched off.",
            f"Compare the key with the one in {KEYS}, and see that its status is Enabled.",
            code=code,
        )
    remedy = (
        "See that no firewall or password protection stands before the shop."
        if request.key_in_url
        else "The shop's web server most likely strips the Authorization header (PHP as CGI or FPM): have it passed on "
        "(CGIPassAuth On), or set 'Send the key in the address' to yes."
    )
    return SignInRefused("The webservice key did not reach PrestaShop.", remedy, code=code)


def _missing_right(request: Request, answer: httpx.Response, code: str, now: datetime) -> ConnectorError | None:
    if code == "25":
        return missing_right(request.method, request.resource, code)
    if code in ("23", "101"):
        return NeedsPerson(f"PrestaShop does not offer {request.method} for {request.resource}.", code=code)
    if answer.status_code in (403, 405, 406) and not code:
        return NeedsPerson(
            f"Something before PrestaShop refused {request.method} {request.record} "
            f"(status {answer.status_code}), most likely a firewall.",
            "Ask the shop's host to let the hub's address use /api with GET, POST and PATCH.",
        )
    return None


def _busy(request: Request, answer: httpx.Response, code: str, now: datetime) -> ConnectorError | None:
    if code == "22":
        return SignInRefused(
            "The shop's webservice is switched off.",
            f"In the shop's back office, {KEYS}, set 'Enable PrestaShop's webservice' to Yes.",
            code=code,
        )
    if answer.status_code not in BUSY:
        return None
    after = retry_after(answer, now)
    words = f"the shop is busy or down (status {answer.status_code})"
    refused_at_the_door = answer.status_code == 429 or (answer.status_code == 503 and after is not None)
    if request.writes and not refused_at_the_door:
        return InDoubt(f"Writing {request.record}: {words}; whether it arrived is not known.")
    told = f"{words.capitalize()}." if request.writes else f"Reading {request.record}: {words}."
    return TryLater(told, after, outage=True)


def _redirected(answer: httpx.Response) -> ConnectorError:
    return NeedsPerson(
        f"PrestaShop redirected the call{_origin(answer.headers.get('Location', ''))} instead of answering it.",
        "Give the connection exactly the address in Shop Parameters > Traffic & SEO (http or https, www or not, port), "
        "see that a proxy passes the Host header on, and that the shop id exists.",
    )


def _origin(location: str) -> str:
    """Only where to: the rest of a location repeats the call's parameters, the key among them."""
    try:
        target = httpx.URL(location)
    except httpx.InvalidURL:
        return ""
    port = f":{target.port}" if target.port else ""
    return f" to {target.scheme}://{target.host}{port}" if target.host else ""


def _absent(request: Request, answer: httpx.Response, code: str) -> ConnectorError:
    foreign = "PSWS-Version" not in answer.headers and answer.content.strip()
    if not foreign and request.key:
        return NotFound(
            f"{request.record} is not in the shop (any more).",
            "It was deleted there, or never completed: nothing can be carried over.",
            code=code,
        )
    return NeedsPerson(
        "There is no PrestaShop webservice at this address (status 404).",
        "Correct the shop's address in the connection, and see that 'Friendly URL' (URL rewriting) works there.",
        code=code,
    )


def _not_understood(request: Request, answer: httpx.Response, code: str) -> ConnectorError:
    if code == "27":
        return NeedsPerson(
            f"This shop has no {request.resource} in its webservice.", "It needs PrestaShop 1.7 or later.", code=code
        )
    return NeedsPerson(
        f"PrestaShop did not accept the request for {request.record} "
        f"(status {answer.status_code}, error {code or 'unnamed'}).",
        "Nothing to correct in the data: send this to whoever looks after the hub.",
        code=code,
    )


def _failed(request: Request, answer: httpx.Response, code: str) -> ConnectorError:
    what = f"status {answer.status_code}{f', error {code}' if code else ''}"
    if request.writes:
        return FailedAnswer(f"Writing {request.record}: the shop failed ({what}); whether it was done is not known.")
    php = bool(code or not answer.content)
    cause = "a PHP error" if php else "its database or PHP is down"
    return TryLater(f"Reading {request.record}: the shop failed, most likely {cause} ({what}).", outage=not php)
