"""Faults in the shop's own words, before and after the commit."""

import httpx
import pytest

from connectors.prestashop.sandbox.faults import NO_BODY
from connectors.prestashop.tests.shop_client import ShopClient, codes, texts
from connectors.sandbox import Fault

NOTE = "<c><id>1</id><note>written</note></c>"


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


@pytest.mark.parametrize(("kind", "note"), [("error_before", ""), ("error_after", "written")])
def test_a_500_says_nothing_about_whether_it_was_done(shop: ShopClient, kind: str, note: str) -> None:
    shop.sandbox.faults = [Fault(kind)]
    answer = shop.send("PATCH", "customers", NOTE)
    assert (answer.status_code, codes(answer)[0]) == (500, "15")
    assert texts(shop.get("customers/1"))["note"] == note


def test_a_500_may_be_empty(shop: ShopClient) -> None:
    shop.sandbox.faults = [Fault("error_after", status=NO_BODY)]
    answer = shop.send("PATCH", "customers", NOTE)
    assert (answer.status_code, answer.content) == (500, b"")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert texts(shop.get("customers/1"))["note"] == "written"


def test_a_page_may_come_in_place_of_xml(shop: ShopClient) -> None:
    shop.sandbox.faults = [Fault("html")]
    answer = shop.http.get("orders")
    assert answer.status_code == 500
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_warning_may_stand_before_the_xml_and_the_xml_may_break_off(shop: ShopClient) -> None:
    shop.sandbox.faults = [Fault("malformed"), Fault("malformed", status=500)]
    warned, cut = shop.http.get("orders"), shop.http.get("orders")
    assert (warned.status_code, cut.status_code) == (200, 200)
    assert warned.text.startswith("<br />\n<b>Warning</b>")
    assert "<orders>" in warned.text
    assert cut.text.startswith("<?xml")
    assert "</prestashop>" not in cut.text


def test_maintenance_and_expiry_are_the_shops_refusals(shop: ShopClient) -> None:
    shop.sandbox.faults = [Fault("maintenance"), Fault("expired")]
    first, second = shop.http.get("orders"), shop.http.get("orders")
    assert (first.status_code, codes(first)) == (503, ["22"])
    assert (second.status_code, codes(second)) == (401, ["20", "21"])


def test_a_web_server_in_front_may_hold_one_back(shop: ShopClient) -> None:
    shop.sandbox.faults = [Fault("status", status=429, retry_after=17)]
    answer = shop.http.get("orders")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "17")


def test_a_redirect_leads_to_the_front_page(shop: ShopClient) -> None:
    shop.sandbox.faults = [Fault("status", status=302)]
    answer = shop.http.get("orders")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{shop.sandbox.address}/")


@pytest.mark.parametrize(("kind", "note"), [("refused", ""), ("lost", "written")])
def test_a_connection_may_close_before_or_after_the_commit(shop: ShopClient, kind: str, note: str) -> None:
    shop.sandbox.faults = [Fault(kind)]
    with pytest.raises(httpx.RemoteProtocolError):
        shop.send("PATCH", "customers", NOTE)
    assert texts(shop.get("customers/1"))["note"] == note


def post_history(shop: ShopClient, order_id: int, state: int) -> httpx.Response:
    body = f"<h><id_order>{order_id}</id_order><id_order_state>{state}</id_order_state></h>"
    return shop.send("POST", "order_histories", body)


def test_a_change_of_state_may_break_off_before_its_history_row(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=10)
    before, mails = shop.rows("order_histories", order_id), len(shop.sandbox.mails)
    shop.sandbox.break_after_state = 1
    answer = post_history(shop, order_id, 2)
    assert (answer.status_code, answer.content) == (500, b"")
    order = shop.order(order_id)
    assert (order["current_state"], order["valid"]) == ("2", "1")
    assert order["total_paid_real"] == order["total_paid"]
    assert shop.rows("order_histories", order_id) == before
    assert len(shop.sandbox.mails) == mails
    assert post_history(shop, order_id, 3).status_code == 201


def test_a_patched_state_breaks_off_there_too(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=10)
    shop.sandbox.break_after_state = 1
    body = f"<o><id>{order_id}</id><current_state>6</current_state></o>"
    assert shop.send("PATCH", "orders", body).status_code == 500
    assert shop.order(order_id)["current_state"] == "6"
    assert len(shop.rows("order_histories", order_id)) == 1


def test_the_break_counts_down_or_stays_and_can_be_set_over_the_wire(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    control = f"{shop.sandbox.address}/_sandbox/state"
    state = shop.http.get(control).json()
    shop.http.post(control, json={**state, "break_after_state": 2})
    assert [post_history(shop, order_id, one).status_code for one in (3, 4, 5)] == [500, 500, 201]
    assert shop.http.get(control).json()["break_after_state"] == 0
    shop.sandbox.break_after_state = -1
    assert [post_history(shop, order_id, one).status_code for one in (3, 4)] == [500, 500]
    shop.sandbox.reset()
    assert shop.sandbox.break_after_state == 0


def test_an_order_is_placed_even_where_states_break_off(shop: ShopClient) -> None:
    shop.sandbox.break_after_state = -1
    assert shop.order(shop.sandbox.place_order([(1,)]))["current_state"] == "2"
