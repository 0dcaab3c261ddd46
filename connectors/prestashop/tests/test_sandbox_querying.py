"""Filters, sorting and windows, with the shop's silences and its refusals."""

from decimal import Decimal

import pytest

from connectors.prestashop.tests.shop_client import Clock, ShopClient, codes, message


@pytest.fixture
def shop() -> ShopClient:
    """Four orders, placed on four days; the third moves on later."""
    shop = ShopClient(Clock())
    for state in (2, 10, 1, 2):
        shop.sandbox.place_order([(1,)], state=state)
        shop.clock.tick(86400)
    shop.send("PATCH", "orders", "<order><id>3</id><note>touched</note></order>")
    return shop


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("[2]", ["2"]),
        ("2", ["2"]),
        ("[1|3|77]", ["1", "3"]),
        ("[2,3]", ["2", "3"]),
        ("[3,2]", ["2", "3"]),
        (">[2]", ["3", "4"]),
        ("<[2]", ["1"]),
        ("![2|3]", ["1", "4"]),
        ("[2x]", ["2"]),
        ("[word]", []),
        ("[10,2]", ["2", "3", "4"]),
    ],
)
def test_numbers_are_filtered_as_mysql_compares_them(shop: ShopClient, value: str, ids: list[str]) -> None:
    assert shop.ids("orders", **{"filter[id]": value, "sort": "[id_ASC]"}) == ids


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("[whitfield]", ["2"]),
        ("Whitfield", ["2"]),
        ("[WHIT]%", ["2"]),
        ("%[field]", ["2"]),
        ("%[hitf]%", ["2"]),
        ("[hitf]", []),
        ("[Tanaka|Brandt]", ["3", "4"]),
        ("[DÉLACROIX]", ["1"]),
        ("[O'Brien]", []),
    ],
)
def test_texts_are_filtered_without_regard_to_case_and_accents(shop: ShopClient, value: str, found: list[str]) -> None:
    assert shop.ids("customers", **{"filter[lastname]": value, "sort": "[id_ASC]"}) == found


def test_filters_are_joined_by_and(shop: ShopClient) -> None:
    assert shop.ids("orders", **{"filter[current_state]": "[2]", "filter[id]": ">[1]"}) == ["4"]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("[2026-03-03 10:30:00,2026-03-04 10:30:00]", ["2"]),
        ("[2026-03-04,2026-03-03]", ["2"]),
        ("[2026-03-02 10:30:00,2026-03-02 10:30:00]", ["1"]),
        (">[2026-03-05 10:29:59]", ["4", "3"]),
        (">[2026-03-05T10:30:00]", ["3"]),
        ("[2026-03-02T00:00:00,2026-03-09T00:00:00]", []),
        ("[2026-03-02 00:00:00Z,2026-03-09 00:00:00Z]", []),
        ("[2026-03-02,]", []),
    ],
)
def test_dates_need_a_switch_and_wrong_ones_are_silently_empty(shop: ShopClient, value: str, ids: list[str]) -> None:
    query = {"filter[date_upd]": value, "sort": "[date_upd_ASC,id_ASC]"}
    assert shop.ids("orders", date="1", **query) == ids
    refused = shop.http.get("orders", params=query)
    assert (refused.status_code, codes(refused)[0]) == (500, "32")


def test_a_date_filter_on_a_table_without_dates_breaks_the_shop(shop: ShopClient) -> None:
    answer = shop.http.get("stock_availables", params={"filter[date_upd]": "[2026-01-01,2030-01-01]", "date": "1"})
    assert (answer.status_code, answer.content) == (500, b"")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_filter_on_texts_of_all_languages_repeats_a_record(shop: ShopClient) -> None:
    query = {"filter[name]": "%[lamp]%", "filter[active]": "[1]"}
    assert sorted(shop.ids("products", **query)) == ["1", "1", "6"]
    assert shop.ids("products", language="2", **query) == ["1"]


def test_without_sort_the_order_is_not_by_id(shop: ShopClient) -> None:
    assert shop.ids("order_states") == ["2", "3", "4", "5", "6", "7", "8", "9", "11", "12", "13", "1", "10"]
    assert shop.ids("orders", **{"filter[current_state]": "[1|2]"}) == ["3", "1", "4"]


def test_sorting_goes_by_several_fields_and_both_ways(shop: ShopClient) -> None:
    assert shop.ids("orders", sort="[current_state_ASC,id_DESC]") == ["3", "4", "1", "2"]
    assert shop.ids("orders", sort="id_DESC") == ["4", "3", "2", "1"]


@pytest.mark.parametrize(
    ("limit", "ids"),
    [("2", ["1", "2"]), ("1,2", ["2", "3"]), ("3,9", ["4"]), ("9,2", []), ("0", []), ("abc", []), ("1,abc", [])],
)
def test_a_window_cuts_the_list_and_rubbish_makes_it_empty(shop: ShopClient, limit: str, ids: list[str]) -> None:
    assert shop.ids("orders", sort="[id_ASC]", limit=limit) == ids


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"filter[nope]": "[1]"}, "32"),
        ({"filter[id]": ""}, "33"),
        ({"filter[shipping_number]": "[x]"}, "34"),
        ({"filter[order_rows][product_id]": "1"}, "31"),
        ({"sort": "date_upd", "date": "1"}, "37"),
        ({"sort": "[date_upd_ASC]"}, "38"),
        ({"limit": "1,2,3"}, "39"),
        ({"display": "id,reference"}, "36"),
        ({"display": "[id,nope]"}, "35"),
    ],
)
def test_a_bad_question_is_500_with_the_real_code_before_phps_warnings(
    shop: ShopClient, query: dict[str, str], code: str
) -> None:
    answer = shop.http.get("orders", params=query)
    assert answer.status_code == 500
    assert codes(answer) == [code, "3", "3", "3", "3"]


def test_an_unknown_filter_gets_a_suggestion(shop: ShopClient) -> None:
    assert 'Did you mean: "reference"?' in message(shop.http.get("orders", params={"filter[referense]": "[x]"}))


def test_an_unknown_language_is_refused_and_an_unknown_parameter_is_not(shop: ShopClient) -> None:
    refused = shop.http.get("products/1", params={"language": "99"})
    assert (refused.status_code, codes(refused)) == (400, ["81"])
    assert shop.ids("orders", frobnicate="1", sort="[id_ASC]", limit="1") == ["1"]


def test_a_negative_window_reaches_the_database(shop: ShopClient) -> None:
    assert shop.http.get("orders", params={"limit": "-1"}).status_code == 500


def test_prices_are_computed_on_demand(shop: ShopClient) -> None:
    query = {"price[final][use_tax]": "1", "price[net][use_tax]": "0", "price[list][use_reduction]": "0"}
    product = shop.get("products/1", **query)
    assert [one.tag for one in product][-4:] == ["final", "net", "list", "associations"]
    price = Decimal(product.findtext("price"))
    assert Decimal(product.findtext("list")) == (price * Decimal("1.2")).quantize(Decimal("0.01"))
    shop.sandbox.store.insert(
        "specific_prices",
        {"id_product": "1", "price": "-1", "from_quantity": "5", "reduction": "0.5", "reduction_type": "percentage"},
    )
    assert shop.get("products/1", **query).findtext("net") == product.findtext("net")
    half = shop.get("products/1", **query, **{"price[net][quantity]": "5"}).findtext("net")
    assert Decimal(half) == (price / 2).quantize(Decimal("0.01"))


def test_a_computed_price_can_be_shown_alone_but_not_filtered_by(shop: ShopClient) -> None:
    query = {"price[final][use_tax]": "1", "sort": "[id_ASC]", "limit": "1"}
    assert [one.tag for one in shop.get("products", display="[id,final]", **query)[0]] == ["id", "final"]
    assert codes(shop.http.get("products", params={**query, "filter[final]": "[1]"}))[0] == "32"
    assert shop.get("orders", **query).tag == "orders"


def test_a_computed_price_takes_no_fields_place(shop: ShopClient) -> None:
    plain = shop.http.get("products/1").content
    for name in ("id", "price", "associations", "1st", "a b", "é"):
        assert shop.http.get("products/1", params={f"price[{name}][use_tax]": "1"}).content == plain
