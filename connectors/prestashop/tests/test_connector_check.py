"""The check says whose key it is, what it may do, and what a person should know before orders flow."""

import dataclasses
import re
from pathlib import Path

import httpx
import pytest

from connectors.errors import NeedsPerson, SignInRefused, TryLater
from connectors.prestashop import connector as PrestaShop
from connectors.prestashop.rights import RIGHTS, Right
from connectors.prestashop.tests.connector_shop import Shop
from connectors.sandbox import Fault


def with_rights(shop: Shop, *absent: tuple[str, str]) -> str:
    """A key that may do exactly what the connector asks for, without these."""
    return shop.key_with({(one.resource, one.method) for one in RIGHTS} - set(absent))


def test_a_working_connection_tells_shop_version_zone_languages_and_currencies(shop: Shop):
    result = shop.connect().check()
    facts = dict(result.facts)

    assert result.ok
    assert result.summary == "Connected to Atelier Lumen, PrestaShop 8.2.1."
    assert facts["Time zone"] == "Europe/Paris"
    assert facts["Languages"] == "en, fr"
    assert "JPY" in facts["Currencies"]
    assert facts["Clock"] == "the same as ours"


def test_the_rights_of_the_set_up_page_are_enough_for_everything(shop: Shop):
    prestashop = shop.connect(key=with_rights(shop))
    order = shop.order()

    result = prestashop.check()
    prestashop.read("orders", order)
    prestashop.find("items")
    prestashop.write("order_histories", {"id_order": order, "id_order_state": 4})
    prestashop.write("orders", {"note": "SO-1"}, order)

    assert result.ok
    assert not [one for one in result.warnings if "may not" in one]
    assert dict(result.facts)["Key may"] == "read 22 resources; POST order_histories, PATCH orders"


def test_the_set_up_page_names_exactly_these_rights():
    page = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    ticked = set()
    for method, cell in re.findall(r"^\| (GET|POST|PATCH) \| ([^|]+) \|$", page, re.MULTILINE):
        ticked |= {(resource, method) for resource in re.findall(r"[a-z_]+", cell.partition(" (")[0])}

    assert ticked == {(one.resource, one.method) for one in RIGHTS}


@pytest.mark.parametrize("right", [one for one in RIGHTS if one.needed], ids=lambda one: one.resource)
def test_a_missing_right_to_read_fails_the_check_by_name(shop: Shop, right: Right):
    result = shop.connect(key=with_rights(shop, (right.resource, "GET"))).check()

    assert not result.ok
    assert [one for one in result.warnings if f"may not GET {right.resource}, which is needed {right.why}" in one]


@pytest.mark.parametrize("right", [("order_histories", "POST"), ("orders", "PATCH")])
def test_a_missing_right_to_write_back_is_a_warning(shop: Shop, right: tuple[str, str]):
    result = shop.connect(key=with_rights(shop, right)).check()

    assert result.ok
    assert [one for one in result.warnings if f"may not {right[1]} {right[0]}" in one]


def test_rights_that_no_flow_needs_are_counted(shop: Shop):
    assert "further rights to write that no flow needs" in dict(shop.connect().check().facts)["Key may"]


def test_a_clock_that_is_off_is_told(shop: Shop):
    prestashop = shop.connect()
    ours = shop.clock.now
    prestashop.session.clock = lambda: ours
    shop.clock.passes(minutes=5)

    result = prestashop.check()

    assert dict(result.facts)["Clock"] == "300 s ahead of ours"
    assert [one for one in result.warnings if "time server" in one]


def test_half_made_orders_are_told_by_id(shop: Shop):
    shop.order(7, current_state=0)
    shop.order(8)

    (warning,) = [one for one in shop.connect().check().warnings if "never completed" in one]

    assert ": 7." in warning


@pytest.mark.parametrize(("version", "told"), [("1.7.8.11", True), ("9.0.0", True), ("8.1.7", False)])
def test_versions_that_were_not_tried_are_told(shop: Shop, version: str, told: bool):
    row = shop.store.find("configurations", name="PS_VERSION_DB")[0]
    shop.store.change("configurations", row, value=version)

    warnings = shop.connect().check().warnings

    assert bool([one for one in warnings if "was tried with" in one]) is told
    assert bool([one for one in warnings if "cannot change the note" in one]) is (version < "8")


def test_an_unencrypted_address_is_told_except_on_this_machine(shop: Shop):
    assert [one for one in shop.connect().check().warnings if "https://" in one]
    assert not [one for one in shop.connect(address="http://127.0.0.1:8800").check().warnings if "https://" in one]


def test_an_unknown_time_zone_stops_the_check(shop: Shop):
    row = shop.store.find("configurations", name="PS_TIMEZONE")[0]
    for name in ("Mars/Olympus", "", "../../etc/passwd"):
        shop.store.change("configurations", row, value=name)
        with pytest.raises(NeedsPerson, match="time zone"):
            shop.connect().check()


def test_the_zone_of_the_chosen_shop_wins(shop: Shop):
    shop.store.insert("configurations", {"name": "PS_TIMEZONE", "value": "Asia/Tokyo", "id_shop": "1"})

    assert dict(shop.connect(id_shop="1").check().facts)["Time zone"] == "Asia/Tokyo"
    assert dict(shop.connect().check().facts)["Time zone"] == "Europe/Paris"


def test_two_shops_of_one_prestashop_keep_their_zones_apart(shop: Shop):
    common = shop.store.find("configurations", name="PS_TIMEZONE")[0]
    shop.store.change("configurations", common, value="Asia/Tokyo", id_shop="2")
    shop.store.insert("configurations", {"name": "PS_TIMEZONE", "value": "Europe/Paris"})
    shop.store.insert("configurations", {"name": "PS_TIMEZONE", "value": "America/New_York", "id_shop": "1"})
    second = shop.connect(id_shop="2")
    first = PrestaShop({**second.values, "id_shop": "1"}, second.session)
    common_one = PrestaShop({**second.values, "id_shop": ""}, second.session)
    shop.store.insert("shops", {"name": "Second", "id_shop_group": "1", "active": "1"}, 2)
    key = shop.order(date_add="2026-03-10 12:00:00")

    hours = [one.read("orders", key)["date_add"].hour for one in (second, first, common_one)]

    assert hours == [3, 16, 11]


def test_the_zone_of_another_shop_does_not_count(shop: Shop):
    shop.store.change("configurations", shop.store.find("configurations", name="PS_TIMEZONE")[0], id_shop="2")
    shop.store.insert("configurations", {"name": "PS_TIMEZONE", "value": "Asia/Tokyo"})

    assert dict(shop.connect(id_shop="1").check().facts)["Time zone"] == "Asia/Tokyo"
    assert dict(shop.connect().check().facts)["Time zone"] == "Asia/Tokyo"


def test_a_refused_key_an_outage_and_a_foreign_page_are_told_apart(shop: Shop):
    with pytest.raises(SignInRefused):
        shop.connect(key="X" * 32).check()
    shop.sandbox.faults = [Fault("html")]
    with pytest.raises(TryLater):
        shop.connect().check()
    page = httpx.Response(200, content=b"<html>Login</html>")
    with pytest.raises(NeedsPerson, match="not as a PrestaShop webservice"):
        shop.connect(lambda request, answer: page).check()
    empty = httpx.Response(200, content=b"<?xml version='1.0'?><prestashop></prestashop>")
    with pytest.raises(NeedsPerson, match="list of resources"):
        shop.connect(lambda request, answer: empty).check()


def test_no_fact_holds_the_key(shop: Shop):
    assert shop.key not in repr(dataclasses.asdict(shop.connect().check()))
