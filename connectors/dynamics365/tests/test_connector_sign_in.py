from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier

import httpx
import pytest

from connectors.dynamics365.tests.connected import Erp, Through, order
from connectors.errors import NeedsPerson, SignInRefused, TryLater
from connectors.session import MemoryTokens

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"
TOKEN = "/oauth2/v2.0/token"


@pytest.fixture
def erp():
    return Erp()


def test_one_token_serves_every_call_of_every_connection(erp):
    erp.connect().find("contact")
    erp.connect().find("account")
    assert len(erp.sent("POST", TOKEN)) == 1


def test_a_token_is_renewed_before_it_expires(erp):
    dynamics = erp.connect()
    dynamics.find("contact")
    erp.wait(seconds=3599 - 301)
    dynamics.find("contact")
    assert len(erp.sent("POST", TOKEN)) == 1
    erp.wait(seconds=2)
    dynamics.find("contact")
    assert len(erp.sent("POST", TOKEN)) == 2
    assert {call.status for call in erp.calls} == {200}


def test_a_token_that_is_refused_is_renewed_once_and_the_call_goes_through(erp):
    dynamics = erp.connect()
    dynamics.find("contact")
    erp.fault("expired", path="/api/data")
    written = dynamics.write("salesorder", order(dynamics), idempotency_key=KEY)
    assert written.changed is True
    assert len(erp.sent("POST", TOKEN)) == 2


class Gathering(MemoryTokens):
    """Lets nobody renew before eight want to."""

    def __init__(self):
        super().__init__()
        self.all_here = Barrier(8)

    @contextmanager
    def renewing(self, name):
        self.all_here.wait(timeout=20)
        with super().renewing(name):
            yield


def test_of_several_threads_without_a_token_one_signs_in(erp):
    erp.tokens = Gathering()
    dynamics = erp.connect()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: dynamics.find("contact"), range(8)))
    assert found == [[]] * 8
    assert len(erp.sent("POST", TOKEN)) == 1


def test_several_threads_renew_a_refused_token_once(erp):
    def all_together(request, response):
        if response.status_code == 401:
            refused.wait(timeout=20)
        return response

    refused = Barrier(8)
    dynamics = erp.connect(Through(erp, all_together))
    dynamics.find("contact")
    erp.sandbox.entra.forget()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: dynamics.find("contact"), range(8)))
    assert len(erp.sent("POST", TOKEN)) == 2


def test_a_second_refusal_is_told_to_a_person(erp):
    dynamics = erp.connect()
    erp.fault("expired", path="/api/data", times=2)
    with pytest.raises(SignInRefused, match=r"also a new one \(HTTP 401, request id [0-9a-f-]{36}\)"):
        dynamics.find("contact")


def test_a_wrong_secret_is_explained_and_shown_nowhere(erp):
    wrong = "not the secret of today"
    with pytest.raises(SignInRefused, match="invalid_client: AADSTS7000215") as refused:
        erp.connect(client_secret=wrong).find("contact")
    assert "trace id" in refused.value.message
    assert "value" in refused.value.hint
    assert refused.value.code == "invalid_client"
    assert wrong not in refused.value.message + refused.value.hint


def test_no_secret_and_no_token_reaches_the_evidence(erp):
    dynamics = erp.connect()
    secret = erp.sandbox.announcement()["client_secret"]
    dynamics.write("salesorder", order(dynamics), idempotency_key=KEY)
    (token,) = {call[0] for call in erp.tokens._tokens.values()}
    kept = repr([vars(call) for call in erp.calls])
    assert erp.sent("POST", TOKEN)
    assert secret not in kept
    assert httpx.QueryParams({"s": secret}).get("s") not in kept
    assert token not in kept


def test_a_secret_that_is_echoed_is_masked(erp):
    def echoing(request, response):
        if TOKEN not in str(request.url):
            return response
        text = f'{{"error":"invalid_client","error_description":"secret {secret} is wrong"}}'
        return httpx.Response(401, content=text.encode(), request=request)

    secret = "an echoed / secret"
    with pytest.raises(SignInRefused, match="is wrong") as refused:
        erp.connect(Through(erp, echoing), client_secret=secret).find("contact")
    assert secret not in refused.value.message
    assert secret not in repr([vars(call) for call in erp.calls])


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("client_id", "00000000-0000-0000-0000-000000000000", "unauthorized_client"),
        ("tenant", "another.example", "invalid_request"),
    ],
)
def test_another_application_or_tenant_is_named(erp, setting, value, error):
    with pytest.raises(SignInRefused) as refused:
        erp.connect(**{setting: value}).find("contact")
    assert refused.value.code == error
    assert refused.value.hint


def test_an_expired_secret_is_told(erp):
    erp.fault("expired", path=TOKEN)
    with pytest.raises(SignInRefused, match="AADSTS7000222"):
        erp.connect().find("contact")


@pytest.mark.parametrize("kind", ["error_before", "malformed", "maintenance", "refused"])
def test_while_entra_is_down_a_write_waits_and_is_never_in_doubt(erp, kind):
    erp.fault(kind, path=TOKEN)
    with pytest.raises(TryLater) as later:
        erp.connect().write("contact", {"lastname": "Guest"}, idempotency_key=KEY)
    assert later.value.outage
    assert erp.connect().find("contact") == []


def test_entra_says_when_to_come_back(erp):
    erp.fault("status", path=TOKEN, status=429, retry_after=30)
    with pytest.raises(TryLater) as later:
        erp.connect().find("contact")
    assert later.value.after == erp.now + timedelta(seconds=30)


def test_an_authority_that_is_no_sign_in_service_is_named(erp):
    def elsewhere(request, response):
        return httpx.Response(404, text="<html>not here</html>", request=request)

    with pytest.raises(NeedsPerson, match="does not answer as Microsoft Entra"):
        erp.connect(Through(erp, elsewhere)).find("contact")


@pytest.mark.parametrize(
    ("switch", "words"),
    [("application_user_missing", "no user of this environment"), ("security_role_missing", "privilege is missing")],
)
def test_an_application_without_rights_learns_which(erp, switch, words):
    setattr(erp.sandbox.switches, switch, True)
    with pytest.raises(SignInRefused, match=words) as refused:
        erp.connect().find("contact")
    assert "contact" in refused.value.message
    assert "Application users" in refused.value.hint


def test_a_missing_privilege_is_named_with_its_table(erp):
    def refusing(request, response):
        if request.method != "PATCH":
            return response
        text = (
            '{"error":{"code":"0x80040220","message":"Principal user (Id=1, type=8, roleCount=1) is missing '
            "prvCreateContact privilege (Id=2) on OTC=2 for entity 'contact'\"}}"
        )
        return httpx.Response(403, content=text.encode(), request=request)

    with pytest.raises(SignInRefused, match=r"create contact Guest.*table contact.*prvCreateContact is missing"):
        erp.connect(Through(erp, refusing)).write(
            "contact", {"emailaddress1": "Guest", "lastname": "Guest"}, idempotency_key=KEY
        )
