"""Signing in at the sandbox: discovery, tokens, and refusals in Entra's words."""

import base64
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api, code_of, token_form


@pytest.fixture
def sandbox():
    return Dynamics365Sandbox()


@pytest.fixture
def entra(sandbox):
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.address) as client:
        yield client


def ask(entra, sandbox, tenant=None, headers=None, **changes):
    address = f"/{tenant or sandbox.announcement()['tenant']}/oauth2/v2.0/token"
    return entra.post(address, data=token_form(sandbox, **changes), headers=headers)


def test_discovery_names_issuer_and_both_endpoints(sandbox, entra):
    tenant = sandbox.announcement()["tenant"]
    found = entra.get(f"/{tenant}/v2.0/.well-known/openid-configuration").json()
    assert found["issuer"] == f"{sandbox.address}/{tenant}/v2.0"
    assert found["token_endpoint"] == f"{sandbox.address}/{tenant}/oauth2/v2.0/token"
    assert found["authorization_endpoint"].endswith("/oauth2/v2.0/authorize")
    instance = entra.get("/common/discovery/instance").json()
    assert instance["tenant_discovery_endpoint"] == f"{sandbox.address}/{tenant}/v2.0/.well-known/openid-configuration"


def test_a_token_is_given_for_a_form_and_for_a_basic_header(sandbox, entra):
    answer = ask(entra, sandbox).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3599)
    known = sandbox.announcement()
    pair = base64.b64encode(f"{known['client_id']}:{known['client_secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"}
    by_header = ask(entra, sandbox, headers=headers, client_id=None, client_secret=None)
    assert by_header.status_code == 200
    assert by_header.json()["access_token"] != answer["access_token"]


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "the secret's id"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000218),
        ({"client_id": "7e57ab1e-0000-4000-8000-000000000000"}, 400, "unauthorized_client", 700016),
        ({"scope": "http://sandbox.test/user_impersonation"}, 400, "invalid_scope", 70011),
        ({"scope": "https://other.example/.default"}, 400, "invalid_resource", 500011),
        ({"scope": None}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"tenant": "nobody.example"}, 400, "invalid_request", 90002),
    ],
)
def test_a_refusal_has_status_error_number_and_trace(sandbox, entra, changes, status, error, number):
    answer = ask(entra, sandbox, **changes)
    found = answer.json()
    assert (answer.status_code, found["error"], found["error_codes"]) == (status, error, [number])
    first, *lines = found["error_description"].split("\r\n")
    assert first.startswith(f"AADSTS{number}: ")
    assert lines == [
        f"Trace ID: {found['trace_id']}",
        f"Correlation ID: {found['correlation_id']}",
        f"Timestamp: {found['timestamp']}",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", found["timestamp"])


def test_an_expired_secret_is_told_from_a_wrong_one(sandbox, entra):
    sandbox.switches.secret_expired = True
    answer = ask(entra, sandbox)
    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (
        401,
        "invalid_client",
        [7000222],
    )


def test_without_a_token_the_api_says_where_to_get_one(sandbox, entra):
    known = sandbox.announcement()
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}):
        answer = entra.get("/api/data/v9.2/WhoAmI", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == (
            f"Bearer authorization_uri={sandbox.address}/{known['tenant']}/oauth2/authorize, "
            f"resource_id={sandbox.address}/"
        )


def test_a_token_is_over_when_its_lifetime_is_over():
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    sandbox = Dynamics365Sandbox(clock=lambda: now)
    sandbox.switches.token_lifetime = 60
    api = Api(sandbox)
    now += timedelta(seconds=59)
    assert api.get("WhoAmI").status_code == 200
    now += timedelta(seconds=1)
    assert api.get("WhoAmI").status_code == 401
    api.sign_in()
    assert api.get("WhoAmI()").status_code == 200


def test_an_application_without_user_or_role_may_sign_in_but_not_work(sandbox):
    api = Api(sandbox)
    sandbox.switches.application_user_missing = True
    assert code_of(api.get("WhoAmI")) == (403, "0x80072560")
    sandbox.switches.application_user_missing = False
    sandbox.switches.security_role_missing = True
    assert code_of(api.get("contacts")) == (403, "0x80040220")


def test_who_am_i_names_the_application_user(sandbox):
    api = Api(sandbox)
    me = api.one("WhoAmI")
    user = api.one(f"systemusers({me['UserId']})?$expand=businessunitid")
    assert user["applicationid"] == sandbox.announcement()["client_id"]
    assert user["businessunitid"]["businessunitid"] == me["BusinessUnitId"]
    assert api.rows("organizations")[0]["organizationid"] == me["OrganizationId"]


def test_rubbish_at_the_token_endpoint_is_refused_and_never_signed_in(sandbox, entra):
    address = f"/{sandbox.announcement()['tenant']}/oauth2/v2.0/token"
    assert entra.post(address, content=b"\xff\xfe%%%").status_code == 400
    assert entra.post(address, headers={"Authorization": "Basic ****"}).status_code == 401
    assert entra.get(address).json()["error_codes"] == [900561]


def test_the_settings_of_a_connection_name_where_to_sign_in_and_as_whom(sandbox):
    told = sandbox.announcement()
    assert sandbox.connection() == {
        "environment_url": told["address"],
        "authority": told["address"],
        **{name: told[name] for name in ("tenant", "client_id", "client_secret")},
    }
