"""POST /orders: a cart becomes an order, whatever else is sent."""

import pytest

from connectors.prestashop.tests.shop_client import ShopClient, codes, texts

KEY = "5f1d3a9be07c4d2286a1f0c3b47e9d10"


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def cart(shop: ShopClient, product: int = 1, secure_key: str = KEY, option: str = "") -> str:
    parties = "<id_currency>1</id_currency><id_lang>1</id_lang><id_customer>1</id_customer>"
    addresses = "<id_address_delivery>1</id_address_delivery><id_address_invoice>1</id_address_invoice>"
    row = f"<cart_row><id_product>{product}</id_product><quantity>2</quantity></cart_row>"
    more = f"<secure_key>{secure_key}</secure_key><delivery_option>{option}</delivery_option>"
    rows = f"<associations><cart_rows>{row}</cart_rows></associations>"
    answer = shop.send("POST", "carts", f"<cart>{parties}{addresses}{more}{rows}</cart>")
    assert answer.status_code == 201
    return shop.ids("carts", sort="[id_DESC]", limit="1")[0]


def order(shop: ShopClient, id_cart: str, total: str, module: str = "ps_wirepayment"):
    ids = "".join(
        f"<id_{name}>1</id_{name}>"
        for name in ("address_delivery", "address_invoice", "currency", "lang", "customer", "carrier")
    )
    totals = "".join(
        f"<{name}>{total}</{name}>" for name in ("total_paid", "total_paid_real", "total_products", "total_products_wt")
    )
    said = "<reference>MINE</reference><current_state>5</current_state><conversion_rate>1</conversion_rate>"
    how = f"<id_cart>{id_cart}</id_cart><module>{module}</module><payment>Bank wire</payment>"
    return shop.send("POST", "orders", f"<order>{ids}{totals}{said}{how}</order>")


def test_the_right_total_is_paid_remotely_and_the_answer_only_repeats_the_request(shop: ShopClient) -> None:
    answer = order(shop, cart(shop), "99.794")
    assert answer.status_code == 201
    assert b"<reference><![CDATA[MINE]]>" in answer.content
    stored = shop.order(1)
    assert stored["reference"] != "MINE"
    assert (stored["current_state"], stored["valid"]) == ("11", "1")
    assert (stored["total_paid"], stored["total_paid_real"]) == ("99.790000", "99.794000")
    assert shop.stock(1) == 248
    assert [one["template"] for one in shop.sandbox.mails] == ["payment"]


@pytest.mark.parametrize("total", ["99.78", "99.795", "1"])
def test_a_wrong_total_is_a_payment_error_that_leaves_the_stock_alone(shop: ShopClient, total: str) -> None:
    assert order(shop, cart(shop), total).status_code == 201
    assert shop.order(1)["current_state"] == "8"
    assert shop.stock(1) == 250


def test_the_carrier_is_the_carts_choice_or_the_free_one(shop: ShopClient) -> None:
    order(shop, cart(shop), "1")
    order(shop, cart(shop, option='{"1":"4,"}'), "1")
    assert [shop.order(one)["id_carrier"] for one in (1, 2)] == ["1", "4"]
    assert shop.order(2)["total_shipping_tax_incl"] == "14.880000"


def test_a_cart_serves_once(shop: ShopClient) -> None:
    id_cart = cart(shop)
    order(shop, id_cart, "99.79")
    answer = order(shop, id_cart, "99.79")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert answer.text == "Cart cannot be loaded or an order has already been placed using this cart"
    assert order(shop, "777", "1").text == answer.text


def test_a_cart_with_somebody_elses_key_is_refused(shop: ShopClient) -> None:
    answer = order(shop, cart(shop, secure_key="0" * 32), "1")
    assert (answer.status_code, answer.text) == (500, "Error processing order. Secure key does not match.")
    assert order(shop, cart(shop, secure_key=""), "1").status_code == 201


def test_an_unknown_module_crashes(shop: ShopClient) -> None:
    answer = order(shop, cart(shop), "1", module="ps_banner")
    assert (answer.status_code, answer.content) == (500, b"")
    assert shop.ids("orders") == []


def test_a_nameless_product_leaves_half_an_order_behind(shop: ShopClient) -> None:
    shop.send("PUT", "products", "<p><id>1</id><price>41.58</price><active>1</active></p>")
    answer = order(shop, cart(shop), "1")
    assert (answer.status_code, answer.content) == (500, b"")
    left = shop.order(1)
    assert (left["current_state"], left["total_paid_real"]) == ("0", "0.000000")
    assert shop.rows("order_histories", 1) == shop.rows("order_details", 1) == []


def test_a_cart_without_rows_is_saved_although_it_crashes(shop: ShopClient) -> None:
    body = "<cart><id_currency>1</id_currency><id_lang>1</id_lang><associations><cart_rows/></associations></cart>"
    answer = shop.send("POST", "carts", body)
    assert (answer.status_code, answer.content) == (500, b"")
    assert shop.ids("carts") == ["1"]


def test_a_cart_that_names_what_is_not_there_crashes(shop: ShopClient) -> None:
    assert order(shop, cart(shop, product=999), "1").status_code == 500


def test_a_missing_field_is_named(shop: ShopClient) -> None:
    answer = shop.send("POST", "orders", "<order><id_address_delivery>1</id_address_delivery></order>")
    assert (answer.status_code, codes(answer)) == (400, ["41"])


def test_rows_of_a_cart_come_in_the_order_of_their_products(shop: ShopClient) -> None:
    rows = "".join(f"<cart_row><id_product>{one}</id_product><quantity>1</quantity></cart_row>" for one in (9, 4))
    body = "<cart><id_currency>1</id_currency><id_lang>1</id_lang>"
    shop.send("POST", "carts", f"{body}<associations><cart_rows>{rows}</cart_rows></associations></cart>")
    found = shop.get("carts/1").find("associations/cart_rows")
    assert [texts(one)["id_product"] for one in found] == ["4", "9"]
