"""Access tokens from Microsoft Entra by the client credentials flow, shared by all who work for one connection."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote, quote_plus

import httpx

from connectors.dynamics365 import json_text
from connectors.dynamics365.failures import retry_after
from connectors.errors import ConnectorError, NeedsPerson, SignInRefused, TryLater
from connectors.http import MASK, Http
from connectors.session import Call, Session

LONGEST_MARGIN = timedelta(minutes=5)
REGISTRATION = "Microsoft Entra admin center, App registrations"
# Entra warns against branching on the numbers of its descriptions: the error name decides.
REMEDIES = {
    "invalid_client": f"Make a new client secret ({REGISTRATION}, Certificates & secrets) and enter its value (not its "
    "id) in the connection. AADSTS7000215 is a wrong secret, AADSTS7000222 one that has expired.",
    "unauthorized_client": f"{REGISTRATION}: compare the application (client) id and the tenant with the connection.",
    "invalid_scope": "Correct the environment address of the connection: https://<name>.crm<n>.dynamics.com.",
    "invalid_resource": "Correct the environment address of the connection: https://<name>.crm<n>.dynamics.com.",
    "invalid_request": "Compare the tenant and the client id of the connection with the app registration.",
    "access_denied": "Ask whoever administers Entra: a policy keeps this application out (conditional access).",
}
SENDABLE = re.compile(r"[!-~]+")  # the words for a header that cannot be sent would hold the token
BUSY = ("temporarily_unavailable", "server_error")


class Entra:
    """Tokens for one tenant, client and scope. Their name in the store says which, so that connections share them."""

    def __init__(self, values: Mapping[str, str], scope: str, session: Session) -> None:
        self.address = f"{values['authority'].rstrip('/')}/{quote(values['tenant'], safe='')}/oauth2/v2.0/token"
        self._form = {
            "grant_type": "client_credentials",
            "client_id": values["client_id"],
            "client_secret": values["client_secret"],
            "scope": scope,
        }
        self._session = session
        self._name = f"{self.address} {values['client_id']} {scope}"

    def token(self) -> str:
        """A token that is good for some minutes. Raises SignInRefused, TryLater, NeedsPerson."""
        kept = self._kept()
        if kept:
            return kept
        with self._session.tokens.renewing(self._name):
            return self._kept() or self._renewed()

    def drop(self, token: str) -> None:
        """Forgets a token that was refused, unless somebody has renewed it meanwhile."""
        self._session.tokens.drop(self._name, token)

    def forget(self) -> None:
        """The next call signs in anew: for a check of the credentials themselves."""
        kept = self._session.tokens.get(self._name)
        if kept:
            self.drop(kept[0])

    def _kept(self) -> str:
        kept = self._session.tokens.get(self._name)
        return kept[0] if kept and self._session.clock() < kept[1] else ""

    def _renewed(self) -> str:
        http = Http(replace(self._session, before=self._before, after=self._after), "Microsoft Entra")
        try:
            response = http.send("POST", self.address, data=self._form, writes=False)
        finally:
            http.close()
        now = self._session.clock()
        try:
            answer = json_text.loads(response.content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            answer = {}
        if response.status_code != 200:
            raise self._refusal(response, answer, now)
        token, seconds = answer.get("access_token"), _seconds(answer.get("expires_in"))
        if not isinstance(token, str) or not SENDABLE.fullmatch(token) or seconds is None:
            raise TryLater("Microsoft Entra answered without a usable access token.", outage=True)
        lifetime = timedelta(seconds=seconds)
        self._session.tokens.put(self._name, token, now + lifetime - min(LONGEST_MARGIN, lifetime / 5))
        return token

    def _refusal(self, response: httpx.Response, answer: dict[str, object], now: datetime) -> ConnectorError:
        error = str(answer.get("error") or "")
        tail = f"(HTTP {response.status_code}{_traces(answer)})"
        if response.status_code == 429 or response.status_code >= 500 or error in BUSY:
            return TryLater(f"Microsoft Entra is busy or down {tail}.", retry_after(response, now), outage=True)
        if not error:
            return NeedsPerson(
                f"The sign-in address does not answer as Microsoft Entra {tail}.",
                "Correct the authority and the tenant of the connection.",
            )
        lines = str(answer.get("error_description") or error).splitlines()
        words = self._without_secret(lines[0] if lines else error)
        return SignInRefused(
            f"Microsoft Entra refuses the sign-in, {error}: {words.rstrip('.')} {tail}.",
            REMEDIES.get(error, "Compare tenant, client id and client secret with the app registration."),
            code=error,
        )

    def _without_secret(self, words: str) -> str:
        secret = self._form["client_secret"]
        for form in {secret, quote(secret, safe=""), quote_plus(secret)}:
            words = words.replace(form, MASK)
        return words

    # The request's body is the secret and the answer's is the token: evidence gets neither.

    def _before(self, call: Call) -> None:
        call.request_body = MASK.encode()
        self._session.before(call)

    def _after(self, call: Call) -> None:
        call.request_body = MASK.encode()
        call.response_body = MASK.encode() if call.status == 200 else self._without_secret_bytes(call.response_body)
        self._session.after(call)

    def _without_secret_bytes(self, body: bytes) -> bytes:
        return self._without_secret(body.decode("utf-8", "replace")).encode()


def _seconds(value: object) -> int | None:
    """Seconds until a token expires; some services of this family send the number as text."""
    text = str(value)
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None


def _traces(answer: dict[str, object]) -> str:
    trace = answer.get("trace_id")
    return f", trace id {trace}" if isinstance(trace, str) and trace else ""
