"""Every kind of order reaches the ERP with the shop's own total, or does not reach it at all and says why."""

import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.prestashop.sandbox.pricing import Discount
from connectors.prestashop.sandbox.purchase import Line
from connectors.prestashop.sandbox.shopper import KINDS, Shopper
from hub.tests.exact_cases import CASES, page, place
from hub.tests.joined import Joined

STOPPED = {"unknown_product": "dead letter", "vanished_product": "dead letter", "inconsistent": "held"}


def case(name):
    return next(one for one in CASES if one.name == name)


def carried(name, **settings):
    found = case(name)
    joined = Joined({**found.settings, **settings}, price_places=found.price_places)
    orders = place(found, joined)
    return joined, [joined.carry(one) for one in orders]


def test_the_page_in_docs_shows_what_the_erp_gets():
    assert (Path(__file__).resolve().parents[2] / "docs" / "exact.md").read_text() == page()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_an_order_of_every_kind_keeps_its_total_or_stops_with_a_reason(kind, seed):
    joined = Joined()
    order = Shopper(joined.shop, random.Random(seed)).place(kind)
    outcome, stands = joined.carry(order)
    assert outcome.state == STOPPED.get(kind, "done"), outcome
    if outcome.state == "done":
        assert stands["totalamount"] == Decimal(joined.shop_order(order)["total_paid_tax_incl"])
    else:
        assert stands is None
        assert outcome.reason


def test_two_customers_with_one_e_mail_are_one_contact():
    joined, ((_, first), (_, second)) = carried("Two customers with one e-mail")
    assert first["customerid_contact"] == second["customerid_contact"]
    assert (first["billto_contactname"], second["billto_contactname"]) == ("Hana Dvořák", "Emeka Fontaine")
    assert len(joined.pair.target.find("contact", emailaddress1="shared@post.example")) == 1


def test_a_company_is_an_account_with_the_customer_as_its_contact():
    joined, ((_, order),) = carried("Company with VAT number")
    (account,) = joined.pair.target.find("account", accountnumber="FR40303265045")
    (contact,) = joined.pair.target.find("contact", emailaddress1="hana0@post.example")
    assert order["customerid_account"] == account["accountid"] == contact["parentcustomerid_account"]
    assert "VAT number: FR 40 303 265 045" in order["description"]


def test_a_second_order_of_a_company_finds_its_account():
    joined = Joined()
    customer = joined.customer(company="Bonnefoy SARL")
    orders = [joined.shop.place_order([Line(1)], customer=customer) for _ in range(2)]
    stands = [joined.carry(one)[1] for one in orders]
    assert stands[0]["customerid_account"] == stands[1]["customerid_account"]
    assert len(joined.pair.target.find("account", accountnumber=f"PS-C{customer}")) == 1


def test_virtual_goods_have_no_shipping_method_and_no_freight():
    _, ((_, order),) = carried("Virtual goods without carrier")
    assert not order.get("shippingmethodcode")
    assert not order.get("freightamount")


def test_a_price_of_ours_is_not_overwritten_by_the_price_list():
    joined, ((_, order),) = carried("Guest")
    line = order["order_details"][0]
    (listed,) = joined.pair.target.find(
        "productpricelevel", productid=line["productid"], pricelevelid=order["pricelevelid"], uomid=line["uomid"]
    )
    assert line["ispriceoverridden"] is True
    assert line["priceperunit"] == Decimal("19.12") != listed["amount"]


def test_a_difference_within_the_tolerance_is_a_line_and_beyond_it_holds_the_order():
    _, ((outcome, order),) = carried("Rounding by total")
    assert outcome.state == "done"
    assert order["order_details"][-1]["productdescription"] == "Rounding difference"
    _, ((outcome, order),) = carried("Rounding by total", rounding_tolerance=0)
    assert (outcome.state, outcome.kind, order) == ("held", "totals", None)


def test_a_held_order_names_both_sums_and_where_they_part():
    joined, ((outcome, _),) = carried("Inconsistent totals in the shop")
    assert "PrestaShop says 61.80 EUR, Dynamics 365 would say 64.97 EUR: a difference of -3.17" in outcome.reason
    assert "Total paid against products + shipping + wrapping - discounts: 61.80 against 64.97" in outcome.reason
    assert joined.pair.target.find("salesorder") == []


def test_rows_that_do_not_add_up_to_the_products_are_named_as_the_place():
    joined = Joined()
    order = joined.shop.place_order([Line(1, 0, 2)], customer=joined.customer())
    detail = joined.shop.store.find("order_details", id_order=str(order))[0]
    joined.shop.store.change("order_details", detail, total_price_tax_incl="1.000000")
    outcome, _ = joined.carry(order)
    assert outcome.state == "held"
    assert "Products with tax against the order's rows: " in outcome.reason


def test_the_shops_reference_goes_into_a_custom_column_by_setting():
    joined = Joined(erp_settings={"order_reference_column": "new_psorderid"})
    order = joined.shop.place_order([Line(1)], customer=joined.customer())
    _, stands = joined.carry(order)
    assert stands["new_psorderid"] == stands["name"] == joined.shop_order(order)["reference"]


PRICES = st.decimals("0.01", "900", places=6)
RATES = st.sampled_from([(), (Decimal("5.5"),), (Decimal(10),), (Decimal(20),), (Decimal("8.1"),)])
LINES = st.lists(
    st.tuples(st.sampled_from([1, 4, 5, 8, 9, 13]), st.just(0), st.integers(1, 60), PRICES, RATES),
    min_size=1,
    max_size=6,
)
DISCOUNTS = st.one_of(
    st.just([]),
    st.builds(lambda percent: [Discount("Part", percent=percent)], st.decimals(1, 100, places=2)),
    st.builds(lambda amount: [Discount("Sum", amount=amount)], st.decimals("0.05", 40, places=2)),
    st.just([Discount("All", percent=Decimal(100), free_shipping=True)]),
)


@settings(max_examples=60, deadline=None)
@given(
    lines=LINES,
    discounts=DISCOUNTS,
    currency=st.sampled_from(["EUR", "USD", "GBP", "JPY", "KWD"]),
    round_type=st.sampled_from([1, 2, 3]),
    shipping=st.decimals(0, 30, places=2),
    wrapping=st.decimals(0, 9, places=2),
    price_places=st.sampled_from([2, 4]),
    mode=st.sampled_from(["deep insert", "batch"]),
)
def test_random_orders_keep_their_totals(
    lines, discounts, currency, round_type, shipping, wrapping, price_places, mode
):
    joined = Joined(erp_settings={"order_write": mode}, price_places=price_places)
    order = joined.shop.place_order(
        [Line(*one) for one in lines],
        customer=joined.customer(),
        currency=currency,
        round_type=round_type,
        shipping_tax_excl=shipping,
        shipping_rate=Decimal(20),
        wrapping_tax_excl=wrapping,
        gift_message="",
        discounts=discounts,
    )
    outcome, stands = joined.carry(order)
    assert outcome.state == "done", outcome
    assert stands["totalamount"] == Decimal(joined.shop_order(order)["total_paid_tax_incl"])
    products = [one for one in stands["order_details"] if one.get("productid")]
    assert sum(one["quantity"] for one in products) == sum(one[2] for one in lines)
