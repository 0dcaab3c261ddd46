"""Limits of the service, and faults in its own words."""

import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api, code_of, token_form
from connectors.sandbox import Fault


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


def test_every_answer_says_how_much_of_the_limit_is_left(api):
    left = [int(api.get("WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) for _ in range(2)]
    assert left[0] - left[1] == 1
    assert api.get("unicorns").headers["x-ms-ratelimit-time-remaining-xrm-requests"]


def test_over_the_limit_is_429_longer_while_hammered_and_over_after_the_wait():
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    api = Api(Dynamics365Sandbox(clock=lambda: now))
    api.sandbox.switches.request_limit = 2
    assert [api.get("WhoAmI").status_code for _ in range(2)] == [200, 200]
    first, second = api.get("WhoAmI"), api.get("WhoAmI")
    assert code_of(first) == code_of(second) == (429, "0x80072322")
    assert "limit of 2 over time window of 300 seconds" in first.json()["error"]["message"]
    assert int(second.headers["Retry-After"]) > int(first.headers["Retry-After"])
    now += timedelta(seconds=int(second.headers["Retry-After"]))
    assert api.get("WhoAmI").status_code == 429  # the window still holds the calls
    now += timedelta(seconds=301)
    assert api.get("WhoAmI").status_code == 200


def test_over_the_execution_time_is_429_until_the_window_has_passed():
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    api = Api(Dynamics365Sandbox(clock=lambda: now))
    api.sandbox.switches.time_limit, api.sandbox.switches.call_milliseconds = 1200, 500_000
    allowed = [api.get("WhoAmI") for _ in range(2)]
    assert [one.headers["x-ms-ratelimit-time-remaining-xrm-requests"] for one in allowed] == ["700.00", "200.00"]
    refused, again = api.get("WhoAmI"), api.get("WhoAmI")
    assert code_of(refused) == code_of(again) == (429, "0x80072321")
    message = refused.json()["error"]["message"]
    assert message.startswith("Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds")
    assert refused.headers["Retry-After"] == "10"
    assert int(again.headers["Retry-After"]) > 10
    now += timedelta(seconds=299)
    assert code_of(api.get("WhoAmI")) == (429, "0x80072321")
    now += timedelta(seconds=301)
    assert api.get("WhoAmI").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "WhoAmI", 200), ("GET", "unicorns", 404), ("POST", "$batch", 400)],
)
def test_every_answer_carries_its_request_id_under_both_names(api, method, path, status):
    answers = [api.send(method, path) for _ in range(2)]
    assert {one.status_code for one in answers} == {status}
    ids = [one.headers["REQ_ID"] for one in answers]
    assert ids == [one.headers["x-ms-service-request-id"] for one in answers]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    "switch", [{"request_limit": 0}, {"concurrency_limit": 0}, {"security_role_missing": True}, {}], ids=str
)
def test_a_refusal_at_the_door_carries_a_request_id(api, switch):
    for name, value in switch.items():
        setattr(api.sandbox.switches, name, value)
    if not switch:
        api.sandbox.entra.forget()
    answer = api.get("WhoAmI")
    assert answer.status_code in (401, 403, 429)
    assert answer.headers["REQ_ID"] == answer.headers["x-ms-service-request-id"] != ""


def test_too_many_at_once_are_turned_away(api):
    api.sandbox.switches.concurrency_limit = 1
    other = threading.Thread(target=api.get, args=("contacts",))
    with api.sandbox.lock:  # the other request is in and waits here
        other.start()
        answers = (api.get("WhoAmI") for _ in range(100_000))
        refused = next(one for one in answers if one.status_code != 200)
    other.join()
    assert code_of(refused) == (429, "0x80072326")
    assert refused.headers["Retry-After"]
    assert api.get("WhoAmI").status_code == 200


def test_a_throttling_fault_waits_longer_each_time(api):
    api.sandbox.faults = [Fault("status", times=2, status=429, retry_after=7)]
    answers = [api.get("WhoAmI") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    waits = [int(one.headers["Retry-After"]) for one in answers[:2]]
    assert waits[0] == 7 < waits[1]


@pytest.mark.parametrize(
    ("fault", "status", "type"),
    [
        (Fault("status", status=500), 500, "application/json"),
        (Fault("error_before"), 500, "application/json"),
        (Fault("error_after"), 500, "application/json"),
        (Fault("status", status=504), 504, "text/html"),
        (Fault("html"), 502, "text/html"),
        (Fault("maintenance", retry_after=30), 503, "text/html"),
    ],
)
def test_a_fault_has_the_form_of_who_sends_it(api, fault, status, type):
    api.sandbox.faults = [fault]
    answer = api.get("WhoAmI")
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(type)
    if type == "application/json":
        assert answer.json()["error"]["code"] == "0x80040216"
    if fault.retry_after:
        assert answer.headers["Retry-After"] == "30"


def test_an_expired_token_and_a_cut_answer(api):
    api.sandbox.faults = [Fault("expired"), Fault("malformed")]
    expired, cut = api.get("WhoAmI"), api.get("WhoAmI")
    assert expired.status_code == 401
    assert expired.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
    assert cut.status_code == 200
    with pytest.raises(ValueError):
        cut.json()


@pytest.mark.parametrize(("kind", "there"), [("error_before", 0), ("error_after", 1), ("lost", 1), ("refused", 0)])
def test_a_fault_comes_before_or_after_the_record_stands(api, kind, there):
    api.sandbox.faults = [Fault(kind, method="POST", path="contacts")]
    if kind in ("lost", "refused"):
        with pytest.raises(httpx.RemoteProtocolError):
            api.contact()
    else:
        assert api.post("contacts", {"lastname": "B"}).status_code == 500
    assert len(api.rows("contacts")) == there


def test_a_fault_at_sign_in_is_in_entras_words(api):
    address = f"/{api.tenant}/oauth2/v2.0/token"
    api.sandbox.faults = [Fault("status", status=503), Fault("expired"), Fault("malformed"), Fault("html", status=504)]
    answers = [api.client.post(address, data=token_form(api.sandbox)) for _ in range(5)]
    assert [one.status_code for one in answers] == [503, 401, 200, 504, 200]
    assert answers[0].json()["error"] == "temporarily_unavailable"
    assert answers[1].json()["error_codes"] == [7000222]
