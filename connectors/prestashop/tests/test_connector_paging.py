"""No list is asked for without a limit, nothing is read that is not needed, and no shop is asked for ever."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.base import Cursor
from connectors.errors import NeedsPerson
from connectors.prestashop.tests.connector_shop import NOON, Shop


def lists(shop: Shop) -> list[httpx.QueryParams]:
    """The parameters of every list that was asked for."""
    urls = [httpx.URL(one.url) for one in shop.sent("GET")]
    return [one.params for one in urls if one.path.count("/") == 2]


def replaying(shop: Shop, resource: str) -> Callable[..., Any]:
    """A cache that ignores parameters: the first answer for a resource is its answer for ever."""
    kept: list[bytes] = []

    def answer(request: httpx.Request, response: httpx.Response) -> bytes | None:
        if request.url.path != f"/api/{resource}":
            return None
        assert len(shop.calls) < 40, "it asks for ever"
        kept.append(response.content)
        return kept[0]

    return answer


def test_every_list_has_a_limit(shop: Shop):
    prestashop = shop.connect(page_size="3")
    prestashop.check()
    prestashop.read("orders", shop.order())
    prestashop.find("orders", date_add=datetime(2026, 3, 10, 10, 0, tzinfo=UTC))
    prestashop.find("items")
    prestashop.find("items", reference="LUM-BRUME")
    prestashop.find("addresses")
    prestashop.write("order_histories", {"id_order": 1, "id_order_state": 4})

    assert lists(shop)
    assert [one for one in lists(shop) if int(one.get("limit", 9999)) > 10] == []


def test_orders_of_one_date_come_whole_in_pages(shop: Shop):
    keys = [shop.order() for _ in range(5)]

    found = shop.connect(page_size="2").find("orders", date_add=datetime(2026, 3, 10, 10, 0, tzinfo=UTC))

    assert [str(one["id"]) for one in found] == keys


def test_an_order_with_more_lines_than_a_page_comes_whole(shop: Shop):
    key = shop.order()
    for number in range(6):
        shop.line(key, product_id=5, product_reference="MIEL-500", product_quantity=number + 2)

    lines = shop.connect(page_size="2").read("orders", key)["order_rows"]

    assert [one["product_quantity"] for one in lines] == [1, 2, 3, 4, 5, 6, 7]


def test_of_the_reference_data_only_what_an_order_points_at_is_read(shop: Shop):
    shop.connect().read("orders", shop.order(current_state=2))

    asked = {}
    for call in shop.calls:
        url = httpx.URL(call.url)
        asked[url.path.removeprefix("/api/")] = url.params.get("filter[id]")
    names = ("order_states", "currencies", "languages", "countries", "carriers", "taxes")
    assert {name: asked[name] for name in names} == {
        "order_states": "[2]", "currencies": "[1]", "languages": "[2]", "countries": "[8]", "carriers": "[4]",
        "taxes": "[1]",
    }  # fmt: skip
    assert "states" not in asked


def test_what_many_records_point_at_is_asked_for_together(shop: Shop):
    shop.connect().find("addresses")

    assert len(shop.sent("GET", "/countries")) == len(shop.sent("GET", "/api/states")) == 1


def test_the_options_of_a_whole_catalogue_take_two_calls(shop: Shop):
    shop.connect().find("items")

    assert len(shop.sent("GET", "/product_option_values")) == len(shop.sent("GET", "/product_options")) == 1


@pytest.mark.parametrize("letter", ["A", "é", "漢"])
def test_an_order_of_many_lines_keeps_addresses_under_four_kilobytes(shop: Shop, letter: str):
    key = shop.order()
    for number in range(90):
        reference = f"{letter * 50}{number}"
        shop.store.insert("products", {"reference": reference, "state": "1"}, 1000 + number)
        shop.line(key, product_id=1000 + number, product_reference=reference)

    lines = shop.connect(page_size="1000").read("orders", key)["order_rows"]

    assert [one["item_number"] for one in lines[1:]] == [f"{letter * 50}{number}" for number in range(90)]
    assert max(len(httpx.URL(call.url).raw_path) for call in shop.calls) < 4000


def test_a_feed_from_a_shop_that_ignores_filters_ends_with_words(shop: Shop):
    for key in range(1, 6):
        shop.order(key, date_upd=f"2026-03-10 10:00:0{key}")
    prestashop = shop.connect(replaying(shop, "orders"), page_size="2")

    for since in (None, Cursor(NOON), Cursor(NOON, "1")):
        with pytest.raises(NeedsPerson, match="orders: the shop sends records that were not asked for") as caught:
            list(prestashop.changes("orders", since))
        assert "exempt /api from every cache" in caught.value.hint


def test_a_feed_of_one_second_from_a_shop_that_ignores_filters_ends_with_words(shop: Shop):
    for key in range(1, 6):
        shop.order(key, date_upd="2026-03-10 10:00:00")

    with pytest.raises(NeedsPerson, match="not asked for"):
        list(shop.connect(replaying(shop, "orders"), page_size="2").changes("orders"))


def test_a_feed_that_is_out_of_order_ends_with_words(shop: Shop):
    shop.order(1, date_upd="2026-03-10 10:00:02")
    shop.order(2, date_upd="2026-03-10 10:00:01")

    def by_id(request: httpx.Request, answer: httpx.Response) -> bytes | None:
        if request.url.path != "/api/orders":
            return None
        parts = answer.content.split(b"<order>\n")
        return (
            parts[0]
            + b"<order>\n"
            + parts[2].replace(b"</orders>\n</prestashop>\n", b"")
            + b"<order>\n"
            + parts[1]
            + (b"</orders></prestashop>")
        )

    with pytest.raises(NeedsPerson, match="not asked for"):
        list(shop.connect(by_id).changes("orders"))


@pytest.mark.parametrize("entity", ["taxes", "products", "items"])
def test_a_list_from_a_shop_that_ignores_filters_ends_with_words(shop: Shop, entity: str):
    resource = "products" if entity == "items" else entity
    with pytest.raises(NeedsPerson, match=f"{resource}: the shop sends records that were not asked for"):
        shop.connect(replaying(shop, resource), page_size="2").find(entity)


def test_reference_data_from_a_shop_that_ignores_filters_is_not_taken_for_another(shop: Shop):
    prestashop = shop.connect(replaying(shop, "order_states"))
    prestashop.read("orders", shop.order(current_state=2))

    with pytest.raises(NeedsPerson, match="order_states: the shop sends records that were not asked for"):
        prestashop.read("orders", shop.order(current_state=4))


@pytest.mark.parametrize("element", ["<date_upd><![CDATA[2026-03-10 11:00:00]]></date_upd>", "2026-03-10 11:00:00"])
def test_a_row_without_its_date_of_change_is_named(shop: Shop, element: str):
    shop.order(9)

    def take_away(request: httpx.Request, answer: httpx.Response) -> bytes:
        return answer.content.replace(element.encode(), b"")

    with pytest.raises(NeedsPerson, match="orders/9 date_upd") as caught:
        list(shop.connect(take_away).changes("orders"))
    assert caught.value.field == "date_upd"


def test_a_row_without_id_in_the_feed_is_an_error_in_words(shop: Shop):
    shop.order(9)

    def take_away(request: httpx.Request, answer: httpx.Response) -> bytes:
        return answer.content.replace(b"<id><![CDATA[9]]></id>", b"")

    with pytest.raises(NeedsPerson, match="orders: the shop sent a record without an id"):
        list(shop.connect(take_away).changes("orders"))
