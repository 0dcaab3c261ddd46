from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from connectors.base import Cursor
from connectors.dynamics365.tests.connected import Erp, Through, order
from connectors.errors import NeedsPerson, NotFound

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"


@pytest.fixture
def erp():
    return Erp()


def people(erp, dynamics, count, **fields):
    made = []
    for number in range(count):
        record = {"lastname": f"Guest {number}", **fields}
        made.append(dynamics.write("contact", record, idempotency_key=str(uuid4())).key)
        erp.wait(seconds=1)
    return made


def test_pages_are_followed_to_the_end_oldest_first(erp):
    dynamics = erp.connect(page_size="2")
    made = people(erp, dynamics, 5)
    assert [one["contactid"] for one in dynamics.find("contact")] == made
    pages = [call for call in erp.sent("GET", "/contacts?") if "skiptoken" in call.url]
    assert len(pages) == 2
    assert {call.request_headers["prefer"].split(",")[-1] for call in pages} == {"odata.maxpagesize=2"}


def test_every_line_of_a_long_order_is_read(erp):
    def paged(request, response):
        body = response.json() if response.content else {}
        lines = body.get("order_details", [])
        if len(lines) < 2:
            return response
        where = f"{erp.sandbox.address}/api/data/v9.2/salesorderdetails?$filter=salesorderdetailid ne null&$skiptoken=x"
        following.extend(lines[1:])
        return httpx.Response(200, json={**body, "order_details": lines[:1], "order_details@odata.nextLink": where})

    def answer(request, response):
        if "skiptoken=x" in str(request.url):
            return httpx.Response(200, json={"value": following})
        return paged(request, response)

    following = []
    dynamics = erp.connect(Through(erp, answer))
    written = dynamics.write("salesorder", order(dynamics), idempotency_key=KEY)
    assert [one["lineitemnumber"] for one in written.record["order_details"]] == [1, 2]


@pytest.mark.parametrize("link", ["https://elsewhere.example/api/data/v9.2/contacts", "http://[", "/contacts"])
def test_a_next_page_elsewhere_is_never_called(erp, link):
    def strayed(request, response):
        asked.append(request.url.host)
        if "contacts" not in str(request.url):
            return response
        return httpx.Response(200, json={"value": [], "@odata.nextLink": link})

    asked = []
    with pytest.raises(NeedsPerson, match="next page"):
        erp.connect(Through(erp, strayed)).find("contact")
    assert set(asked) == {httpx.URL(erp.sandbox.address).host}


def test_a_next_page_that_leads_back_ends(erp):
    def circling(request, response):
        if "contacts" not in str(request.url):
            return response
        return httpx.Response(200, json={"value": [], "@odata.nextLink": str(request.url)})

    with pytest.raises(NeedsPerson, match="next page"):
        erp.connect(Through(erp, circling)).find("contact")


@pytest.mark.parametrize("name", ["O'Brien", "a & b", "100 % #1", "x' or lastname ne '", "Łódź ☕", "50%25", "a+b"])
def test_a_text_is_found_as_it_stands(erp, name):
    dynamics = erp.connect()
    people(erp, dynamics, 1)
    dynamics.write("contact", {"lastname": name}, idempotency_key=KEY)
    assert [one["contactid"] for one in dynamics.find("contact", lastname=name)] == [KEY]


def test_a_lookup_is_found_by_its_target_and_read_back_under_that_name(erp):
    dynamics = erp.connect()
    account = dynamics.write("account", {"name": "Maison Durand"}, idempotency_key=str(uuid4())).key
    people(erp, dynamics, 1)
    dynamics.write("contact", {"lastname": "Durand", "parentcustomerid_account": account}, idempotency_key=KEY)
    found = dynamics.find("contact", parentcustomerid_account=account)
    assert [(one["contactid"], one["parentcustomerid_account"]) for one in found] == [(KEY, account)]
    assert found[0]["parentcustomerid_contact"] is None
    assert dynamics.find("contact", parentcustomerid_account=None, lastname="Durand") == []


def test_what_is_no_key_is_not_there_and_asks_nothing(erp):
    with pytest.raises(NotFound):
        erp.connect().read("contact", "1) or (1")
    with pytest.raises(NotFound):
        erp.connect().read("contact", str(uuid4()))
    assert not [call for call in erp.calls if " or " in call.url or "%20or" in call.url]


def test_looking_up_by_no_field_of_the_table_is_refused(erp):
    with pytest.raises(NeedsPerson, match="colour"):
        erp.connect().find("contact", colour="red")
    with pytest.raises(NeedsPerson, match="no key of Dynamics"):
        erp.connect().find("contact", parentcustomerid_account="42")
    with pytest.raises(NeedsPerson, match="does not speak of 'lead'"):
        erp.connect().find("lead")


def test_changes_come_oldest_first_and_again_from_where_they_were_left(erp):
    dynamics = erp.connect(page_size="2")
    made = people(erp, dynamics, 5)
    changes = list(dynamics.changes("contact"))
    assert [one.key for one in changes] == made
    erp.wait(hours=1)
    dynamics.write("contact", {"lastname": "Changed"}, made[1])
    later = list(dynamics.changes("contact", changes[-1].cursor))
    assert later[-1].key == made[1]
    assert later[-1].cursor == Cursor(erp.now, made[1])


def test_windows_overlap_and_cursors_never_go_back(erp):
    dynamics = erp.connect()
    made = people(erp, dynamics, 4)
    since = list(dynamics.changes("contact"))[-1].cursor
    again = list(dynamics.changes("contact", since))
    assert [one.key for one in again] == made
    assert {one.cursor for one in again} == {since}
    erp.wait(hours=1)
    assert list(dynamics.changes("contact", Cursor(since.at + timedelta(minutes=10)))) == []


def test_an_order_tells_of_its_changes(erp):
    dynamics = erp.connect()
    dynamics.write("salesorder", order(dynamics), idempotency_key=KEY)
    assert [(one.entity, one.key, one.deleted) for one in dynamics.changes("salesorder")] == [
        ("salesorder", KEY, False)
    ]
