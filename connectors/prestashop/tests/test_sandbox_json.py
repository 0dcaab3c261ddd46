"""JSON, where a client asks for it: smaller, and less than the XML says."""

import json

import httpx
import pytest

from connectors.prestashop.tests.shop_client import ShopClient


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def read(shop: ShopClient, path: str, **query: str) -> object:
    answer = shop.http.get(path, params={"output_format": "JSON", **query})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    return answer.json()


@pytest.mark.parametrize(
    "asked",
    [
        {"params": {"output_format": "JSON"}},
        {"params": {"io_format": "JSON"}},
        {"headers": {"Io-Format": "JSON"}},
        {"headers": {"Output-Format": "JSON"}},
    ],
)
def test_a_parameter_or_a_header_asks_for_it(shop: ShopClient, asked: dict[str, dict[str, str]]) -> None:
    answer = shop.http.get("currencies/1", **asked)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["currency"]["iso_code"] == "EUR"


@pytest.mark.parametrize("asked", [{"headers": {"Accept": "application/json"}}, {"params": {"output_format": "YAML"}}])
def test_nothing_else_does(shop: ShopClient, asked: dict[str, dict[str, str]]) -> None:
    assert shop.http.get("currencies/1", **asked).headers["Content-Type"] == "text/xml;charset=utf-8"


def test_a_single_record_loses_what_is_empty_or_zero_and_a_list_does_not(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=10)
    single = read(shop, f"orders/{order_id}")["order"]
    listed = read(shop, "orders", display="full")["orders"][0]
    for name in ("valid", "invoice_number", "gift_message"):
        assert name not in single
        assert listed[name] in ("0", "")
    assert single["invoice_date"] == "0000-00-00 00:00:00"
    assert single == {name: value for name, value in listed.items() if value not in ("0", "")}


def test_a_display_makes_a_list_of_a_single_record(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=10)
    assert read(shop, f"orders/{order_id}", display="[id,valid]") == {"orders": [{"id": order_id, "valid": "0"}]}


def test_ids_are_numbers_and_all_else_is_text_even_in_rows(shop: ShopClient) -> None:
    order = read(shop, f"orders/{shop.sandbox.place_order([(1, 0, 2)])}")["order"]
    assert [name for name, value in order.items() if isinstance(value, int)] == ["id"]
    rows = order["associations"]["order_rows"]
    assert (rows[0]["product_quantity"], rows[0]["product_isbn"]) == ("2", "")
    assert all(isinstance(value, str) for value in rows[0].values())


def test_nested_fields_are_picked_and_empty_associations_left_out(shop: ShopClient) -> None:
    shop.sandbox.place_order([(1,)])
    picked = read(shop, "orders", display="[id,order_rows[product_id]]")["orders"][0]
    assert picked == {"id": 1, "associations": {"order_rows": [{"product_id": "1"}]}}
    assert "associations" not in read(shop, "orders", display="[id]")["orders"][0]
    assert "tags" not in read(shop, "products/1")["product"]["associations"]


def test_an_empty_list_has_no_name(shop: ShopClient) -> None:
    assert read(shop, "orders", display="full") == []
    assert read(shop, "orders") == []


def test_a_list_without_display_holds_ids(shop: ShopClient) -> None:
    assert read(shop, "currencies", limit="2") == {"currencies": [{"id": 1}, {"id": 2}]}


def test_texts_are_a_list_in_several_languages_and_plain_in_one(shop: ShopClient) -> None:
    name = read(shop, "products/1")["product"]["name"]
    assert name == [{"id": "1", "value": "Dawn desk lamp"}, {"id": "2", "value": "Lampe de bureau Aube"}]
    assert read(shop, "products/1", language="2")["product"]["name"] == "Lampe de bureau Aube"


def test_letters_stay_and_slashes_are_escaped(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], note='a/b "é" 東京')
    body = shop.http.get(f"orders/{order_id}", params={"output_format": "JSON"}).content.decode()
    assert r'"note":"a\/b \"é\" 東京"' in body


def test_errors_have_numbers_for_codes(shop: ShopClient) -> None:
    answer = shop.http.get("orders", params={"filter[nope]": "[1]", "io_format": "JSON"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (500, 32)
    other = httpx.Client(transport=shop.sandbox.transport(), base_url=shop.http.base_url, auth=("X" * 32, ""))
    refused = other.get("orders", headers={"Io-Format": "JSON"})
    assert (refused.status_code, [one["code"] for one in refused.json()["errors"]]) == (401, [20, 21])
    assert refused.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_an_unknown_id_stays_empty_and_the_root_breaks_down(shop: ShopClient) -> None:
    gone = shop.http.get("orders/99", params={"output_format": "JSON"})
    assert (gone.status_code, gone.content) == (404, b"")
    root = shop.http.get("", params={"output_format": "JSON"})
    assert (root.status_code, root.content) == (500, b"")
    assert root.headers["Content-Type"].startswith("text/html")


def test_what_is_written_is_xml_all_the_same(shop: ShopClient) -> None:
    body = b"<prestashop><c><id>1</id><note>written</note></c></prestashop>"
    answer = shop.http.patch("customers", content=body, params={"output_format": "JSON"})
    assert (answer.status_code, answer.json()["customer"]["note"]) == (200, "written")
    refused = shop.http.post("customers", content=json.dumps({"customer": {}}), params={"output_format": "JSON"})
    assert (refused.status_code, refused.json()["errors"][-1]["code"]) == (500, 127)


def test_every_resource_and_its_schemas_can_be_had(shop: ShopClient) -> None:
    for query in ({"display": "full"}, {"schema": "blank"}, {"schema": "synopsis"}):
        for name in shop.sandbox.store.tables:
            read(shop, name, **query)
