"""The feed of changes misses nothing and comes to an end."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.base import Cursor
from connectors.errors import NeedsPerson, Skip
from connectors.prestashop.tests.connector_shop import Shop


def keys(shop: Shop, since: Cursor | None = None, **settings: str) -> list[str]:
    return [one.key for one in shop.connect(**settings).changes("orders", since)]


def test_changes_come_oldest_first_whatever_their_ids(shop: Shop):
    shop.order(1, date_upd="2026-03-10 10:00:03")
    shop.order(2, date_upd="2026-03-10 10:00:01")
    shop.order(3, date_upd="2026-03-10 10:00:02")

    changes = list(shop.connect().changes("orders"))

    assert [one.key for one in changes] == ["2", "3", "1"]
    assert changes[0].at == datetime(2026, 3, 10, 9, 0, 1, tzinfo=UTC)


def test_dates_go_out_without_t_and_in_the_shops_zone(shop: Shop):
    since = Cursor(datetime(2026, 3, 10, 9, 0, tzinfo=UTC))

    keys(shop, since, overlap="60")

    (call,) = shop.sent("GET", "/orders")
    query = httpx.URL(call.url).params
    assert query["filter[date_upd]"] == ">[2026-03-10 09:58:59]"
    assert query["date"] == "1"
    assert query["sort"] == "[date_upd_ASC,id_ASC]"


@pytest.mark.parametrize("page_size", ["1", "2", "3", "50"])
def test_more_rows_in_one_second_than_a_page_holds_all_come_once(shop: Shop, page_size: str):
    for key in range(1, 8):
        shop.order(key, date_upd="2026-03-10 10:00:00")
    shop.order(20, date_upd="2026-03-10 09:59:59")
    shop.order(10, date_upd="2026-03-10 10:00:01")

    assert keys(shop, page_size=page_size) == ["20", "1", "2", "3", "4", "5", "6", "7", "10"]


def test_an_order_touched_between_two_pages_pushes_none_over_the_edge(shop: Shop):
    for key in range(1, 6):
        shop.order(key, date_upd=f"2026-03-10 10:00:0{key}")
    feed = shop.connect(page_size="2").changes("orders")
    first = [next(feed).key, next(feed).key]

    shop.change("orders", "1", date_upd="2026-03-10 10:30:00")

    assert first + [one.key for one in feed] == ["1", "2", "3", "4", "5", "1"]


def test_a_row_that_was_committed_late_is_found_by_the_overlap(shop: Shop):
    shop.order(2, date_upd="2026-03-10 11:58:00")
    (seen,) = shop.connect().changes("orders")
    shop.order(1, date_upd="2026-03-10 11:57:30")

    assert keys(shop, seen.cursor) == ["1", "2"]


def test_a_second_change_within_the_same_second_is_handed_out_again(shop: Shop):
    shop.order(1, date_upd="2026-03-10 12:00:00")
    (seen,) = shop.connect(overlap="0").changes("orders")

    assert keys(shop, seen.cursor, overlap="0") == ["1"]


def test_an_idle_shop_is_quiet_once_the_overlap_has_passed(shop: Shop):
    shop.order(1, date_upd="2026-03-10 11:59:00")
    (first,) = shop.connect().changes("orders")
    shop.clock.passes(minutes=10)
    (second,) = shop.connect().changes("orders", first.cursor)

    assert keys(shop, second.cursor) == []


def test_stopping_half_way_through_one_second_makes_progress(shop: Shop):
    for key in range(1, 10):
        shop.order(key, date_upd="2026-03-01 10:00:00")
    cursor, seen = None, []
    for _ in range(9):
        change = next(shop.connect(page_size="2").changes("orders", cursor))
        seen.append(change.key)
        cursor = change.cursor

    assert seen == [str(key) for key in range(1, 10)]
    assert keys(shop, cursor) == []


def test_the_shops_own_clock_says_what_is_settled(shop: Shop):
    """With our clock ten minutes ahead, a fresh row must not count as old."""
    shop.order(2, date_upd="2026-03-10 11:59:00")
    prestashop = shop.connect()
    prestashop.session.clock = lambda: shop.clock.now + timedelta(minutes=10)
    (seen,) = prestashop.changes("orders")
    shop.order(1, date_upd="2026-03-10 11:58:50")

    assert keys(shop, seen.cursor) == ["1", "2"]


def test_the_hour_that_autumn_repeats_loses_nothing(shop: Shop):
    """02:50 in summer time is before 02:10 in winter time, and sorts after it."""
    shop.order(1, date_upd="2026-10-25 02:50:00")  # 00:50 UTC
    shop.clock.now = datetime(2026, 10, 25, 0, 51, tzinfo=UTC)
    (seen,) = shop.connect().changes("orders")
    assert seen.at == datetime(2026, 10, 25, 0, 50, tzinfo=UTC)

    shop.order(2, date_upd="2026-10-25 02:10:00")  # 01:10 UTC
    shop.clock.now = datetime(2026, 10, 25, 1, 11, tzinfo=UTC)
    assert "2" in keys(shop, seen.cursor)


def test_polling_every_minute_through_the_repeated_hour_hands_out_every_order(shop: Shop):
    shop.clock.now = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    cursor, seen = None, set()
    for minute in range(240):
        offset = 2 if shop.clock.now < datetime(2026, 10, 25, 1, 0, tzinfo=UTC) else 1
        local = (shop.clock.now + timedelta(hours=offset)).strftime("%Y-%m-%d %H:%M:%S")
        if minute % 7 == 0:
            shop.order(minute + 1, date_upd=local)
        shop.clock.passes(minutes=1)
        if minute % 20 == 19:
            for change in shop.connect(page_size="3").changes("orders", cursor):
                seen.add(change.key)
                cursor = change.cursor

    assert seen == {str(minute + 1) for minute in range(0, 240, 7)}


def test_the_hour_that_spring_leaves_out_does_no_harm(shop: Shop):
    shop.order(1, date_upd="2026-03-29 02:30:00")  # a clock that is set wrongly
    shop.order(2, date_upd="2026-03-29 03:10:00")
    (first, second) = shop.connect().changes("orders")

    assert keys(shop, first.cursor)[-1] == "2"
    assert second.at == datetime(2026, 3, 29, 1, 10, tzinfo=UTC)


def test_rows_with_a_zero_date_come_first(shop: Shop):
    for key in (1, 2, 3):
        shop.order(key, date_upd="0000-00-00 00:00:00")
    shop.order(4)

    assert keys(shop, page_size="2") == ["1", "2", "3", "4"]


def test_a_half_made_order_comes_and_is_skipped_and_comes_again_when_it_is_complete(shop: Shop):
    half = shop.order(2, current_state=0, date_upd="2026-03-10 11:59:10")
    prestashop = shop.connect()
    (seen,) = prestashop.changes("orders")
    with pytest.raises(Skip, match="orders/2 was never completed"):
        prestashop.read("orders", seen.key)

    shop.change("orders", half, current_state=2, date_upd="2026-03-10 11:59:10")

    assert keys(shop, seen.cursor) == ["2"]


def test_a_cursor_from_before_all_time_is_the_beginning(shop: Shop):
    shop.order(1)

    assert keys(shop, Cursor(datetime(1, 1, 1, tzinfo=UTC))) == ["1"]


@pytest.mark.parametrize("entity", ["customers", "addresses", "products"])
def test_people_and_products_are_followed_too(shop: Shop, entity: str):
    shop.change(entity, "3", date_upd="2026-03-10 11:50:00")

    changes = list(shop.connect().changes(entity, Cursor(datetime(2026, 3, 10, 10, 40, tzinfo=UTC))))

    assert "3" in [one.key for one in changes]


def test_a_softly_deleted_address_is_a_deletion(shop: Shop):
    shop.change("addresses", "3", deleted=1)

    assert {one.key for one in shop.connect().changes("addresses") if one.deleted} == {"3"}


@pytest.mark.parametrize("entity", ["order_histories", "combinations", "taxes", "items", "nonsense"])
def test_what_has_no_date_of_change_says_so(shop: Shop, entity: str):
    with pytest.raises(NeedsPerson, match=f"does not say when {entity} changed"):
        list(shop.connect().changes(entity))
