"""Whoever runs the shop's sandbox may let customers order and an employee work, over the wire."""

import random
from typing import Any

import httpx
import pytest

from connectors.prestashop.sandbox.shopper import KINDS, Shopper
from connectors.prestashop.tests.shop_client import ShopClient


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def tell(shop: ShopClient, action: str, data: Any) -> httpx.Response:
    with httpx.Client(transport=shop.sandbox.transport(), base_url=shop.sandbox.address) as client:
        return client.post(f"/_sandbox/{action}", json=data)


def told(shop: ShopClient, action: str, data: Any) -> list[int]:
    answer = tell(shop, action, data)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["orders"])


def states(shop: ShopClient, order: int) -> list[str]:
    return [one["id_order_state"] for one in shop.rows("order_histories", order)]


def test_as_many_orders_are_placed_as_asked_for(shop: ShopClient) -> None:
    orders = told(shop, "place", {"count": 5})

    assert len(set(orders)) == 5
    assert [shop.order(one)["id"] for one in orders] == [str(one) for one in orders]
    assert set(orders).isdisjoint(told(shop, "place", {"count": 5}))


def test_orders_of_these_kinds_are_placed_one_after_another(shop: ShopClient) -> None:
    orders = told(shop, "place", {"kinds": ["zero_decimals", "gift"], "count": 5})

    assert [shop.order(one)["gift"] for one in orders] == ["0", "1", "0", "1", "0"]
    assert len(told(shop, "place", {"kinds": list(KINDS)})) == len(KINDS)


def test_one_order_is_placed_where_nothing_is_said(shop: ShopClient) -> None:
    assert len(told(shop, "place", {})) == 1


@pytest.mark.parametrize(
    ("action", "data", "words"),
    [
        ("place", {"kinds": ["plain", "magic"]}, "no order is called 'magic'"),
        ("place", {"kinds": "plain"}, "no order is called"),
        ("place", {"count": "many"}, "many"),
        ("place", [], "an object is needed"),
        ("touch", {}, "orders"),
        ("touch", {"orders": [1, 99999]}, "The shop has no orders 99999"),
        ("touch", {"orders": 7}, "iterable"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_the_shop_as_it_was(
    shop: ShopClient, action: str, data: Any, words: str
) -> None:
    told(shop, "place", {"kinds": ["plain"]})
    before = shop.sandbox.dump()

    answer = tell(shop, action, data)

    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert shop.sandbox.dump() == before


def test_an_employee_moves_paid_orders_on_until_they_are_delivered(shop: ShopClient) -> None:
    order = Shopper(shop.sandbox, random.Random(7)).place("gift", state=2)
    for state in ("3", "4", "5"):
        shop.clock.tick()
        assert told(shop, "touch", {"orders": [order]}) == [order]
        assert (shop.order(order)["current_state"], shop.order(order)["date_upd"]) == (state, shop.sandbox.shop.now())
    assert states(shop, order) == ["2", "3", "4", "5"]


@pytest.mark.parametrize("state", ["10", "6", "5"])
def test_an_order_that_is_not_paid_or_is_over_is_only_saved_again(shop: ShopClient, state: str) -> None:
    order = Shopper(shop.sandbox, random.Random(7)).place("gift", state=int(state))
    before = shop.order(order)
    shop.clock.tick()

    told(shop, "touch", {"orders": [order]})

    now = shop.order(order)
    assert now == before | {"date_upd": shop.sandbox.shop.now()}
    assert states(shop, order) == [state]


def test_what_was_placed_over_the_wire_survives_a_restart(tmp_path: Any) -> None:
    first = ShopClient(state_file=tmp_path / "shop.json")
    (order,) = told(first, "place", {"kinds": ["plain"]})

    assert ShopClient(state_file=tmp_path / "shop.json").order(order)["id"] == str(order)
