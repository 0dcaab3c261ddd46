"""The part of Microsoft Entra that a client without a person needs: discovery, tokens, and errors in its words."""

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit
from uuid import uuid4

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused
from connectors.dynamics365.sandbox.wire import json_response
from connectors.sandbox import Request, Response

NAME = "Sandbox"


@dataclass(frozen=True)
class Application:
    tenant: str
    client_id: str
    secret: str


@dataclass(frozen=True)
class Token:
    client_id: str
    expires: datetime


class Entra:
    """`respond` answers None for paths that are not Entra's."""

    def __init__(self, application: Application, environment: Environment) -> None:
        self.application = application
        self._environment = environment
        self._tokens: dict[str, Token] = {}

    def respond(self, request: Request, address: str) -> Response | None:
        steps = request.path.strip("/").split("/")
        if steps == ["common", "discovery", "instance"]:
            return json_response(200, self._instance(address))
        if len(steps) > 1 and steps[-1] == "openid-configuration" and steps[-2] == ".well-known":
            return self._guarded(lambda: self._configuration(steps[0], address))
        if steps[1:] in (["oauth2", "v2.0", "token"], ["oauth2", "token"]):
            return self._guarded(lambda: self._token(steps[0], request, address))
        return None

    def _guarded(self, answer: Any) -> Response:
        try:
            return json_response(200, answer(), [("Cache-Control", "no-store, no-cache"), ("Pragma", "no-cache")])
        except EntraError as error:
            return self.refusal(error)

    def _instance(self, address: str) -> dict[str, Any]:
        host = urlsplit(address).netloc
        return {
            "tenant_discovery_endpoint": f"{address}/{self.application.tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    def _configuration(self, tenant: str, address: str) -> dict[str, Any]:
        self._known_tenant(tenant)
        root = f"{address}/{self.application.tenant}"
        return {
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{root}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{root}/v2.0",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": urlsplit(address).netloc,
        }

    def _known_tenant(self, tenant: str) -> None:
        if tenant != self.application.tenant:
            raise EntraError(
                400,
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct "
                "tenant ID and are signing into the correct cloud.",
            )

    def _token(self, tenant: str, request: Request, address: str) -> dict[str, Any]:
        if request.method != "POST":
            raise EntraError(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)) | basic(request)
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                raise EntraError(
                    400, "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
                )
        if form["grant_type"] != "client_credentials":
            raise EntraError(
                400,
                "unsupported_grant_type",
                70003,
                f"The app requested an unsupported grant type '{form['grant_type']}'.",
            )
        self._known_tenant(tenant)
        self._known_client(form)
        self._known_scope(form, request, address)
        lifetime = self._environment.switches.token_lifetime
        token = secrets.token_urlsafe(48)
        self._tokens[token] = Token(form["client_id"], self._environment.clock() + timedelta(seconds=lifetime))
        return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}

    def _known_client(self, form: dict[str, str]) -> None:
        client, known = form["client_id"], self.application
        if client != known.client_id:
            raise EntraError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client}' was not found in the directory '{NAME}'. This can happen if "
                "the application has not been installed by the administrator of the tenant or consented to by any "
                "user in the tenant.",
            )
        if "client_secret" not in form:
            raise EntraError(
                401,
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )
        if form["client_secret"] != known.secret:
            raise EntraError(
                401,
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{client}'.",
            )
        if self._environment.switches.secret_expired:
            raise EntraError(
                401, "invalid_client", 7000222, f"The provided client secret keys for app '{client}' are expired."
            )

    def _known_scope(self, form: dict[str, str], request: Request, address: str) -> None:
        scope = form.get("scope") or (f"{form['resource'].rstrip('/')}/.default" if form.get("resource") else "")
        if not scope:
            raise EntraError(
                400, "invalid_request", 900144, "The request body must contain the following parameter: 'scope'."
            )
        hosts = {urlsplit(address).netloc, request.headers.get("Host", "")}
        if not scope.endswith("/.default") or " " in scope:
            raise EntraError(
                400,
                "invalid_scope",
                70011,
                "The provided request must include a 'scope' input parameter. The "
                f"provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
            )
        if urlsplit(scope).netloc not in hosts:
            raise EntraError(
                400,
                "invalid_resource",
                500011,
                f"The resource principal named {scope.removesuffix('/.default')} was "
                f"not found in the tenant named {NAME}.",
            )

    def refusal(self, error: "EntraError") -> Response:
        trace, correlation = str(uuid4()), str(uuid4())
        timestamp = f"{self._environment.clock().astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
        body = {
            "error": error.error,
            "error_description": f"AADSTS{error.number}: {error.text}\r\nTrace ID: {trace}\r\n"
            f"Correlation ID: {correlation}\r\nTimestamp: {timestamp}",
            "error_codes": [error.number],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
        }
        return json_response(error.status, body, error.headers)

    def authorize(self, request: Request, address: str) -> None:
        """Raises Refused: 401 for a token that is not there, unknown or over, 403 for an application that may not."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        token = self._tokens.get(given.strip()) if scheme.lower() == "bearer" else None
        if token is None or token.expires <= self._environment.clock():
            raise self.unauthorized(address)
        switches = self._environment.switches
        if switches.application_user_missing:
            raise Refused(403, "0x80072560", "The user is not a member of the organization.")
        if switches.security_role_missing:
            raise Refused(
                403,
                "0x80040220",
                f"Principal user (Id={self._environment.user}) is missing privileges: no security role is assigned.",
            )

    def unauthorized(self, address: str) -> Refused:
        where = f"{address}/{self.application.tenant}/oauth2/authorize"
        challenge = f"Bearer authorization_uri={where}, resource_id={address}/"
        return Refused(401, "", "", [("WWW-Authenticate", challenge)], body=b"")

    def forget(self) -> None:
        """Every token is unknown from now on, as after their revocation."""
        self._tokens.clear()


class EntraError(Exception):
    def __init__(
        self, status: int, error: str, number: int, text: str, headers: list[tuple[str, str]] | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.error, self.number, self.text = status, error, number, text
        self.headers = headers or []


def basic(request: Request) -> dict[str, str]:
    """Client id and secret of an Authorization header, each form-encoded as the standard says; {} without one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise EntraError(401, "invalid_client", 7000215, "The Authorization header cannot be read.") from error
    return {"client_id": unquote_plus(client), "client_secret": unquote_plus(secret)}
