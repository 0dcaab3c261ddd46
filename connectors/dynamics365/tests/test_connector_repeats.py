"""An order under a key that is there already: the same one, or another that must be told."""

from decimal import Decimal
from uuid import UUID, uuid4, uuid5

import pytest

from connectors.dynamics365.tests.connected import MODES, Erp, customer, mug, order, terms, write_in
from connectors.errors import NeedsPerson

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"


@pytest.fixture
def erp():
    return Erp()


@pytest.fixture(params=MODES)
def dynamics(request, erp):
    return erp.connect(order_write=request.param)


@pytest.fixture
def record(dynamics):
    made = order(dynamics)
    dynamics.write("salesorder", made, idempotency_key=KEY)
    return made


def repeat(dynamics, record, **changes):
    return dynamics.write("salesorder", {**record, **changes}, idempotency_key=KEY)


def refused(dynamics, record, words, **changes):
    with pytest.raises(NeedsPerson, match=words) as told:
        repeat(dynamics, record, **changes)
    assert "there already under our key" in told.value.message
    assert told.value.hint
    return told.value


def line_of(dynamics, number):
    return dynamics.read("salesorder", KEY)["order_details"][number - 1]["salesorderdetailid"]


def test_another_number_under_the_key_is_told(dynamics, record):
    told = refused(dynamics, record, "Order number is SHOP-1 there and SHOP-2 here", ordernumber="SHOP-2")
    assert told.field == "ordernumber"


def test_another_customer_under_the_key_is_told(dynamics, record):
    other = dynamics.write("contact", {"lastname": "Other"}, idempotency_key=str(uuid4())).key
    told = refused(dynamics, record, rf"Customer \(contact\) is .* there and {other} here", customerid_contact=other)
    assert told.field == "customerid_contact"
    account = dynamics.write("account", {"name": "Firm"}, idempotency_key=str(uuid4())).key
    changes = {"customerid_contact": None, "customerid_account": account}
    refused(dynamics, record, rf"Customer \(account\) is empty there and {account} here", **changes)


def test_another_currency_under_the_key_is_told(dynamics, record):
    assert refused(dynamics, record, "Currency is", **terms(dynamics, "JPY")).field == "transactioncurrencyid"


@pytest.mark.parametrize(
    ("change", "words", "name"),
    [
        ({"quantity": Decimal(3)}, "line 1: Quantity is 2 there and 3 here", "quantity"),
        ({"priceperunit": Decimal("8.30")}, "line 1: Price per unit, net is 8.25 there and 8.3 here", "priceperunit"),
        ({"tax": Decimal("3.31")}, "line 1: Tax of the line is 3.3 there and 3.31 here", "tax"),
    ],
)
def test_another_line_under_the_key_is_told(dynamics, record, change, words, name):
    lines = [{**record["order_details"][0], **change}, record["order_details"][1]]
    told = refused(dynamics, record, words, order_details=lines)
    assert told.field == f"order_details[0].{name}"
    assert "line 2" not in told.message


def test_more_and_fewer_lines_under_the_key_are_told(dynamics, record):
    lines = record["order_details"]
    refused(dynamics, record, r"2 of 3 lines are there; line 3 of ours is missing", order_details=[*lines, lines[1]])
    refused(dynamics, record, "1 line there is not ours", order_details=lines[:1])


def test_a_line_that_was_replaced_by_another_is_told_although_the_counts_agree(erp, dynamics, record):
    erp.call("DELETE", f"salesorderdetails({line_of(dynamics, 2)})")
    other = {"isproductoverridden": True, "productdescription": "Fee", "priceperunit": 5, "quantity": 7, "tax": 1}
    erp.call("POST", f"salesorders({KEY})/order_details", other)
    refused(dynamics, record, "line 2 of ours is missing; 1 line there is not ours")


def test_in_batch_mode_an_equal_line_under_another_key_is_not_ours(erp):
    dynamics = erp.connect(order_write="batch")
    record = order(dynamics)
    dynamics.write("salesorder", record, idempotency_key=KEY)
    erp.call("DELETE", f"salesorderdetails({uuid5(UUID(KEY), 'line:2')})")
    equal = {"isproductoverridden": True, "productdescription": "Shipping", "priceperunit": 5, "quantity": 1, "tax": 1}
    erp.call("POST", f"salesorders({KEY})/order_details", equal)
    refused(dynamics, record, "line 2 of ours is missing; 1 line there is not ours")


def test_a_line_that_a_clerk_changed_is_told(erp, dynamics, record):
    erp.call("PATCH", f"salesorderdetails({line_of(dynamics, 1)})", {"quantity": 5})
    refused(dynamics, record, "line 1: Quantity is 5 there and 2 here")


def test_equal_lines_are_counted_and_not_taken_for_one(dynamics):
    fee = write_in("Fee", "1")
    record = order(dynamics, order_details=[fee, fee, write_in("Fee", "2")])
    dynamics.write("salesorder", record, idempotency_key=KEY)
    assert repeat(dynamics, record).changed is False
    lines = [fee, *record["order_details"][2:] * 2]
    refused(dynamics, record, "line [23]: Price per unit, net is 1 there and 2 here", order_details=lines)


def test_what_a_clerk_may_change_is_no_difference(erp, dynamics, record):
    erp.call("PATCH", f"salesorderdetails({line_of(dynamics, 2)})", {"productdescription": "Shipping by bicycle"})
    erp.call("PATCH", f"salesorderdetails({line_of(dynamics, 1)})", {"description": "blue"})
    changes = {"name": "Called", "billto_city": "Nice", "description": "Ring twice", "freightamount": 9}
    erp.call("PATCH", f"salesorders({KEY})", {**changes, "statecode": 1, "statuscode": 3})
    written = repeat(dynamics, record)
    assert (written.changed, written.record["billto_city"], written.record["statecode"]) == (False, "Nice", 1)


def test_a_closed_order_is_still_the_same(erp, dynamics, record):
    erp.close(KEY)
    assert repeat(dynamics, record).changed is False


def test_amounts_are_compared_as_the_system_keeps_them(dynamics):
    lines = [
        mug(dynamics, priceperunit=Decimal("99.6"), tax=Decimal("33.5"), quantity=Decimal("2.0000049")),
        mug(dynamics, ispriceoverridden=False, priceperunit=Decimal(1), tax=None),
    ]
    record = order(dynamics, code="JPY", order_details=lines)
    dynamics.write("salesorder", record, idempotency_key=KEY)
    assert repeat(dynamics, record).changed is False


def test_a_flow_without_lines_leaves_them_to_the_clerk(erp, dynamics):
    record = {name: value for name, value in order(dynamics).items() if name != "order_details"}
    dynamics.write("salesorder", record, idempotency_key=KEY)
    fee = {"isproductoverridden": True, "productdescription": "Fee", "priceperunit": 5, "quantity": 1}
    erp.call("POST", f"salesorders({KEY})/order_details", fee)
    assert repeat(dynamics, record).changed is False


def test_a_customer_that_is_sent_again_is_not_compared(dynamics):
    key = customer(dynamics)
    again = dynamics.write("contact", {"lastname": "Another spelling"}, idempotency_key=key)
    assert (again.changed, again.record["lastname"]) == (False, "Guest")


def test_a_tax_of_nothing_is_the_same_as_no_tax(erp, dynamics):
    record = order(dynamics, order_details=[mug(dynamics, tax=None)])
    dynamics.write("salesorder", record, idempotency_key=KEY)
    erp.call("PATCH", f"salesorderdetails({line_of(dynamics, 1)})", {"tax": 0})
    assert repeat(dynamics, record).changed is False
