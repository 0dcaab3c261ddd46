"""What a client reads: elements, links, lists, languages, schemas and headers."""

import hashlib

import pytest
from lxml import etree

from connectors.prestashop.sandbox import PrestaShopSandbox
from connectors.prestashop.sandbox.schema import RESOURCES
from connectors.prestashop.tests.shop_client import LINK, ShopClient


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def test_a_record_comes_with_links_on_the_ids_that_lead_somewhere(shop: ShopClient) -> None:
    order = shop.get(f"orders/{shop.sandbox.place_order([(1,)], carrier=0)}")
    assert order.find("id_customer").get(LINK).endswith("/api/customers/1")
    assert order.find("id_carrier").get(LINK) is None
    assert order.find("current_state").get(LINK).endswith("/api/order_states/2")
    row = order.find("associations/order_rows/order_row")
    assert row.find("id_customization").get(LINK).endswith("/api/customizations/0")


def test_a_state_of_zero_keeps_its_link(shop: ShopClient) -> None:
    order = shop.get(f"orders/{shop.sandbox.place_order([(1,)], state=0)}")
    assert order.find("current_state").get(LINK).endswith("/api/order_states/0")


def test_every_value_is_in_cdata_and_hostile_texts_survive(shop: ShopClient) -> None:
    nasty = ']]> & <b> "quotes" 🌵 שלום'
    order_id = shop.sandbox.place_order([(13,)], note=nasty)
    answer = shop.http.get(f"orders/{order_id}")
    assert b"<![CDATA[" in answer.content
    assert etree.fromstring(answer.content)[0].findtext("note") == nasty


def test_a_list_without_display_shows_ids_only(shop: ShopClient) -> None:
    found = shop.get("currencies")
    assert [dict(one.attrib) for one in found][:1] == [{"id": "1", LINK: f"{shop.sandbox.address}/api/currencies/1"}]
    assert all(len(one) == 0 for one in found)


def test_an_empty_list_is_an_empty_element(shop: ShopClient) -> None:
    found = shop.get("orders", display="full")
    assert (found.tag, len(found)) == ("orders", 0)


def test_display_picks_fields_in_the_shops_own_order_and_nested_ones(shop: ShopClient) -> None:
    shop.sandbox.place_order([(1,), (4,)])
    order = shop.get("orders", display="[reference,id,order_rows[product_id]]")[0]
    assert [one.tag for one in order] == ["id", "reference", "associations"]
    rows = order.findall("associations/order_rows/order_row")
    assert [[cell.tag for cell in row] for row in rows] == [["product_id"], ["product_id"]]


def test_an_association_shows_whole_when_it_is_named_alone(shop: ShopClient) -> None:
    shop.sandbox.place_order([(1,)])
    order = shop.get("orders", display="[order_rows]")[0]
    assert len(order.find("associations/order_rows/order_row")) == 13


def test_chosen_fields_of_one_record_come_as_a_list(shop: ShopClient) -> None:
    assert shop.get("customers/1", display="[id,email]").tag == "customers"
    assert shop.get("customers/1", display="full").tag == "customer"


def test_texts_come_in_all_languages_or_in_those_asked_for(shop: ShopClient) -> None:
    both = shop.get("products/1").find("name")
    assert [(one.get("id"), one.text) for one in both] == [("1", "Dawn desk lamp"), ("2", "Lampe de bureau Aube")]
    french = shop.get("products/1", language="2").find("name")
    assert [one.text for one in french] == ["Lampe de bureau Aube"]
    assert len(shop.get("products/1", language="[1|2]").find("name")) == 2


def test_zero_dates_and_six_decimals_are_written_as_the_database_has_them(shop: ShopClient) -> None:
    order = shop.order(shop.sandbox.place_order([(1,)], state=10))
    assert order["invoice_date"] == "0000-00-00 00:00:00"
    assert order["total_paid_real"] == "0.000000"
    assert order["carrier_tax_rate"] == "20.000"


def test_times_are_the_shops_own_without_an_offset(shop: ShopClient) -> None:
    assert shop.order(shop.sandbox.place_order([(1,)]))["date_add"] == "2026-03-02 10:30:00"
    shop.clock.now = shop.clock.now.replace(month=7)
    assert shop.order(shop.sandbox.place_order([(1,)]))["date_add"] == "2026-07-02 11:30:00"


def test_every_resource_can_be_listed_in_full_and_asked_for_its_schema(shop: ShopClient) -> None:
    for name, resource in RESOURCES.items():
        assert shop.get(name, display="full").tag == resource.plural
        blank = shop.get(name, schema="blank")
        assert blank.tag == resource.node
        names = [one.name for one in resource.fields if not one.refused]
        assert [one.tag for one in blank if one.tag != "associations"] == ["id", *names]
        assert shop.get(name, schema="synopsis").find("id") is None


def test_the_synopsis_says_what_must_be_sent_and_what_may_not(shop: ShopClient) -> None:
    product = shop.get("products", schema="synopsis")
    assert product.find("price").get("required") == "true"
    assert product.find("manufacturer_name").get("readOnly") == "true"
    assert product.find("reference").get("maxSize") == "64"


def test_headers_tell_version_clock_and_digest(shop: ShopClient) -> None:
    answer = shop.http.get("orders")
    assert answer.headers["PSWS-Version"] == "8.2.1"
    assert answer.headers["Content-Type"] == "text/xml;charset=utf-8"
    assert answer.headers["Access-Time"] == str(int(shop.clock.now.timestamp()))
    assert answer.headers["Content-Sha1"] == hashlib.sha1(answer.content).hexdigest()  # noqa: S324


def test_the_same_digest_is_answered_without_a_body(shop: ShopClient) -> None:
    digest = shop.http.get("customers/1").headers["Content-Sha1"]
    again = shop.http.get("customers/1", headers={"Local-Content-Sha1": digest})
    assert (again.status_code, again.content) == (304, b"")
    assert shop.http.get("customers/1", headers={"Local-Content-Sha1": "x"}).status_code == 200


def test_head_answers_like_get_without_a_body(shop: ShopClient) -> None:
    head = shop.http.head("customers/1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Sha1"] == shop.http.get("customers/1").headers["Content-Sha1"]


@pytest.mark.parametrize("path", ["orders/99999", "orders/abc", "orders/²"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_unknown_id_is_404_without_a_body(shop: ShopClient, path: str, method: str) -> None:
    answer = shop.http.request(method, path)
    assert (answer.status_code, answer.content) == (404, b"")
    assert "Content-Type" not in answer.headers


def test_slashes_may_be_doubled_or_trailing_and_case_matters(shop: ShopClient) -> None:
    url = shop.sandbox.address
    assert shop.http.get(f"{url}/api//currencies").content == shop.http.get(f"{url}/api/currencies/").content
    assert shop.http.get("Orders").status_code == 400


def test_the_root_lists_what_the_key_may_do(shop: ShopClient) -> None:
    root = shop.get("")
    assert root.tag == "api"
    assert root.get("shopName") == "Atelier Lumen"
    assert root.find("orders").get("patch") == "true"
    assert [one.get("type") for one in root.findall("orders/schema")] == ["blank", "synopsis"]


def test_outside_the_webservice_stands_the_shop_front(shop: ShopClient) -> None:
    url = shop.sandbox.address
    assert shop.http.get(f"{url}/").headers["Content-Type"].startswith("text/html")
    assert shop.http.get(f"{url}/orders/1").status_code == 404
    assert shop.http.get(f"{url}/apiary").status_code == 404


def test_the_state_survives_being_kept_and_taken_back(shop: ShopClient, tmp_path) -> None:
    file = tmp_path / "shop.json"
    first = ShopClient(state_file=file)
    order_id = first.sandbox.place_order([(1,)], gift_message="Für dich")
    first.send("PATCH", "orders", f"<order><id>{order_id}</id><note>kept</note></order>")
    second = ShopClient(state_file=file)
    assert second.sandbox.dump() == first.sandbox.dump()
    assert second.order(order_id)["note"] == "kept"
    assert second.rows("order_details", order_id) == first.rows("order_details", order_id)


def test_a_dump_is_a_copy(shop: ShopClient) -> None:
    before = shop.sandbox.dump()
    shop.sandbox.place_order([(1,)])
    assert before["resources"]["orders"] == []
    other = PrestaShopSandbox(clock=shop.clock)
    other.load(before)
    other.place_order([(1,)])
    assert before["resources"]["orders"] == []


def test_reset_goes_back_to_the_seed(shop: ShopClient) -> None:
    shop.sandbox.place_order([(1,)])
    shop.sandbox.reset()
    assert shop.ids("orders") == []
    assert shop.stock(1) == 250
