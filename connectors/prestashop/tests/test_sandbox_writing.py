"""POST, PUT, PATCH and DELETE with the shop's rules and traps."""

import pytest

from connectors.prestashop.tests.shop_client import ShopClient, codes, message, texts

CUSTOMER = "<firstname>Ana</firstname><lastname>Lima</lastname><passwd>abcdefgh</passwd>"
ADDRESS = "<id_country>8</id_country><alias>A</alias><lastname>L</lastname><firstname>A</firstname><city>Metz</city>"
STREET = "<address1>1 rue X</address1>"


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def test_a_new_customer_is_answered_with_what_was_sent_and_read_with_what_was_stored(shop: ShopClient) -> None:
    answer = shop.send("POST", "customers", f"<customer>{CUSTOMER}<email>ana@x.example</email></customer>")
    assert answer.status_code == 201
    assert b"<newsletter><![CDATA[]]>" in answer.content
    stored = texts(shop.get("customers/5"))
    assert (stored["newsletter"], stored["birthday"], stored["id_lang"]) == ("0", "0000-00-00", "1")
    assert stored["passwd"].startswith("$2y$10$")
    assert stored["date_add"] == stored["date_upd"] == "2026-03-02 10:30:00"


@pytest.mark.parametrize(
    ("inner", "code", "words"),
    [
        (CUSTOMER, "41", 'parameter "email" required'),
        (f"{CUSTOMER}<email></email>", "85", "Customer-&gt;email is empty"),
        (f"{CUSTOMER}<email>nope</email>", "85", "Customer-&gt;email is not valid"),
        (f"{CUSTOMER.replace('Ana', 'R2D2')}<email>a@b.example</email>", "85", "firstname is not valid"),
        (f"<id>77</id>{CUSTOMER}<email>a@b.example</email>", "91", "id is forbidden"),
    ],
)
def test_a_faulty_new_record_is_refused_and_not_stored(shop: ShopClient, inner: str, code: str, words: str) -> None:
    answer = shop.send("POST", "customers", f"<customer>{inner}</customer>")
    assert (answer.status_code, codes(answer)) == (400, [code])
    assert words in message(answer)
    assert len(shop.ids("customers")) == 4


def test_a_text_too_long_is_refused_with_its_length(shop: ShopClient) -> None:
    alias = "x" * 33
    answer = shop.send("POST", "addresses", f"<a>{ADDRESS.replace('>A<', f'>{alias}<', 1)}{STREET}</a>")
    assert codes(answer) == ["85"]
    assert "currently 33 chars. It must be between 0 and 32 chars." in message(answer)


def test_an_email_belongs_to_one_customer_but_to_any_number_of_guests(shop: ShopClient) -> None:
    taken = f"<c>{CUSTOMER}<email>OWEN@whitfield.example</email>"
    answer = shop.send("POST", "customers", f"{taken}</c>")
    assert (answer.status_code, codes(answer)) == (500, ["140", "46"])
    for _ in range(2):
        assert shop.send("POST", "customers", f"{taken}<is_guest>1</is_guest></c>").status_code == 201


@pytest.mark.parametrize("body", [b"", b"{}", b"<prestashop><customer>", b"no xml at all"])
def test_broken_xml_is_500_and_comes_back_to_the_sender(shop: ShopClient, body: bytes) -> None:
    answer = shop.http.post("customers", content=body)
    assert answer.status_code == 500
    assert codes(answer)[-1] == "127"
    assert body.decode() in answer.content.decode()


def test_a_document_type_is_not_read(shop: ShopClient) -> None:
    body = '<!DOCTYPE a [<!ENTITY b "boom">]><prestashop><order><id>1</id><note>&b;</note></order></prestashop>'
    answer = shop.http.patch("orders", content=body.encode())
    assert (answer.status_code, codes(answer)) == (500, ["3", "127"])


def test_xml_may_come_as_a_form_field_and_raw_xml_may_be_labelled_a_form(shop: ShopClient) -> None:
    xml = f"<prestashop><c>{CUSTOMER}<email>form@x.example</email></c></prestashop>"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert shop.http.post("customers", content=f"xml={xml}".encode(), headers=form).status_code == 201
    raw = xml.replace("form@", "raw@").encode()
    assert shop.http.post("customers", content=raw, headers=form).status_code == 201


def test_several_records_are_saved_one_by_one_and_not_undone(shop: ShopClient) -> None:
    two = "<s><id>1</id><quantity>7</quantity></s><s><id>9999</id><quantity>7</quantity></s>"
    answer = shop.send("PATCH", "stock_availables", two)
    assert (answer.status_code, codes(answer)) == (404, ["92"])
    assert shop.stock(1) == 7


def test_the_id_in_the_body_decides_and_must_be_there(shop: ShopClient) -> None:
    body = "<c><id>2</id><note>vip</note></c>"
    assert shop.send("PATCH", "customers/1", body).status_code == 200
    assert [texts(shop.get(f"customers/{one}"))["note"] for one in (1, 2)] == ["", "vip"]
    answer = shop.send("PATCH", "customers/1", "<c><note>x</note></c>")
    assert (answer.status_code, codes(answer)) == (400, ["90"])


def test_put_replaces_and_patch_changes_only_what_was_sent(shop: ShopClient) -> None:
    assert shop.send("PATCH", "products", "<p><id>1</id><price>9.9</price></p>").status_code == 200
    product = shop.get("products/1")
    assert (product.findtext("price"), product.findtext("reference")) == ("9.900000", "LUM-AUBE")
    assert shop.send("PUT", "products", "<p><id>1</id><price>9.9</price></p>").status_code == 200
    product = shop.get("products/1")
    assert (product.findtext("reference"), product.findtext("active")) == ("", "0")
    assert [one.text for one in product.find("name")] == ["", ""]


def test_put_without_a_required_field_is_refused(shop: ShopClient) -> None:
    answer = shop.send("PUT", "stock_availables", "<s><id>1</id><quantity>4</quantity></s>")
    assert (answer.status_code, codes(answer)) == (400, ["41"])


def test_a_patched_text_replaces_all_languages(shop: ShopClient) -> None:
    shop.send("PATCH", "products", '<p><id>1</id><name><language id="1">Lamp</language></name></p>')
    assert [one.text for one in shop.get("products/1").find("name")] == ["Lamp", ""]


def test_a_read_only_field_is_refused(shop: ShopClient) -> None:
    answer = shop.send("PATCH", "products", "<p><id>1</id><manufacturer_name>X</manufacturer_name></p>")
    assert (answer.status_code, codes(answer)) == (400, ["93"])


def test_date_upd_moves_with_a_write(shop: ShopClient) -> None:
    shop.clock.tick()
    shop.send("PATCH", "customers", "<c><id>1</id><note>x</note></c>")
    assert texts(shop.get("customers/1"))["date_upd"] == "2026-03-02 10:31:00"


def test_an_address_in_use_is_only_marked_as_deleted(shop: ShopClient) -> None:
    shop.sandbox.place_order([(1,)])
    assert shop.http.delete("addresses/1").status_code == 200
    assert texts(shop.get("addresses/1"))["deleted"] == "1"
    assert shop.http.delete("addresses/5").status_code == 200
    assert shop.http.get("addresses/5").status_code == 404


def test_an_order_can_vanish(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    answer = shop.http.delete(f"orders/{order_id}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert shop.http.get(f"orders/{order_id}").status_code == 404


def test_deleting_several_is_all_or_nothing(shop: ShopClient) -> None:
    answer = shop.http.delete("customers", params={"id": "[3,77,78]"})
    assert (answer.status_code, codes(answer)) == (404, ["87"])
    assert message(answer) == "Id(s) not exists: 77, 78"
    assert shop.http.delete("customers/", params={"id": "[3,4]"}).status_code == 200
    assert shop.ids("customers", sort="[id_ASC]") == ["1", "2"]
    assert codes(shop.http.delete("customers")) == ["3", "87"]


def test_the_method_can_be_overridden_also_in_a_reading(shop: ShopClient) -> None:
    body = b"<prestashop><c><id>1</id><note>by post</note></c></prestashop>"
    assert shop.http.post("customers?ps_method=PATCH", content=body).status_code == 200
    assert texts(shop.get("customers/1"))["note"] == "by post"
    assert shop.http.get("customers/4?ps_method=DELETE").status_code == 200
    assert shop.http.get("customers/4").status_code == 404


def test_stock_is_written_by_item_and_summed_up_for_the_product(shop: ShopClient) -> None:
    rows = shop.get("stock_availables", display="full", **{"filter[id_product]": "[2]"})
    second = next(one for one in rows if one.findtext("id_product_attribute") == "2")
    body = f"<s><id>{second.findtext('id')}</id><quantity>-3</quantity></s>"
    assert shop.send("PATCH", "stock_availables", body).status_code == 200
    assert (shop.stock(2, 2), shop.stock(2)) == (-3, 747)


@pytest.mark.parametrize(("text", "words"), [("3.7", "is not valid"), ("abc", "is currently 0. It must be between")])
def test_stock_takes_whole_numbers_only(shop: ShopClient, text: str, words: str) -> None:
    answer = shop.send("PATCH", "stock_availables", f"<s><id>1</id><quantity>{text}</quantity></s>")
    assert (answer.status_code, codes(answer)) == (400, ["85"])
    assert words in message(answer)


def test_a_stock_row_that_lost_its_shop_takes_no_more_writes(shop: ShopClient) -> None:
    required = "<id_product>1</id_product><id_product_attribute>0</id_product_attribute><quantity>5</quantity>"
    flags = "<depends_on_stock>0</depends_on_stock><out_of_stock>2</out_of_stock>"
    assert shop.send("PUT", "stock_availables", f"<s><id>1</id>{required}{flags}</s>").status_code == 200
    answer = shop.send("PATCH", "stock_availables", "<s><id>1</id><quantity>99</quantity></s>")
    assert answer.status_code == 200
    assert texts(shop.get("stock_availables/1"))["quantity"] == "5"
    assert len(shop.get("stock_availables", **{"filter[id_product]": "[1]"})) == 2


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_stock_rows_are_neither_added_nor_deleted(shop: ShopClient, method: str) -> None:
    answer = shop.http.request(method, "stock_availables/1")
    assert (answer.status_code, codes(answer)) == (405, ["101"])


def test_a_new_product_brings_its_stock_row_and_a_combination_another(shop: ShopClient) -> None:
    name = '<name><language id="1">New thing</language></name>'
    made = shop.send("POST", "products", f"<p><price>4</price>{name}</p>")
    assert made.status_code == 201
    combination = "<c><id_product>14</id_product><minimal_quantity>1</minimal_quantity></c>"
    assert shop.send("POST", "combinations", combination).status_code == 201
    assert (shop.stock(14), shop.stock(14, 8)) == (0, 0)
    product = shop.get("products/14")
    assert product.findtext("associations/combinations/combination/id") == "8"
    assert product.find("link_rewrite")[0].text == "new-thing"


def test_a_product_without_a_name_makes_php_stumble(shop: ShopClient) -> None:
    answer = shop.send("POST", "products", "<p><price>10</price></p>")
    assert (answer.status_code, codes(answer)) == (500, ["3"])


def test_rows_of_an_order_cannot_be_written(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    order = shop.http.get(f"orders/{order_id}").content
    answer = shop.http.put(
        f"orders/{order_id}", content=order.replace(b"[CDATA[1]]></product_q", b"[CDATA[9]]></product_q")
    )
    assert answer.status_code == 200
    assert shop.rows("order_details", order_id)[0]["product_quantity"] == "1"


def test_a_tracking_number_shows_in_the_order_and_mails_only_where_the_carrier_tracks(shop: ShopClient) -> None:
    for carrier, mails in ((3, 0), (4, 1)):
        order_id = shop.sandbox.place_order([(1,)], carrier=carrier)
        shop.sandbox.mails.clear()
        row = shop.rows("order_carriers", order_id)[0]["id"]
        before = shop.order(order_id)["date_upd"]
        shop.clock.tick()
        body = f"<o><id>{row}</id><tracking_number>T-{carrier}</tracking_number></o>"
        assert shop.send("PATCH", "order_carriers?sendemail=1", body).status_code == 200
        order = shop.order(order_id)
        assert (order["shipping_number"], order["date_upd"]) == (f"T-{carrier}", before)
        assert len(shop.sandbox.mails) == mails


def test_the_order_passes_a_tracking_number_on_to_its_carrier_row(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    shop.send("PATCH", "orders", f"<o><id>{order_id}</id><shipping_number>Z9</shipping_number></o>")
    assert shop.rows("order_carriers", order_id)[0]["tracking_number"] == "Z9"


def test_a_payment_leaves_the_order_as_it_was(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=10)
    before = shop.order(order_id)
    shop.clock.tick()
    payment = f"<order_reference>{before['reference']}</order_reference><id_currency>1</id_currency><amount>5</amount>"
    assert shop.send("POST", "order_payments", f"<o>{payment}</o>").status_code == 201
    assert shop.order(order_id) == before


def test_messages_belong_to_threads(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], message="Bonjour <vous>")
    thread = shop.get("customer_threads", display="full", **{"filter[id_order]": f"[{order_id}]"})[0]
    body = f"<id_customer_thread>{thread.findtext('id')}</id_customer_thread><message>Hello</message>"
    assert shop.send("POST", "customer_messages", f"<m>{body}</m>").status_code == 201
    thread = shop.get(f"customer_threads/{thread.findtext('id')}")
    ids = [one.findtext("id") for one in thread.find("associations/customer_messages")]
    assert [texts(shop.get(f"customer_messages/{one}"))["message"] for one in ids] == ["Bonjour <vous>", "Hello"]


def test_a_credit_slip_changes_nothing_else(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    totals = "".join(
        f"<total_{what}_tax_{tax}>10</total_{what}_tax_{tax}>"
        for what in ("products", "shipping")
        for tax in ("excl", "incl")
    )
    row = "<id_order_detail>1</id_order_detail><product_quantity>1</product_quantity>"
    amounts = "<amount_tax_excl>8.3</amount_tax_excl><amount_tax_incl>10</amount_tax_incl>"
    rows = f"<order_slip_details><order_slip_detail>{row}{amounts}</order_slip_detail></order_slip_details>"
    head = f"<id_customer>1</id_customer><id_order>{order_id}</id_order><conversion_rate>1</conversion_rate>"
    before = shop.order(order_id)
    answer = shop.send("POST", "order_slip", f"<s>{head}{totals}<associations>{rows}</associations></s>")
    assert answer.status_code == 201
    slip = shop.get("order_slip/1")
    assert slip.findtext("associations/order_slip_details/order_slip_detail/amount_tax_incl") == "10.000000"
    assert shop.order(order_id) == before
