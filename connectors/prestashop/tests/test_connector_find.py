"""Records are found by their fields, in the shop's own filters and all their traps."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.errors import NeedsPerson
from connectors.prestashop.tests.connector_shop import Shop


def test_all_orders_of_one_reference_are_found(shop: Shop):
    keys = [shop.order(reference="SPLITCART"), shop.order(reference="SPLITCART")]
    shop.order(reference="OTHERCART")
    shop.order(reference="SPLITCART", current_state=0)

    found = shop.connect().find("orders", reference="SPLITCART")

    assert [str(one["id"]) for one in found] == keys
    assert found[0]["order_rows"]


def test_orders_are_found_by_state_and_date(shop: Shop):
    key = shop.order(current_state=2, date_add="2026-03-10 10:00:00")
    shop.order(current_state=2)

    found = shop.connect().find("orders", current_state=2, date_add=datetime(2026, 3, 10, 9, 0, tzinfo=UTC))

    assert [str(one["id"]) for one in found] == [key]


def test_a_name_in_two_languages_is_found_once(shop: Shop):
    assert [one["id"] for one in shop.connect().find("countries", name="France")] == [8]


def test_customers_are_found_by_mail_in_any_case(shop: Shop):
    found = shop.connect().find("customers", email="Owen@Whitfield.example")

    assert [one["id"] for one in found] == [2]
    assert "passwd" not in found[0]


@pytest.mark.parametrize("mail", ["a|b@mail.example", "a,b@mail.example", "a[b]@mail.example", "a%b_c@mail.example"])
def test_mails_with_the_filters_own_characters_are_found(shop: Shop, mail: str):
    shop.change("customers", "3", email=mail)

    assert [one["id"] for one in shop.connect().find("customers", email=mail)] == [3]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("MIEL", "[MIEL]"),
        ("A|B", "A|B"),
        ("30,15", "30,15"),
        ("|A", "|A"),
        ("M[10]x", "%[10]%"),
        ("[a,bcd|e]", "%[bcd]%"),
    ],
)
def test_a_text_goes_out_without_becoming_an_or_or_a_range(shop: Shop, text: str, asked: str):
    shop.change("products", "5", reference=text)
    others = {"6": "A", "7": "B", "8": "20", "9": "MIEL-2"}
    for key, reference in others.items():
        shop.change("products", key, reference=reference)

    assert [one["id"] for one in shop.connect().find("products", reference=text)] == [5]
    (call,) = shop.sent("GET", "/products")
    assert httpx.URL(call.url).params["filter[reference]"] == asked


def test_several_guests_may_share_a_mail(shop: Shop):
    shop.change("customers", "3", email="owen@whitfield.example", is_guest=1)

    assert [one["id"] for one in shop.connect().find("customers", email="owen@whitfield.example")] == [2, 3]


def test_deleted_records_are_not_found_unless_asked_for(shop: Shop):
    shop.change("addresses", "3", deleted=1)

    assert 3 not in [one["id"] for one in shop.connect().find("addresses")]
    assert [one["id"] for one in shop.connect().find("addresses", deleted=True)] == [3]


def test_lists_come_by_id_whatever_the_shops_own_order_and_the_page(shop: Shop):
    ids = [one["id"] for one in shop.connect(page_size="2").find("order_states")]

    assert ids == sorted(ids)
    assert len(ids) == len(shop.store.tables["order_states"])


def test_nothing_is_an_empty_list(shop: Shop):
    assert shop.connect().find("orders", reference="NOPE") == []
    assert shop.connect().find("customers", email="") == []


def test_a_filter_by_none_finds_the_zero_reference(shop: Shop):
    key = shop.order(id_cart=0)
    shop.order()

    assert [str(one["id"]) for one in shop.connect().find("orders", id_cart=None)] == [key]


def test_amounts_and_flags_are_searched_as_the_shop_stores_them(shop: Shop):
    found = shop.connect().find("products", price=Decimal("7.582938"), active=True)

    assert [one["id"] for one in found] == [5]


@pytest.mark.parametrize(
    ("entity", "fields"),
    [
        ("orders", {"secure_key": "x"}),
        ("customers", {"passwd": "x"}),
        ("orders", {"order_rows": 1}),
        ("orders", {"carrier": 1}),
        ("order_states", {"kind": "paid"}),
        ("items", {"price[final]": 1}),
        ("orders", {"reference": "[]"}),
        ("orders", {"reference": ["A", "B"]}),
        ("nonsense", {}),
    ],
)
def test_what_cannot_be_searched_says_so(shop: Shop, entity: str, fields: dict[str, Any]):
    with pytest.raises(NeedsPerson):
        shop.connect().find(entity, **fields)


def test_the_shop_id_goes_with_every_call(shop: Shop):
    shop.connect(id_shop="1").find("orders")

    assert {httpx.URL(call.url).params["id_shop"] for call in shop.calls} == {"1"}


@pytest.mark.parametrize(
    ("entity", "key", "field", "value"),
    [
        ("currencies", "4", "precision", 0),
        ("carriers", "3", "id_reference", 2),
        ("countries", "8", "iso_code", "FR"),
        ("states", "1", "iso_code", "CA"),
        ("languages", "2", "iso_code", "fr"),
        ("taxes", "3", "rate", Decimal("5.500")),
        ("addresses", "2", "postcode", "BS1 4QA"),
        ("product_options", "2", "name", "Size"),
        ("configurations", "3", "value", "Europe/Paris"),
    ],
)
def test_reference_data_is_read_by_id(shop: Shop, entity: str, key: str, field: str, value: Any):
    assert shop.connect().read(entity, key)[field] == value


def test_parts_of_an_order_are_read_on_their_own(shop: Shop):
    order = shop.order()
    line = shop.line(order, taxes=(3,))

    assert shop.connect().read("order_details", line)["taxes"][0]["rate"] == Decimal("5.500")
    assert [one["id_order_state"] for one in shop.connect().find("order_histories", id_order=order)] == [10]
