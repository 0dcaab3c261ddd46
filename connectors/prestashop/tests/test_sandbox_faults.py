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
