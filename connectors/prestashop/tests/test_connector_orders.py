"""Orders are read with all that belongs to them, as plain values."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.errors import NeedsPerson, NotFound, Skip
from connectors.prestashop.tests.connector_shop import Shop


def test_an_order_comes_with_its_state_currency_language_and_totals(shop: Shop):
    order = shop.connect().read("orders", shop.order(44, current_state=2))

    assert order["id"] == 44
    assert order["reference"] == "AAAAAAAAA"
    assert order["current_state"] == {
        "id": 2, "name": "Paiement accepté", "paid": True, "shipped": False, "delivery": False, "logable": True,
        "invoice": True, "kind": "paid",
    }  # fmt: skip
    assert order["currency"] == {"id": 1, "iso_code": "EUR", "precision": 2, "name": "Euro"}
    assert order["language"] == {"id": 2, "iso_code": "fr"}
    assert order["total_paid_tax_incl"] == Decimal("58.30")
    assert isinstance(order["total_paid_tax_incl"], Decimal)
    assert order["date_add"] == datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
    assert order["gift"] is False


def test_zero_dates_are_none(shop: Shop):
    order = shop.connect().read("orders", shop.order())

    assert order["invoice_date"] is None
    assert order["delivery_date"] is None
    assert shop.connect().read("customers", "2")["birthday"] is None


def test_an_order_comes_with_customer_and_both_addresses(shop: Shop):
    key = shop.order(id_customer=4, id_address_invoice=4, id_address_delivery=2, id_lang=1)

    order = shop.connect().read("orders", key)

    assert order["customer"]["email"] == "yui.tanaka@mail.example"
    assert order["customer"]["language"] == {"id": 1, "iso_code": "en"}
    assert order["customer"]["birthday"].isoformat() == "1991-11-30"
    assert order["invoice_address"]["state"] == {"id": 4, "iso_code": "JP-13", "name": "Tokyo"}
    assert order["delivery_address"]["country"]["id"] == 17
    assert order["delivery_address"]["state"] is None
    assert order["delivery_address"]["other"] == "Leave with the neighbour"


def test_an_address_that_was_deleted_softly_is_still_read(shop: Shop):
    shop.change("addresses", "1", deleted=1)

    address = shop.connect().read("orders", shop.order())["invoice_address"]

    assert (address["city"], address["deleted"]) == ("Nantes", True)


def test_an_unknown_country_of_an_address_is_none(shop: Shop):
    shop.change("addresses", "1", id_country=9999)

    assert shop.connect().read("orders", shop.order())["invoice_address"]["country"] is None


def test_lines_carry_the_rounded_totals_and_their_taxes(shop: Shop):
    key = shop.order()
    shop.line(key, taxes=(3, 4), product_id=4, product_reference="BOOK-ATELIER", product_quantity="3")

    first, second = shop.connect().read("orders", key)["order_rows"]

    assert first["taxes"] == [{"id": 1, "name": "TVA FR 20%", "rate": Decimal("20.000")}]
    assert first["total_price_tax_incl"] == Decimal("49.90")
    assert first["unit_price_tax_incl"] == Decimal("49.896")
    assert first["is_virtual"] is False
    assert second["tax_rate"] == Decimal("7.600")
    assert second["product_quantity"] == 3


def test_a_line_without_tax_has_the_rate_zero(shop: Shop):
    key = shop.order()
    shop.line(key, taxes=())

    assert shop.connect().read("orders", key)["order_rows"][1]["tax_rate"] == 0


def test_a_line_whose_tax_is_gone_has_no_rate_instead_of_a_wrong_one(shop: Shop):
    key = shop.order()
    shop.line(key, taxes=(1, 99))

    line = shop.connect().read("orders", key)["order_rows"][1]

    assert line["tax_rate"] is None
    assert line["taxes"][1] == {"id": 99, "name": "", "rate": None}


def test_the_carrier_of_the_shipment_wins_over_that_of_the_order(shop: Shop):
    key = shop.order(id_carrier=4)
    shop.store.insert("order_carriers", {"id_order": key, "id_carrier": "5"})

    order = shop.connect().read("orders", key)

    assert order["carrier"]["name"] == "Barge freight"
    assert order["carrier"]["id_reference"] == 5
    assert order["order_carriers"][0]["id_carrier"] == 5


@pytest.mark.parametrize(("shipments", "carrier"), [((4, 5), 5), ((5, 4), 4), ((5, 0), 5)])
def test_of_several_shipments_the_last_with_a_carrier_counts(shop: Shop, shipments: tuple[int, int], carrier: int):
    key = shop.order(id_carrier=3)
    for one in shipments:
        shop.store.insert("order_carriers", {"id_order": key, "id_carrier": str(one)})

    assert shop.connect().read("orders", key)["carrier"]["id"] == carrier


def test_virtual_goods_have_no_carrier(shop: Shop):
    assert shop.connect().read("orders", shop.order(id_carrier=0))["carrier"] is None


def test_vouchers_that_were_taken_off_again_do_not_count(shop: Shop):
    key = shop.order()
    for name, deleted in (("SPRING", "0"), ("MISTAKE", "1")):
        row = {"id_order": key, "name": name, "value": "2.294", "value_tax_excl": "1.912", "deleted": deleted}
        shop.store.insert("order_cart_rules", row)

    (rule,) = shop.connect().read("orders", key)["cart_rules"]

    assert (rule["name"], rule["value"], rule["free_shipping"]) == ("SPRING", Decimal("2.294000"), False)


def test_payments_come_without_card_data(shop: Shop):
    row = {"order_reference": "AAAAAAAAA", "amount": "58.30", "payment_method": "Card", "transaction_id": "T1"}
    shop.store.insert("order_payments", row | {"card_number": "4111111111111111", "card_holder": "I D"})

    (payment,) = shop.connect().read("orders", shop.order())["payments"]

    assert payment["transaction_id"] == "T1"
    assert payment["amount"] == Decimal("58.300000")
    assert not any(name.startswith("card") for name in payment)
    assert not any(b"4111" in call.response_body for call in shop.calls)


def test_messages_of_customer_and_employees_are_told_apart(shop: Shop):
    key = shop.order()
    thread = shop.store.insert("customer_threads", {"id_order": key, "token": "abc", "email": "i@mail.example"})
    for text, employee in (("Please ring twice", "0"), ("Fragile!", "1")):
        row = {"id_customer_thread": thread["id"], "id_employee": employee, "message": text, "private": employee}
        shop.store.insert("customer_messages", row | {"date_add": "2026-03-10 11:30:00"})

    messages = shop.connect().read("orders", key)["messages"]

    sent = datetime(2026, 3, 10, 10, 30, tzinfo=UTC)
    assert messages == [
        {"message": "Please ring twice", "private": False, "date_add": sent, "from_employee": False},
        {"message": "Fragile!", "private": True, "date_add": sent, "from_employee": True},
    ]


def test_no_secret_of_a_customer_leaves_the_shop(shop: Shop):
    order = shop.connect().read("orders", shop.order(secure_key="5f1d3a9be07c4d2286a1f0c3b47e9d10"))

    assert "notarealhash" not in repr(order)
    assert "5f1d3a9be07c4d2286a1f0c3b47e9d10" not in repr(order)
    assert not any(b"notarealhash" in call.response_body for call in shop.calls)


def test_a_half_made_order_is_skipped_with_the_reason(shop: Shop):
    with pytest.raises(Skip, match=r"orders/7 was never completed"):
        shop.connect().read("orders", shop.order(7, current_state=0))


@pytest.mark.parametrize("key", ["99999", "0", "abc", "", "44/../customers", "4 4", "١"])
def test_an_order_that_is_not_there_is_not_found(shop: Shop, key: str):
    with pytest.raises(NotFound, match=r"orders/"):
        shop.connect().read("orders", key)


def test_a_deleted_order_is_not_found(shop: Shop):
    key = shop.order()
    prestashop = shop.connect()
    prestashop.read("orders", key)
    shop.store.delete("orders", int(key))

    with pytest.raises(NotFound, match=f"orders/{key} is not in the shop"):
        prestashop.read("orders", key)


def test_an_order_whose_customer_was_deleted_is_read_without(shop: Shop):
    key = shop.order()
    shop.store.delete("customers", 1)

    order = shop.connect().read("orders", key)

    assert order["customer"] is None
    assert order["id_customer"] == 1


def test_an_order_in_a_currency_that_is_gone_names_the_field(shop: Shop):
    with pytest.raises(NeedsPerson, match=r"orders/3 id_currency: the shop has no currency 77") as caught:
        shop.connect().read("orders", shop.order(3, id_currency=77))
    assert caught.value.field == "id_currency"


def test_a_state_made_a_moment_ago_is_known_in_spite_of_the_cache(shop: Shop):
    prestashop = shop.connect()
    prestashop.read("orders", shop.order())
    shop.store.insert("order_states", {"name": {"1": "Packed", "2": "Emballée"}, "paid": "1", "delivery": "1"}, 21)

    state = prestashop.read("orders", shop.order(current_state=21))["current_state"]

    assert (state["name"], state["kind"]) == ("Emballée", "processing")


def test_a_warm_order_takes_eight_calls_and_a_cold_one_seventeen_each_once(shop: Shop):
    prestashop = shop.connect()
    first, second = shop.order(), shop.order()
    prestashop.read("orders", first)
    urls = [call.url for call in shop.calls]
    assert len(urls) == len(set(urls)) <= 17
    shop.calls.clear()

    prestashop.read("orders", second)

    assert len(shop.calls) <= 8


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (1, "awaiting_payment"), (2, "paid"), (3, "processing"), (4, "shipped"), (5, "delivered"), (6, "cancelled"),
        (7, "refunded"), (8, "payment_error"), (9, "backorder"), (10, "awaiting_payment"), (11, "paid"),
        (12, "backorder"), (13, "awaiting_payment"),
    ],
)  # fmt: skip
def test_every_state_of_a_fresh_shop_has_its_kind(shop: Shop, state: int, kind: str):
    assert shop.connect().read("order_states", str(state))["kind"] == kind
