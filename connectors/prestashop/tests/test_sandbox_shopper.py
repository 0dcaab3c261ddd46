"""The simulated shopper: every kind of order, and each what it says it is."""

import random
from decimal import Decimal

import pytest

from connectors.prestashop.sandbox.seed import UNKNOWN_TO_ERP
from connectors.prestashop.sandbox.shopper import KINDS, Shopper
from connectors.prestashop.tests.shop_client import ShopClient, texts

TOTALS = ("total_products_wt", "total_shipping_tax_incl", "total_wrapping_tax_incl", "total_paid_tax_incl")


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def shopper(shop: ShopClient, seed: int = 7) -> Shopper:
    return Shopper(shop.sandbox, random.Random(seed))


def placed(shop: ShopClient, kind: str, **overrides: object) -> dict[str, str]:
    return shop.order(shopper(shop).place(kind, **overrides))


def customer(shop: ShopClient, order: dict[str, str]) -> dict[str, str]:
    return texts(shop.get(f"customers/{order['id_customer']}"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_whole_order(shop: ShopClient, kind: str) -> None:
    order = placed(shop, kind)
    assert shop.rows("order_details", order["id"])
    assert len(shop.rows("order_histories", order["id"])) == 1
    assert shop.get(f"carts/{order['id_cart']}").find("associations/cart_rows") is not None
    places = int(texts(shop.get(f"currencies/{order['id_currency']}"))["precision"])
    products, shipping, wrapping, paid = (Decimal(order[name]) for name in TOTALS)
    expected = products + shipping + wrapping - Decimal(order["total_discounts_tax_incl"])
    allowed = Decimal("6.41") if kind == "inconsistent" else 2 * Decimal(1).scaleb(-places)
    assert abs(expected - paid) <= allowed
    assert paid == round(paid, places)


def test_the_same_source_gives_the_same_orders(shop: ShopClient) -> None:
    other = ShopClient()
    for one in (shop, other):
        buyer = shopper(one, 11)
        for _ in range(30):
            buyer.place_any()
    assert shop.sandbox.dump() == other.sandbox.dump()


def test_guests_may_share_an_email_and_stay_two_customers(shop: ShopClient) -> None:
    order = placed(shop, "same_email")
    guest = customer(shop, order)
    assert guest["is_guest"] == "1"
    assert len(shop.ids("customers", **{"filter[email]": f"[{guest['email']}]"})) == 2


def test_a_company_has_a_vat_number_on_its_address(shop: ShopClient) -> None:
    address = texts(shop.get(f"addresses/{placed(shop, 'company')['id_address_invoice']}"))
    assert address["company"].endswith("SARL")
    assert address["vat_number"].startswith("FR")


def test_virtual_goods_go_without_carrier_and_gifts_with_a_message(shop: ShopClient) -> None:
    assert placed(shop, "virtual")["id_carrier"] == "0"
    assert shop.rows("order_carriers", 1) == []
    gift = placed(shop, "gift")
    assert gift["gift"] == "1"
    assert "anniversaire" in gift["gift_message"]


def test_wrapping_costs(shop: ShopClient) -> None:
    assert placed(shop, "wrapping")["total_wrapping_tax_incl"] == "3.900000"


def test_a_full_voucher_leaves_nothing_to_pay(shop: ShopClient) -> None:
    order = placed(shop, "voucher_full")
    assert order["total_paid_tax_incl"] == "0.000000"
    assert Decimal(order["total_products_wt"]) > 0


def test_several_rates_meet_in_one_order(shop: ShopClient) -> None:
    order = placed(shop, "several_rates", customer=1)
    rows = [shop.get(f"order_details/{one['id']}") for one in shop.rows("order_details", order["id"])]
    taxes = {one.findtext("associations/taxes/tax/id") for one in rows}
    assert {texts(shop.get(f"taxes/{one}"))["rate"] for one in taxes} == {"20.000", "10.000", "5.500", "2.100"}


def test_combinations_share_a_reference_or_have_none(shop: ShopClient) -> None:
    shared = shop.rows("order_details", placed(shop, "shared_reference")["id"])
    assert len({one["product_reference"] for one in shared}) == 1
    assert len({one["product_attribute_id"] for one in shared}) == 2
    rows = shop.rows("order_details", placed(shop, "combinations")["id"])
    assert [one["product_reference"] for one in rows] == ["TABLIER-S", "TABLIER-M", ""]


def test_a_currency_without_decimals_has_whole_totals(shop: ShopClient) -> None:
    assert placed(shop, "zero_decimals")["total_paid_tax_incl"].endswith(".000000")


@pytest.mark.parametrize(("kind", "round_type"), [("round_item", "1"), ("round_line", "2"), ("round_total", "3")])
def test_rounding_is_by_item_line_or_total(shop: ShopClient, kind: str, round_type: str) -> None:
    assert placed(shop, kind)["round_type"] == round_type


def test_a_product_may_be_unknown_to_the_erp_or_gone_from_the_shop(shop: ShopClient) -> None:
    unknown = shop.rows("order_details", placed(shop, "unknown_product")["id"])
    assert {one["product_reference"] for one in unknown} & set(UNKNOWN_TO_ERP)
    gone = shop.rows("order_details", placed(shop, "vanished_product")["id"])[0]
    assert shop.http.get(f"products/{gone['product_id']}").status_code == 404


def test_inconsistent_totals_stay_inconsistent(shop: ShopClient) -> None:
    order = placed(shop, "inconsistent")
    products, shipping, _, paid = (Decimal(order[name]) for name in TOTALS)
    assert abs(paid - products - shipping) > 6


def test_hostile_names_come_through_unharmed(shop: ShopClient) -> None:
    buyer = shopper(shop)
    names = {customer(shop, shop.order(buyer.place("hostile_names")))["firstname"] for _ in range(30)}
    assert {"José 🌵", "<b>Nils</b>", "שָׂרָה"} <= names


def test_a_half_made_order_has_no_state(shop: ShopClient) -> None:
    assert shop.order(shopper(shop).place_half_made())["current_state"] == "0"


def test_overrides_go_into_the_purchase(shop: ShopClient) -> None:
    order = placed(shop, "guest", currency="GBP", state=10, note="by hand")
    assert (order["id_currency"], order["current_state"], order["note"]) == ("3", "10", "by hand")
