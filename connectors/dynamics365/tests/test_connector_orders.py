from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID, uuid4, uuid5

import pytest

from connectors.dynamics365.tests.connected import MODES, Erp, body, mug, order, write_in
from connectors.errors import InDoubt, NeedsPerson, NotFound, RecordRefused

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"


@pytest.fixture
def erp():
    return Erp()


@pytest.fixture(params=MODES)
def dynamics(request, erp):
    return erp.connect(order_write=request.param)


def test_an_order_is_read_back_with_its_lines_and_the_total_that_was_paid(dynamics):
    record = order(dynamics)
    written = dynamics.write("salesorder", record, idempotency_key=KEY)
    assert (written.key, written.changed) == (KEY, True)
    assert written.record["totalamount"] == Decimal("25.80")
    assert written.record["customerid_contact"] == record["customerid_contact"]
    assert written.record["customerid_account"] is None
    lines = written.record["order_details"]
    assert [line["extendedamount"] for line in lines] == [Decimal("19.80"), Decimal("6.00")]
    assert [line["productdescription"] for line in lines] == [None, "Shipping"]
    assert written.link.endswith(f"/main.aspx?pagetype=entityrecord&etn=salesorder&id={KEY}")


def test_a_repeat_finds_the_order_and_writes_nothing(dynamics):
    first = dynamics.write("salesorder", order(dynamics), idempotency_key=KEY)
    again = dynamics.write("salesorder", order(dynamics), idempotency_key=KEY)
    assert again.changed is False
    assert again.record == first.record
    assert len(dynamics.find("salesorder")) == 1


def test_a_repeat_in_the_other_mode_finds_the_order_too(erp):
    deep, batch = (erp.connect(order_write=mode) for mode in MODES)
    deep.write("salesorder", order(deep), idempotency_key=KEY)
    assert batch.write("salesorder", order(batch), idempotency_key=KEY).changed is False


def test_two_at_once_leave_one_order(dynamics):
    record = order(dynamics)
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(dynamics.write, "salesorder", record, idempotency_key=KEY) for _ in range(8)]
    assert sorted(one.result().changed for one in tries) == [False] * 7 + [True]
    assert len(dynamics.find("salesorder")[0]["order_details"]) == 2


def test_after_a_lost_answer_the_order_is_found_by_its_key(erp, dynamics):
    record = order(dynamics)
    erp.fault("lost", method="POST", path="salesorders|batch")
    with pytest.raises(InDoubt):
        dynamics.write("salesorder", record, idempotency_key=KEY)
    found = dynamics.find("salesorder", salesorderid=KEY)
    assert [one["totalamount"] for one in found] == [Decimal("25.80")]
    assert dynamics.write("salesorder", record, idempotency_key=KEY).changed is False


def test_a_connection_that_broke_before_the_write_leaves_nothing_to_find(erp, dynamics):
    record = order(dynamics)
    erp.fault("refused", method="POST", path="salesorders|batch")
    with pytest.raises(InDoubt):
        dynamics.write("salesorder", record, idempotency_key=KEY)
    assert dynamics.find("salesorder", salesorderid=KEY) == []
    assert dynamics.write("salesorder", record, idempotency_key=KEY).changed is True


def test_an_order_that_cannot_be_read_back_is_in_doubt(erp, dynamics):
    record = order(dynamics)
    erp.fault("status", method="GET", path=rf"salesorders\({KEY}", status=503)
    with pytest.raises(InDoubt, match="could not be read back"):
        dynamics.write("salesorder", record, idempotency_key=KEY)
    assert dynamics.read("salesorder", KEY)["ordernumber"] == "SHOP-1"


def test_a_line_that_is_not_overridden_takes_the_price_of_the_list(dynamics):
    lines = [mug(dynamics, ispriceoverridden=False), mug(dynamics)]
    written = dynamics.write("salesorder", order(dynamics, order_details=lines), idempotency_key=KEY)
    listed = dynamics.find(
        "productpricelevel", productid=lines[0]["productid"], pricelevelid=written.record["pricelevelid"]
    )
    assert [line["priceperunit"] for line in written.record["order_details"]] == [listed[0]["amount"], Decimal("8.25")]
    assert listed[0]["amount"] != Decimal("8.25")


def test_one_refused_line_leaves_no_order_behind(dynamics):
    lines = [mug(dynamics), {**write_in("Shipping", "5.00"), "productdescription": "x" * 501}]
    with pytest.raises(RecordRefused, match="too long") as refused:
        dynamics.write("salesorder", order(dynamics, order_details=lines), idempotency_key=KEY)
    assert refused.value.field.startswith("order_details")
    assert refused.value.field.endswith("productdescription")
    assert refused.value.code == "0x80044331"
    with pytest.raises(NotFound):
        dynamics.read("salesorder", KEY)


def test_a_batch_says_which_line_was_refused(erp):
    dynamics = erp.connect(order_write="batch")
    lines = [mug(dynamics), mug(dynamics, uomid=str(uuid4()))]
    with pytest.raises(RecordRefused, match="line 2 of SHOP-1") as refused:
        dynamics.write("salesorder", order(dynamics, order_details=lines), idempotency_key=KEY)
    assert refused.value.field == "order_details[1].uomid"


def test_a_customer_that_does_not_exist_is_named_by_its_field(dynamics):
    gone = str(uuid4())
    with pytest.raises(RecordRefused, match=gone) as refused:
        dynamics.write("salesorder", order(dynamics, customerid_contact=gone), idempotency_key=KEY)
    assert refused.value.field == "customerid_contact"
    assert refused.value.code == "0x80040217"


def test_a_product_that_does_not_exist_is_named_by_its_line(dynamics):
    lines = [mug(dynamics), mug(dynamics, productid=str(uuid4()))]
    with pytest.raises(RecordRefused) as refused:
        dynamics.write("salesorder", order(dynamics, order_details=lines), idempotency_key=KEY)
    assert refused.value.field == "order_details[1].productid"


def test_an_order_that_lost_a_line_since_is_reported_and_not_mended(erp, dynamics):
    record = order(dynamics)
    dynamics.write("salesorder", record, idempotency_key=KEY)
    second = dynamics.read("salesorder", KEY)["order_details"][1]["salesorderdetailid"]
    erp.call("DELETE", f"salesorderdetails({second})")
    with pytest.raises(NeedsPerson, match="1 of 2 lines"):
        dynamics.write("salesorder", record, idempotency_key=KEY)


def test_a_list_of_another_currency_is_refused_with_what_to_do(dynamics):
    yen = order(dynamics, code="JPY")["pricelevelid"]
    with pytest.raises(RecordRefused, match="different currencies") as refused:
        dynamics.write("salesorder", order(dynamics, pricelevelid=yen), idempotency_key=KEY)
    assert "price list" in refused.value.hint


def test_an_order_without_lines_can_be_written(dynamics):
    written = dynamics.write("salesorder", order(dynamics, order_details=[]), idempotency_key=KEY)
    assert written.record["order_details"] == []
    assert written.record["totalamount"] == 0


def test_an_order_is_sent_in_one_call(erp, dynamics):
    record = order(dynamics)
    erp.calls.clear()
    dynamics.write("salesorder", record, idempotency_key=KEY)
    assert len([call for call in erp.calls if call.method in ("POST", "PATCH")]) == 1


def test_a_deep_insert_carries_our_key(erp):
    dynamics = erp.connect()
    dynamics.write("salesorder", order(dynamics), idempotency_key=KEY)
    sent = body(erp.sent("POST", "/salesorders")[0])
    assert sent["salesorderid"] == KEY
    assert len(sent["order_details"]) == 2


def test_every_line_of_a_batch_has_a_key_that_a_repeat_would_have_too(erp):
    dynamics = erp.connect(order_write="batch")
    lines = dynamics.write("salesorder", order(dynamics), idempotency_key=KEY).record["order_details"]
    keys = [str(uuid5(UUID(KEY), f"line:{number}")) for number in (1, 2)]
    assert [line["salesorderdetailid"] for line in lines] == keys


def test_a_batch_names_the_line_that_somebody_removed(erp):
    dynamics = erp.connect(order_write="batch")
    record = order(dynamics)
    dynamics.write("salesorder", record, idempotency_key=KEY)
    erp.call("DELETE", f"salesorderdetails({uuid5(UUID(KEY), 'line:2')})")
    with pytest.raises(NeedsPerson, match="line 2 of ours is missing"):
        dynamics.write("salesorder", record, idempotency_key=KEY)


def test_amounts_are_sent_as_they_are_and_never_as_binary_fractions(erp, dynamics):
    lines = [mug(dynamics, priceperunit=Decimal("0.10"), quantity=Decimal("3.00000"))]
    dynamics.write("salesorder", order(dynamics, order_details=lines), idempotency_key=KEY)
    sent = [call for call in erp.calls if call.method == "POST" and b"priceperunit" in call.request_body]
    assert b'"priceperunit":0.10,' in sent[0].request_body
