"""Keys, rights, the switch of the webservice, and requests for another shop."""

import httpx
import pytest

from connectors.prestashop.sandbox.rights import DISABLED, FULL, READ_ORDERS, WITHOUT_PATCH, Key
from connectors.prestashop.tests.shop_client import ShopClient, codes
from connectors.serving import serving


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def test_the_announced_address_and_key_let_one_in(shop: ShopClient) -> None:
    told = shop.sandbox.announcement()
    with httpx.Client(transport=shop.sandbox.transport()) as client:
        assert client.get(f"{told['address']}/api/orders", auth=(told["key"], "")).status_code == 200
        assert client.get(f"{told['address']}/api/orders", params={"ws_key": told["key"]}).status_code == 200


def test_no_key_at_all_is_a_plain_sentence(shop: ShopClient) -> None:
    with httpx.Client(transport=shop.sandbox.transport(), base_url=shop.sandbox.address) as client:
        for headers in ({}, {"Authorization": "Bearer abc"}, {"Authorization": "Basic ???"}):
            answer = client.get("/api/orders", headers=headers)
            assert (answer.status_code, answer.text) == (401, "401 Unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
            assert "PSWS-Version" not in answer.headers


@pytest.mark.parametrize(
    ("key", "expected"),
    [("", ["17"]), ("short", ["18"]), ("X" * 32, ["20", "21"]), (DISABLED.key, ["20", "21"])],
)
def test_a_wrong_key_is_refused_with_the_shops_codes(shop: ShopClient, key: str, expected: list[str]) -> None:
    answer = shop.client(Key("any", key)).get("orders")
    assert (answer.status_code, codes(answer)) == (401, expected)
    assert answer.headers["PSWS-Version"] == "0"


def test_a_key_for_reading_orders_may_do_just_that(shop: ShopClient) -> None:
    client = shop.client(READ_ORDERS)
    assert client.get("orders").status_code == 200
    assert client.head("orders").status_code == 200
    for answer, status, code in (
        (client.get("customers"), 401, "26"),
        (client.delete("orders/1"), 405, "25"),
        (client.post("order_histories", content=b"<a/>"), 401, "26"),
        (client.get("orders/1?ps_method=DELETE"), 405, "25"),
    ):
        assert (answer.status_code, codes(answer)) == (status, [code])
    assert client.head("stock_availables").status_code == 405


def test_the_right_to_patch_is_its_own(shop: ShopClient) -> None:
    body = b"<prestashop><c><id>1</id><note>x</note></c></prestashop>"
    client = shop.client(WITHOUT_PATCH)
    for path, method in (("customers", "PATCH"), ("customers?ps_method=PATCH", "POST")):
        answer = client.request(method, path, content=body)
        assert (answer.status_code, codes(answer)) == (405, ["25"])
    assert shop.client(FULL).patch("customers", content=body).status_code == 200


@pytest.mark.parametrize("method", ["OPTIONS", "FOO"])
def test_an_unknown_method_is_named(shop: ShopClient, method: str) -> None:
    answer = shop.http.request(method, "orders")
    assert (answer.status_code, codes(answer)) == (405, ["23"])


def test_an_unknown_resource_gets_a_suggestion(shop: ShopClient) -> None:
    answer = shop.http.get("order")
    assert (answer.status_code, codes(answer)) == (400, ["27"])
    assert 'Did you mean: "orders"?' in answer.text


def test_switched_off_the_webservice_answers_503_until_it_is_on_again(shop: ShopClient) -> None:
    shop.sandbox.switch_webservice(on=False)
    answer = shop.http.get("orders")
    assert (answer.status_code, codes(answer)) == (503, ["22"])
    shop.sandbox.switch_webservice(on=True)
    assert shop.http.get("orders").status_code == 200


def test_a_request_for_another_host_is_sent_to_the_front_page(shop: ShopClient) -> None:
    shop.sandbox.domain = "shop.example:8080"
    answer = shop.http.get("orders", params={"limit": "1"})
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["Location"] == f"{shop.sandbox.address}/?url=orders&limit=1"
    assert shop.http.get("orders", headers={"Host": "shop.example:8080"}).status_code == 200
    forwarded = {"Host": "shop.example:8080", "X-Forwarded-Host": "other.example"}
    assert shop.http.get("orders", headers=forwarded).status_code == 302


def test_on_a_port_only_its_own_names_are_the_shops(shop: ShopClient) -> None:
    with serving(shop.sandbox) as address, httpx.Client(base_url=address, auth=(FULL.key, "")) as client:
        port = httpx.URL(address).port
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}"):
            assert client.get("/api/orders", headers={"Host": host}).status_code == 200
        for headers in (
            {"Host": "evil.example"},
            {"Host": f"evil.example:{port}"},
            {"Host": "127.0.0.1"},
            {"X-Forwarded-Host": "evil.example"},
        ):
            answer = client.get("/api/orders?limit=1", headers=headers)
            assert (answer.status_code, answer.content) == (302, b"")
            assert answer.headers["Location"] == f"{address}/?url=orders&limit=1"


def test_the_usual_port_may_be_left_out(shop: ShopClient) -> None:
    shop.sandbox.address = "https://localhost"
    for host, status in (("localhost", 200), ("127.0.0.1:443", 200), ("localhost:80", 302)):
        assert shop.http.get("orders", headers={"Host": host}).status_code == status


def test_an_unknown_shop_id_is_sent_to_the_front_page(shop: ShopClient) -> None:
    answer = shop.http.get("orders", params={"id_shop": "99", "display": "[id]"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{shop.sandbox.address}/?url=orders&display=%5Bid%5D"
    assert shop.http.get("orders", params={"id_shop": "1"}).status_code == 200
    assert shop.http.get("orders", params={"id_shop": "all"}).status_code == 200


def test_an_appended_parameter_without_a_question_mark_is_understood(shop: ShopClient) -> None:
    body = b"<prestashop><c><id>1</id><note>odd</note></c></prestashop>"
    assert shop.http.patch(f"{shop.sandbox.address}/api/customers&id_shop=1", content=body).status_code == 200
