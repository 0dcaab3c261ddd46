"""Orders as the shop's checkout computes and writes them."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.prestashop.sandbox.placing import reference
from connectors.prestashop.sandbox.pricing import Discount
from connectors.prestashop.sandbox.purchase import Line
from connectors.prestashop.tests.recordings import ORDERS
from connectors.prestashop.tests.shop_client import ShopClient, texts

FULL_RATE, REDUCED = (Decimal(20),), (Decimal("5.5"),)


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def line(price: str, quantity: int, rates: tuple[Decimal, ...] = FULL_RATE) -> Line:
    return Line(1, 0, quantity, Decimal(price), rates)


def place(shop: ShopClient, lines: list[Line], **options: Any) -> dict[str, str]:
    free = {"shipping_tax_excl": Decimal(0), **options}
    return shop.order(shop.sandbox.place_order(lines, **free))


def amounts(order: dict[str, str], *names: str) -> list[Decimal]:
    return [Decimal(order[name]) for name in names]


@pytest.mark.parametrize("round_type", [1, 2, 3])
def test_whole_cents_are_the_same_however_they_are_rounded(shop: ShopClient, round_type: int) -> None:
    order = place(shop, [line("0.483333", 7)], round_type=round_type)
    row = shop.rows("order_details", order["id"])[0]
    assert (row["unit_price_tax_incl"], row["total_price_tax_incl"]) == ("0.580000", "4.060000")
    assert amounts(order, "total_products_wt", "total_paid_tax_incl") == [Decimal("4.06"), Decimal("4.06")]


@pytest.mark.parametrize(
    ("round_type", "row_totals", "products", "paid"),
    [
        (1, ["44.760000", "62.720000"], "107.48", "107.48"),
        (2, ["44.780000", "62.690000"], "107.47", "107.46"),
        (3, ["44.775000", "62.685000"], "107.46", "107.46"),
    ],
)
def test_items_lines_or_the_total_are_rounded(
    shop: ShopClient, round_type: int, row_totals: list[str], products: str, paid: str
) -> None:
    """7.4625 and 8.955 a piece with tax: rounded each, a row at a time, or only in the end."""
    order = place(shop, [line("6.218750", 6), line("7.462500", 7)], round_type=round_type)
    assert [one["total_price_tax_incl"] for one in shop.rows("order_details", order["id"])] == row_totals
    assert amounts(order, "total_products_wt", "total_paid_tax_incl") == [Decimal(products), Decimal(paid)]
    assert order["round_type"] == str(round_type)


def test_what_is_to_pay_is_summed_from_exact_rows(shop: ShopClient) -> None:
    """Rows rounded one by one may add up to another cent; the shop then takes the exact sum."""
    order = place(shop, [line("10.004167", 1) for _ in range(3)])
    assert amounts(order, "total_products_wt", "total_paid_tax_incl") == [Decimal("36.03"), Decimal("36.02")]


def test_a_percentage_is_taken_of_the_rounded_rows_and_rounded_as_a_whole(shop: ShopClient) -> None:
    order = place(shop, [line("19.12", 1)], discounts=[Discount("Tenth", percent=Decimal(10))])
    rule = shop.rows("order_cart_rules", order["id"])[0]
    assert (rule["value"], rule["value_tax_excl"]) == ("2.294000", "1.912000")
    assert amounts(order, "total_discounts_tax_incl", "total_discounts_tax_excl") == [Decimal("2.29"), Decimal("1.91")]
    assert amounts(order, "total_paid_tax_incl") == [Decimal("20.65")]


def test_an_amount_is_spread_over_the_rows_with_the_tax_of_each(shop: ShopClient) -> None:
    """20 of 120 + 211: 7.25 falls on the row at 20 %, 12.75 on the row at 5.5 %."""
    order = place(
        shop,
        [line("100", 1), line("200", 1, REDUCED)],
        discounts=[Discount("Twenty", amount=Decimal(20), tax_included=True)],
    )
    rule = shop.rows("order_cart_rules", order["id"])[0]
    assert rule["value"] == "20.000000"
    expected = Decimal(2400) / 331 / Decimal("1.2") + Decimal(4220) / 331 / Decimal("1.055")
    assert Decimal(rule["value_tax_excl"]) == round(expected, 6)
    assert amounts(order, "total_paid_tax_incl", "total_paid_tax_excl") == [Decimal("311.00"), Decimal("281.87")]


def test_an_amount_before_tax_carries_the_tax_of_its_rows(shop: ShopClient) -> None:
    discount = Discount("Net", amount=Decimal(10), tax_included=False)
    order = place(shop, [line("100", 1)], discounts=[discount])
    assert amounts(order, "total_discounts_tax_excl", "total_discounts_tax_incl") == [Decimal(10), Decimal(12)]


def test_an_amount_takes_no_more_than_there_is(shop: ShopClient) -> None:
    order = place(shop, [line("10", 1)], discounts=[Discount("Huge", amount=Decimal(500))])
    assert amounts(order, "total_discounts_tax_incl", "total_paid_tax_incl") == [Decimal(12), Decimal(0)]


def test_vouchers_follow_one_another_on_what_is_left(shop: ShopClient) -> None:
    half = Discount("Half", percent=Decimal(50))
    order = place(shop, [line("100", 1)], discounts=[half, half])
    assert [one["value"] for one in shop.rows("order_cart_rules", order["id"])] == ["60.000000", "30.000000"]
    assert amounts(order, "total_paid_tax_incl") == [Decimal(30)]


def test_free_shipping_is_a_discount_and_the_shipping_stays_in_its_total(shop: ShopClient) -> None:
    free = Discount("Postage", free_shipping=True)
    order = place(shop, [line("10", 1)], shipping_tax_excl=Decimal(7), shipping_rate=Decimal(20), discounts=[free])
    names = ("total_shipping_tax_incl", "total_discounts_tax_incl", "total_paid_tax_incl")
    assert amounts(order, *names) == [Decimal("8.40"), Decimal("8.40"), Decimal(12)]
    assert shop.rows("order_cart_rules", order["id"])[0]["free_shipping"] == "1"


def test_everything_given_away_costs_nothing_and_is_paid(shop: ShopClient) -> None:
    all_of_it = Discount("All", percent=Decimal(100), free_shipping=True)
    order = place(shop, [line("33.33", 3)], shipping_tax_excl=Decimal(7), discounts=[all_of_it])
    assert amounts(order, "total_paid_tax_incl", "total_paid_real") == [0, 0]
    assert order["valid"] == "1"


def test_wrapping_has_its_own_total_and_tax(shop: ShopClient) -> None:
    order = place(shop, [line("10", 1)], wrapping_tax_excl=Decimal("2.5"), gift_message="Hello")
    assert amounts(order, "total_wrapping_tax_excl", "total_wrapping_tax_incl") == [Decimal("2.5"), Decimal(3)]
    assert (order["gift"], order["gift_message"]) == ("1", "Hello")
    assert amounts(order, "total_paid_tax_incl") == [Decimal(15)]


@pytest.mark.parametrize(("currency", "paid"), [("JPY", "1204"), ("EUR", "1204.27"), ("KWD", "1204.267")])
def test_totals_have_the_currencys_precision(shop: ShopClient, currency: str, paid: str) -> None:
    order = place(shop, [line("334.51852", 3)], currency=currency)
    assert amounts(order, "total_paid_tax_incl") == [Decimal(paid)]


def test_catalogue_prices_are_converted_and_taxed_by_the_delivery_address(shop: ShopClient) -> None:
    french = shop.rows("order_details", shop.sandbox.place_order([(4,)], currency="USD"))[0]
    assert french["unit_price_tax_excl"] == "24.659715"
    assert Decimal(french["unit_price_tax_incl"]) == round(Decimal("24.659715") * Decimal("1.055"), 6)
    japanese = shop.rows("order_details", shop.sandbox.place_order([(4,)], customer=4, currency="JPY"))[0]
    assert japanese["unit_price_tax_incl"] == japanese["unit_price_tax_excl"]


def test_an_unknown_rate_becomes_a_tax_and_rows_name_their_taxes(shop: ShopClient) -> None:
    order = place(shop, [line("10", 1, (Decimal(5), Decimal("9.975")))])
    detail = shop.get(f"order_details/{shop.rows('order_details', order['id'])[0]['id']}")
    ids = [one.findtext("id") for one in detail.find("associations/taxes")]
    assert [texts(shop.get(f"taxes/{one}"))["rate"] for one in ids] == ["5.000", "9.975"]
    assert detail.findtext("unit_price_tax_incl") == "11.497500"


def test_virtual_goods_have_no_carrier(shop: ShopClient) -> None:
    order_id = shop.sandbox.place_order([(6,)], carrier=0)
    order = shop.order(order_id)
    assert (order["id_carrier"], order["total_shipping"], order["carrier_tax_rate"]) == ("0", "0.000000", "0.000")
    assert shop.rows("order_carriers", order_id) == []


def test_a_combination_names_its_values_and_keeps_the_shared_reference(shop: ShopClient) -> None:
    rows = shop.rows("order_details", shop.sandbox.place_order([(2, 1), (2, 4)]))
    assert [one["product_reference"] for one in rows] == ["LUM-BRUME", "LUM-BRUME"]
    assert rows[0]["product_name"] == "Mist pendant (Colour:Sand - Size:S)"
    assert [one["unit_price_tax_excl"] for one in rows] == ["74.100000", "86.600000"]


def test_the_cart_holds_what_was_bought(shop: ShopClient) -> None:
    order = shop.order(shop.sandbox.place_order([(2, 1, 3)]))
    cart = shop.get(f"carts/{order['id_cart']}")
    row = texts(cart.find("associations/cart_rows/cart_row"))
    assert (row["id_product"], row["id_product_attribute"], row["quantity"]) == ("2", "1", "3")
    assert cart.findtext("delivery_option") == '{"1":"3,"}'


def test_references_repeat_only_where_they_are_told_to(shop: ShopClient) -> None:
    assert len({reference(number) for number in range(2000)}) == 2000
    first, second = (place(shop, [line("1", 1)], reference="SPLITCART") for _ in range(2))
    assert first["reference"] == second["reference"] == "SPLITCART"


def test_something_unknown_is_named(shop: ShopClient) -> None:
    for wrong in ({"customer": 99}, {"currency": "XXX"}, {"state": 99}):
        with pytest.raises(ValueError, match=r"The shop has no"):
            shop.sandbox.place_order([(1,)], **wrong)


@pytest.mark.shared("prestashop/orders")
def test_recorded_orders_come_out_to_the_cent_when_placed_again(shop: ShopClient) -> None:
    """The rows, vouchers and shipping of real orders, put through this checkout, give the totals of the real one."""
    shop.sandbox.load_folder(ORDERS)
    originals = [shop.order(one) for one in shop.ids("orders", sort="[id_ASC]")]
    assert len(originals) > 20
    for original in originals:
        again = shop.order(shop.sandbox.place_order(**as_bought(shop, original)))
        names = [name for name in original if name.startswith("total_") and name != "total_paid_real"]
        assert {name: again[name] for name in names} == {name: original[name] for name in names}
        kept = ("total_price_tax_incl", "total_price_tax_excl", "unit_price_tax_incl")
        pairs = zip(*(shop.rows("order_details", one["id"]) for one in (original, again)), strict=True)
        assert all(left[name] == right[name] for left, right in pairs for name in kept)


def as_bought(shop: ShopClient, order: dict[str, str]) -> dict[str, Any]:
    currency = texts(shop.get(f"currencies/{order['id_currency']}"))["iso_code"]
    rates = {one.findtext("id"): Decimal(one.findtext("rate")) for one in shop.get("taxes", display="full")}
    details = shop.get("order_details", display="full", **{"filter[id_order]": f"[{order['id']}]", "sort": "[id_ASC]"})
    hundred = Decimal(100)
    return {
        "lines": [
            Line(
                int(one.findtext("product_id")),
                int(one.findtext("product_attribute_id")),
                int(one.findtext("product_quantity")),
                Decimal(one.findtext("unit_price_tax_excl")),
                tuple(rates[tax.findtext("id")] for tax in one.find("associations/taxes")),
            )
            for one in details
        ],
        "customer": int(order["id_customer"]),
        "carrier": int(order["id_carrier"]),
        "currency": currency,
        "round_type": int(order["round_type"]),
        "shipping_tax_excl": Decimal(order["total_shipping_tax_excl"]),
        "shipping_rate": Decimal(order["carrier_tax_rate"]),
        "discounts": [
            Discount(
                one["name"], percent=round(hundred * Decimal(one["value"]) / Decimal(order["total_products_wt"]), 2)
            )
            for one in shop.rows("order_cart_rules", order["id"])
        ],
    }
