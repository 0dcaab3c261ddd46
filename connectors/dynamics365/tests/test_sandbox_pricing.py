"""What a line and an order come to: list prices, prices of our own, write-in lines, discounts, freight, rounding."""

from decimal import Decimal

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api, code_of, write_in

LIST_PRICE = Decimal("71.36")  # 49.90 x 1.37 + 3, rounded


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


def order_with(api, *lines, **given):
    id = api.create("salesorders", api.order(lines, **given))
    return api.one(f"salesorders({id})?$expand=order_details($orderby=lineitemnumber)")


def test_a_catalogue_line_takes_the_list_price_whatever_price_was_sent(api):
    [line] = order_with(api, api.line(quantity=2, priceperunit=49.9))["order_details"]
    assert (line["priceperunit"], line["baseamount"]) == (LIST_PRICE, 2 * LIST_PRICE)


def test_a_price_is_kept_where_it_is_overridden(api):
    [line] = order_with(api, api.line(quantity=2, priceperunit=49.9, ispriceoverridden=True))["order_details"]
    assert (line["priceperunit"], line["baseamount"], line["extendedamount"]) == (
        Decimal("49.9"),
        Decimal("99.8"),
        Decimal("99.8"),
    )


def test_the_totals_follow_the_formulas(api):
    order = order_with(
        api,
        api.line(quantity=3, priceperunit=10, ispriceoverridden=True, tax=5.4, manualdiscountamount=3),
        write_in(price=4, tax=0.8),
        freightamount=5.9,
        discountamount=2,
        discountpercentage=10,
    )
    first, second = order["order_details"]
    assert (first["baseamount"], first["extendedamount"]) == (30, Decimal("32.4"))
    assert (second["baseamount"], second["extendedamount"]) == (4, Decimal("4.8"))
    assert order["totallineitemamount"] == 31
    assert order["totallineitemdiscountamount"] == 3
    assert order["totaldiscountamount"] == Decimal("5.1")
    assert order["totalamountlessfreight"] == Decimal("25.9")
    assert order["totaltax"] == Decimal("6.2")
    assert order["totalamount"] == Decimal("38")


def test_a_write_in_line_may_be_negative_and_carry_negative_tax(api):
    order = order_with(
        api,
        api.line(priceperunit=100, ispriceoverridden=True, tax=20),
        write_in("Voucher SPRING", -10, tax=-2),
    )
    assert (order["totallineitemamount"], order["totaltax"], order["totalamount"]) == (90, 18, 108)


@pytest.mark.parametrize(
    ("precision", "kept", "amount"),
    [(2, "1.23", "3.69"), (4, "1.2346", "3.70"), (3, "1.235", "3.71"), (0, "1", "3.00")],
)
def test_prices_keep_the_organizations_precision_and_amounts_the_currencys(api, precision, kept, amount):
    organization = api.one("WhoAmI")["OrganizationId"]
    answer = api.patch(f"organizations({organization})", {"pricingdecimalprecision": precision}, If_Match="*")
    assert answer.status_code == 204
    line_sent = api.line(quantity=3, priceperunit=1.23456, ispriceoverridden=True)
    [line] = order_with(api, line_sent)["order_details"]
    assert (line["priceperunit"], line["baseamount"]) == (Decimal(kept), Decimal(amount))


@pytest.mark.parametrize(("sent", "kept"), [(0.005, "0.01"), (-0.005, "-0.01"), (0.0049, "0.00")])
def test_halves_are_rounded_away_from_zero(api, sent, kept):
    [line] = order_with(api, write_in(price=0, tax=sent))["order_details"]
    assert (line["tax"], line["extendedamount"]) == (Decimal(kept), Decimal(kept))


def test_a_currency_without_decimals_has_whole_amounts(api):
    api.sandbox.seed([], [{"iso_code": "JPY", "precision": 0, "rate": Decimal("162.4")}])
    order = order_with(api, write_in(price=1000.4, tax=99.5), code="JPY", freightamount=0.5)
    assert [order[name] for name in ("totallineitemamount", "totaltax", "freightamount")] == [1000, 100, 1]
    assert order["totalamount"] == 1101
    assert order["exchangerate"] == Decimal("162.4")
    assert order["totalamount_base"] == Decimal("6.7796")


def test_totals_follow_every_change_of_a_line(api):
    order = order_with(api, write_in(price=4), write_in(price=6, tax=1))
    id, (first, second) = order["salesorderid"], order["order_details"]
    api.patch(f"salesorderdetails({first['salesorderdetailid']})", {"quantity": 3}, If_Match="*")
    assert api.one(f"salesorders({id})")["totalamount"] == 19
    assert api.delete(f"salesorderdetails({second['salesorderdetailid']})").status_code == 204
    assert api.one(f"salesorders({id})")["totalamount"] == 12
    line = write_in(price=1) | {"salesorderid@odata.bind": f"/salesorders({id})"}
    assert api.post("salesorderdetails", line).status_code == 204
    assert api.post(f"salesorders({id})/order_details", write_in(price=2)).status_code == 204
    api.patch(f"salesorders({id})", {"freightamount": 5, "discountpercentage": 10}, If_Match="*")
    assert api.one(f"salesorders({id})")["totalamount"] == Decimal("18.5")


def test_another_price_list_reprices_the_lines_that_follow_it(api):
    order = order_with(api, api.line(), api.line(priceperunit=5, ispriceoverridden=True))
    other = api.create(
        "pricelevels",
        {
            "name": "Sale",
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({order['_transactioncurrencyid_value']})",
        },
    )
    item = {"pricelevelid@odata.bind": f"/pricelevels({other})", "amount": 40}
    line = api.line()
    item |= {name: line[name] for name in ("productid@odata.bind", "uomid@odata.bind")}
    api.create("productpricelevels", item)
    path = f"salesorders({order['salesorderid']})"
    api.patch(path, {"pricelevelid@odata.bind": f"/pricelevels({other})"}, If_Match="*")
    assert api.one(path)["totalamount"] == 45


def test_an_organization_may_compute_nothing_itself(api):
    organization = api.one("WhoAmI")["OrganizationId"]
    api.patch(f"organizations({organization})", {"oobpricecalculationenabled": False}, If_Match="*")
    order = order_with(api, write_in(price=4, tax=1))
    assert (order["totalamount"], order["order_details"][0]["extendedamount"]) == (0, 0)


@pytest.mark.parametrize("name", ["totalamount", "totaltax", "totallineitemamount", "totalamount_base", "exchangerate"])
def test_computed_columns_are_refused_on_create(api, name):
    answer = api.post("salesorders", api.order(**{name: 5}))
    assert code_of(answer) == (400, "0x80040203")
    assert name in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["baseamount", "extendedamount", "volumediscountamount"])
def test_computed_columns_of_a_line_are_refused_with_the_whole_order(api, name):
    answer = api.post("salesorders", api.order([write_in(), write_in(**{name: 5})]))
    assert code_of(answer) == (400, "0x80040203")
    assert api.rows("salesorders") == []


def test_a_total_sent_with_an_update_is_computed_again(api):
    order = order_with(api, write_in(price=4))
    path = f"salesorders({order['salesorderid']})"
    assert api.patch(path, {"totalamount": 999}, If_Match="*").status_code == 204
    assert api.one(path)["totalamount"] == 4


def test_an_amount_beyond_what_a_column_holds_is_refused(api):
    answer = api.post("salesorders", api.order([write_in(price=900000000000000, quantity=100000)]))
    assert code_of(answer) == (400, "0x80044330")
    assert api.rows("salesorders") == []
