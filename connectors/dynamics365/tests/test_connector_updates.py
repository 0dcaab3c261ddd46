from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from connectors.dynamics365.tests.connected import Erp, body, customer, order, write_in
from connectors.errors import NeedsPerson, NotFound, RecordRefused

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"


@pytest.fixture
def erp():
    return Erp()


@pytest.fixture
def dynamics(erp):
    return erp.connect()


@pytest.fixture
def record(erp, dynamics):
    made = order(dynamics, billto_city="Lyon", description="first words")
    dynamics.write("salesorder", made, idempotency_key=KEY)
    erp.calls.clear()
    return made


def test_an_update_sends_only_what_differs_and_never_lines(erp, dynamics, record):
    written = dynamics.write("salesorder", {**record, "billto_city": "Paris"}, KEY)
    sent = erp.sent("PATCH")
    assert [body(call) for call in sent] == [{"billto_city": "Paris"}]
    assert written.changed is True
    assert written.record["billto_city"] == "Paris"
    assert len(written.record["order_details"]) == 2


def test_an_update_without_a_difference_sends_nothing(erp, dynamics, record):
    written = dynamics.write("salesorder", record, KEY)
    assert written.changed is False
    assert written.record["totalamount"] == Decimal("25.80")
    assert erp.sent("PATCH") == []


def test_other_lines_than_those_there_are_refused_and_nothing_is_sent(erp, dynamics, record):
    lines = [record["order_details"][0], write_in("Shipping", "6.00", "1.00")]
    with pytest.raises(RecordRefused, match="line 2 differs") as refused:
        dynamics.write("salesorder", {**record, "billto_city": "Paris", "order_details": lines}, KEY)
    assert refused.value.field == "order_details[1]"
    with pytest.raises(RecordRefused, match="1 more lines there"):
        dynamics.write("salesorder", {**record, "order_details": lines[:1]}, KEY)
    assert erp.sent("PATCH") == []


def test_a_line_that_follows_the_list_is_the_same_whatever_price_was_sent(dynamics, record):
    lines = [{**record["order_details"][0], "ispriceoverridden": False, "priceperunit": Decimal(1)}]
    listed = {**record, "ordernumber": "SHOP-2", "order_details": lines}
    key = dynamics.write("salesorder", listed, idempotency_key=str(uuid4())).key
    assert dynamics.write("salesorder", listed, key).changed is False


def test_the_order_of_lines_does_not_matter(dynamics, record):
    turned = {**record, "order_details": record["order_details"][::-1]}
    assert dynamics.write("salesorder", turned, KEY).changed is False


def test_emptied_fields_are_emptied_there(erp, dynamics, record):
    written = dynamics.write("salesorder", {"description": None, "billto_city": ""}, KEY)
    assert body(erp.sent("PATCH")[0]) == {"description": None, "billto_city": None}
    assert written.record["description"] is None


def test_a_customer_is_replaced_by_an_account(erp, dynamics, record):
    account = dynamics.write("account", {"name": "Maison Durand"}, idempotency_key=str(uuid4())).key
    erp.calls.clear()
    written = dynamics.write("salesorder", {"customerid_contact": None, "customerid_account": account}, KEY)
    assert body(erp.sent("PATCH")[0]) == {"customerid_account@odata.bind": f"/accounts({account})"}
    assert (written.record["customerid_account"], written.record["customerid_contact"]) == (account, None)


def test_what_is_fixed_at_creation_is_refused_by_name(dynamics, record):
    with pytest.raises(RecordRefused, match="ordernumber cannot be set once the record exists"):
        dynamics.write("salesorder", {"ordernumber": "SHOP-2"}, KEY)


@pytest.mark.parametrize(("name", "value"), [("totalamount", Decimal(1)), ("colour", "red")])
def test_computed_and_unknown_fields_are_refused_by_name(dynamics, record, name, value):
    with pytest.raises(RecordRefused, match=name) as refused:
        dynamics.write("salesorder", {name: value}, KEY)
    assert refused.value.field == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("freightamount", 1.5),
        ("freightamount", Decimal("NaN")),
        ("freightamount", "1.5"),
        ("willcall", 1),
        ("requestdeliveryby", "2026-03-02"),
        ("shippingmethodcode", 99),
        ("customerid_contact", "42) or 1 eq 1"),
        ("name", 7),
    ],
)
def test_values_of_another_type_never_leave(erp, dynamics, record, name, value):
    with pytest.raises(RecordRefused, match=name) as refused:
        dynamics.write("salesorder", {name: value}, KEY)
    assert refused.value.field == name
    assert erp.sent("PATCH") == []


def test_a_closed_order_needs_a_person(erp, dynamics, record):
    erp.close(KEY)
    with pytest.raises(NeedsPerson, match="read-only") as refused:
        dynamics.write("salesorder", {"billto_city": "Paris"}, KEY)
    assert not isinstance(refused.value, RecordRefused)
    assert "by hand" in refused.value.hint


def test_a_closed_order_is_still_found(erp, dynamics, record):
    erp.close(KEY)
    assert [one["statecode"] for one in dynamics.find("salesorder", ordernumber="SHOP-1")] == [3]


def test_an_update_of_nothing_creates_nothing(dynamics):
    with pytest.raises(NotFound):
        dynamics.write("salesorder", {"name": "none"}, str(uuid4()))
    assert dynamics.find("salesorder") == []


def test_a_contact_is_created_once_and_updated_by_its_columns(erp, dynamics):
    key = str(uuid4())
    person = {"lastname": "Martin", "firstname": "Zoë", "birthdate": date(1980, 2, 29), "gendercode": 2}
    first = dynamics.write("contact", person, idempotency_key=key)
    assert (first.changed, first.record["birthdate"]) == (True, date(1980, 2, 29))
    assert dynamics.write("contact", person, idempotency_key=key).changed is False
    erp.calls.clear()
    dynamics.write("contact", {**person, "address1_city": "Nîmes"}, key)
    assert body(erp.sent("PATCH")[0]) == {"address1_city": "Nîmes"}
    assert [one["address1_city"] for one in dynamics.find("contact", lastname="martin")] == ["Nîmes"]


def test_a_product_number_that_is_taken_is_refused_with_the_remedy(dynamics):
    mug = dynamics.find("product", productnumber="MUG")[0]
    record = {name: mug[name] for name in ("productnumber", "name", "defaultuomid", "defaultuomscheduleid")}
    with pytest.raises(RecordRefused, match="another product has this number") as refused:
        dynamics.write("product", {**record, "quantitydecimal": 0}, idempotency_key=str(uuid4()))
    assert refused.value.code == "0x80043b06"


def test_currencies_are_only_read(dynamics):
    with pytest.raises(NeedsPerson, match="only read"):
        dynamics.write("transactioncurrency", {"isocurrencycode": "EUR"}, idempotency_key=str(uuid4()))


def test_a_deactivated_customer_is_not_found(dynamics):
    key = customer(dynamics)
    dynamics.write("contact", {"statecode": 1, "statuscode": 2}, key)
    assert dynamics.find("contact", emailaddress1="guest@example.com") == []
    assert len(dynamics.find("contact", emailaddress1="guest@example.com", statecode=1)) == 1
