"""What a change of an order's state brings with it."""

import pytest

from connectors.prestashop.tests.shop_client import ShopClient, codes


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def history(shop: ShopClient, order_id: int, state: int, query: str = "", more: str = "") -> int:
    shop.clock.tick()
    body = f"<h><id_order>{order_id}</id_order><id_order_state>{state}</id_order_state>{more}</h>"
    return shop.send("POST", f"order_histories{query}", body).status_code


def patch_state(shop: ShopClient, order_id: int, state: int) -> int:
    shop.clock.tick()
    body = f"<o><id>{order_id}</id><current_state>{state}</current_state></o>"
    return shop.send("PATCH", "orders", body).status_code


def payments(shop: ShopClient, order_id: int) -> list[str]:
    reference = shop.order(order_id)["reference"]
    query = {"filter[order_reference]": f"[{reference}]", "display": "full", "sort": "[id_ASC]"}
    return [one.findtext("amount") for one in shop.get("order_payments", **query)]


def test_a_history_row_moves_the_order_and_mails_only_when_asked(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=2)
    shop.sandbox.mails.clear()
    assert history(shop, order_id, 3) == 201
    assert shop.sandbox.mails == []
    assert shop.order(order_id)["current_state"] == "3"
    assert history(shop, order_id, 4, "?sendemail=1") == 201
    assert [(one["template"], one["order"]) for one in shop.sandbox.mails] == [("shipped", str(order_id))]
    assert shop.sandbox.dump()["mails"] == shop.sandbox.mails


def test_the_same_state_twice_makes_two_rows(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=2)
    history(shop, order_id, 4)
    history(shop, order_id, 4)
    assert [one["id_order_state"] for one in shop.rows("order_histories", order_id)] == ["2", "4", "4"]


def test_the_time_of_a_history_row_is_the_shops(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    more = "<id_employee>1</id_employee><date_add>2020-01-01 00:00:00</date_add>"
    history(shop, order_id, 5, more=more)
    row = shop.rows("order_histories", order_id)[-1]
    assert (row["date_add"], row["id_employee"]) == ("2026-03-02 10:31:00", "1")
    assert shop.order(order_id)["date_upd"] == "2026-03-02 10:31:00"


@pytest.mark.parametrize(("order_id", "state"), [(1, 99), (99, 4)])
def test_an_unknown_order_or_state_crashes_without_a_word(shop: ShopClient, order_id: int, state: int) -> None:
    shop.sandbox.place_order([(1,)])
    assert history(shop, order_id, state) == 500
    assert len(shop.rows("order_histories", 1)) == 1


def test_a_missing_state_is_named(shop: ShopClient) -> None:
    answer = shop.send("POST", "order_histories", "<h><id_order>1</id_order></h>")
    assert (answer.status_code, codes(answer)) == (400, ["41"])


def test_a_paid_order_has_payment_invoice_and_history(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=2)
    order = shop.order(order_id)
    assert (order["valid"], order["invoice_number"], order["invoice_date"]) == ("1", "1", "2026-03-02 10:30:00")
    assert payments(shop, order_id) == [order["total_paid"]]
    assert order["total_paid_real"] == order["total_paid"]
    invoice = shop.rows("order_invoices", order_id)[0]
    assert (invoice["total_paid_tax_incl"], invoice["number"]) == (order["total_paid_tax_incl"], "1")
    assert shop.rows("order_details", order_id)[0]["id_order_invoice"] == invoice["id"]
    assert shop.rows("order_carriers", order_id)[0]["id_order_invoice"] == invoice["id"]


def test_an_unpaid_order_has_neither(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=10)
    order = shop.order(order_id)
    assert (order["valid"], order["invoice_number"], order["total_paid_real"]) == ("0", "0", "0.000000")
    assert payments(shop, order_id) == []
    assert shop.rows("order_invoices", order_id) == []


def test_a_history_row_books_the_whole_amount_on_top_and_a_patch_only_the_rest(shop: ShopClient) -> None:
    by_history, by_patch = (shop.sandbox.place_order([(1,)], state=8, paid=1) for _ in range(2))
    total = shop.order(by_history)["total_paid"]
    history(shop, by_history, 2)
    patch_state(shop, by_patch, 2)
    assert total == "56.800000"
    assert payments(shop, by_history) == ["1.000000", "56.800000"]
    assert shop.order(by_history)["total_paid_real"] == "57.800000"
    assert payments(shop, by_patch) == ["1.000000", "55.800000"]
    assert shop.order(by_patch)["total_paid_real"] == "56.800000"


def test_a_patched_state_always_mails_and_the_same_state_does_nothing(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=2)
    shop.sandbox.mails.clear()
    patch_state(shop, order_id, 4)
    assert [one["template"] for one in shop.sandbox.mails] == ["shipped"]
    patch_state(shop, order_id, 4)
    assert len(shop.sandbox.mails) == 1
    assert len(shop.rows("order_histories", order_id)) == 2


def test_a_state_without_a_mail_template_sends_nothing(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    shop.sandbox.mails.clear()
    patch_state(shop, order_id, 5)
    assert shop.sandbox.mails == []


def test_an_unknown_state_crashes_a_patch(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    assert patch_state(shop, order_id, 77) == 500
    assert shop.order(order_id)["current_state"] == "2"


def test_a_delivery_state_numbers_the_delivery_once(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    assert shop.order(order_id)["delivery_number"] == "0"
    history(shop, order_id, 3)
    first = shop.order(order_id)
    history(shop, order_id, 4)
    second = shop.order(order_id)
    assert (first["delivery_number"], second["delivery_number"]) == ("1", "1")
    assert first["delivery_date"] < second["delivery_date"] == "2026-03-02 10:32:00"


def test_cancelling_gives_the_goods_back_and_paying_takes_them_again(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(2, 3, 4)])
    assert (shop.stock(2, 3), shop.stock(2)) == (246, 996)
    history(shop, order_id, 6)
    assert (shop.stock(2, 3), shop.stock(2)) == (250, 1000)
    assert shop.order(order_id)["valid"] == "0"
    history(shop, order_id, 8)
    assert shop.stock(2, 3) == 250
    history(shop, order_id, 2)
    assert (shop.stock(2, 3), shop.stock(2)) == (246, 996)


def test_an_order_that_waits_for_payment_holds_its_goods_until_it_fails(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1, 0, 5)], state=10)
    assert shop.stock(1) == 245
    history(shop, order_id, 2)
    assert shop.stock(1) == 245
    waiting = shop.sandbox.place_order([(1, 0, 5)], state=1)
    history(shop, waiting, 8)
    assert shop.stock(1) == 245


def test_putting_a_whole_order_writes_its_stale_values_over_the_change(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=10)
    stale = shop.http.get(f"orders/{order_id}").content
    shop.clock.tick()
    old, new = (f'order_states/{one}"><![CDATA[{one}]]>'.encode() for one in (10, 2))
    assert shop.http.put(f"orders/{order_id}", content=stale.replace(old, new)).status_code == 200
    order = shop.order(order_id)
    assert (order["current_state"], order["invoice_number"], order["valid"]) == ("2", "0", "0")
    assert len(shop.rows("order_invoices", order_id)) == 1


def test_a_half_made_order_has_no_state_and_no_history(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)], state=0)
    assert shop.order(order_id)["current_state"] == "0"
    assert shop.rows("order_histories", order_id) == []
    assert shop.stock(1) == 250


def test_a_note_moves_date_upd_and_nothing_else(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(1,)])
    before = shop.order(order_id)
    shop.clock.tick()
    shop.send("PATCH", "orders", f"<o><id>{order_id}</id><note>SO-1001</note></o>")
    after = shop.order(order_id)
    assert {name for name in after if after[name] != before[name]} == {"note", "date_upd"}
