"""Row versions: an edit that somebody else makes between our read and our write is never lost."""

from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from connectors.dynamics365.tests.connected import Erp, Meanwhile, Through, customer, order
from connectors.errors import NeedsPerson, TryLater

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"


@pytest.fixture
def erp():
    erp = Erp()
    dynamics = erp.connect()
    dynamics.write("salesorder", order(dynamics, billto_city="Lyon"), idempotency_key=KEY)
    erp.calls.clear()
    return erp


def test_an_update_names_the_version_that_it_was_compared_with(erp):
    etag = erp.call("GET", f"salesorders({KEY})?$select=name").json()["@odata.etag"]
    erp.connect().write("salesorder", {"billto_city": "Paris"}, KEY)
    assert [call.request_headers["if-match"] for call in erp.sent("PATCH")] == [etag]


@pytest.mark.parametrize(
    ("content", "name", "stands"),
    [
        ({"billto_city": "Nice"}, "billto_city", "Nice"),
        ({"freightamount": 7}, "freightamount", Decimal(7)),
    ],
)
def test_an_edit_in_between_is_kept_and_the_update_tried_later(erp, content, name, stands):
    edited = Meanwhile(erp, "PATCH", lambda: erp.call("PATCH", f"salesorders({KEY})", content))
    dynamics = erp.connect(edited)
    words = r"update order SHOP-1: somebody else changed the row.*0x80060882.*request id"
    with pytest.raises(TryLater, match=words) as later:
        dynamics.write("salesorder", {"billto_city": "Paris"}, KEY)
    assert not later.value.outage
    assert dynamics.read("salesorder", KEY)[name] == stands
    assert dynamics.write("salesorder", {"billto_city": "Paris"}, KEY).record["billto_city"] == "Paris"


def test_a_line_that_was_edited_in_between_counts_as_an_edit_of_the_order(erp):
    line = erp.connect().read("salesorder", KEY)["order_details"][0]["salesorderdetailid"]
    edited = Meanwhile(erp, "PATCH", lambda: erp.call("PATCH", f"salesorderdetails({line})", {"quantity": 9}))
    with pytest.raises(TryLater):
        erp.connect(edited).write("salesorder", {"billto_city": "Paris"}, KEY)


def test_a_customer_that_was_edited_in_between_is_kept_too(erp):
    key = customer(erp.connect())
    edited = Meanwhile(erp, "PATCH", lambda: erp.call("PATCH", f"contacts({key})", {"lastname": "Married"}))
    dynamics = erp.connect(edited)
    with pytest.raises(TryLater):
        dynamics.write("contact", {"lastname": "Guest", "firstname": "Ada"}, key)
    assert dynamics.read("contact", key)["lastname"] == "Married"


def test_an_order_that_was_deleted_in_between_is_not_created_again(erp):
    edited = Meanwhile(erp, "PATCH", lambda: erp.call("DELETE", f"salesorders({KEY})"))
    dynamics = erp.connect(edited)
    with pytest.raises(NeedsPerson, match="is not there"):
        dynamics.write("salesorder", {"billto_city": "Paris"}, KEY)
    assert dynamics.find("salesorder") == []


@pytest.mark.parametrize("etag", [None, "", 7, "W/1", 'W/"1"\r\nX: y'])
def test_an_update_without_a_version_to_name_is_not_sent(erp, etag):
    def without(request, response):
        if request.method != "GET" or "salesorders(" not in str(request.url):
            return response
        return httpx.Response(200, json={**response.json(), "@odata.etag": etag})

    with pytest.raises(NeedsPerson, match="version"):
        erp.connect(Through(erp, without)).write("salesorder", {"willcall": True}, KEY)
    assert erp.sent("PATCH") == []


def test_reads_ask_for_the_row_whatever_a_cache_in_between_keeps(erp):
    dynamics = erp.connect()
    dynamics.read("salesorder", KEY)
    dynamics.find("contact")
    reads = erp.sent("GET")
    assert reads
    assert {call.request_headers.get("if-none-match") for call in reads} == {"null"}


def test_a_new_record_is_sent_so_that_it_never_changes_one_that_is_there(erp):
    key = str(uuid4())
    erp.connect().write("contact", {"lastname": "New"}, idempotency_key=key)
    (sent,) = erp.sent("PATCH", key)
    assert sent.request_headers["if-none-match"] == "*"
    assert "if-match" not in sent.request_headers
