import json
from decimal import ROUND_HALF_UP, Decimal
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.dynamics365 import json_text
from connectors.dynamics365.tests.connected import Erp, mug, order, terms, write_in
from connectors.errors import NeedsPerson

finite = st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def money(places, low="-9999", high="99999"):
    return st.decimals(Decimal(low), Decimal(high), places=places)


@given(values)
def test_what_is_written_as_json_is_read_back_exactly(value):
    assert json_text.loads(json_text.dumps(value)) == value


@given(finite)
def test_an_amount_keeps_its_digits_in_json(value):
    text = json_text.dumps(value).decode()
    assert "e" not in text.lower()
    assert Decimal(text) == value


@pytest.mark.parametrize("value", [1.5, float("nan"), Decimal("NaN"), Decimal("Infinity"), {1, 2}, b"x"])
def test_what_is_not_exact_is_never_written(value):
    with pytest.raises(TypeError):
        json_text.dumps({"amount": value})


@pytest.mark.parametrize("text", [b"NaN", b'{"a":Infinity}', b"", b"{", b"<html>"])
def test_what_is_not_json_is_never_read(text):
    with pytest.raises(ValueError):
        json_text.loads(text)


def test_a_large_amount_survives_where_a_float_would_not():
    text = b'{"amount":123456789012345.67}'
    assert json_text.loads(text) == {"amount": Decimal("123456789012345.67")}
    assert json.loads(text)["amount"] != Decimal("123456789012345.67")


PLACES = {"EUR": 2, "JPY": 0, "KWD": 3}


class Priced:
    """One environment for many drawn orders."""

    def __init__(self, places):
        self.erp = Erp()
        self.erp.call("PATCH", self.organization(), {"pricingdecimalprecision": places})
        self.dynamics = self.erp.connect()
        self.record = {code: order(self.dynamics, code=code) for code in PLACES}
        self.mug = mug(self.dynamics)

    def organization(self):
        rows = self.erp.call("GET", "organizations?$select=organizationid").json()["value"]
        return f"organizations({rows[0]['organizationid']})"


PRICED = {}


def priced(places):
    if places not in PRICED:
        PRICED[places] = Priced(places)
    return PRICED[places]


lines = st.fixed_dictionaries(
    {
        "priceperunit": money(6),
        "quantity": st.decimals(Decimal("0.00001"), Decimal(999), places=5),
        "manualdiscountamount": money(3, low="0"),
        "tax": money(4),
    }
)


@settings(max_examples=60, deadline=None)
@given(
    places=st.integers(0, 4),
    code=st.sampled_from(list(PLACES)),
    drawn=st.lists(st.tuples(st.sampled_from(["mug", "write-in", "list price"]), lines), max_size=5),
    head=st.fixed_dictionaries(
        {
            "freightamount": money(3, low="0"),
            "discountamount": money(3, low="0"),
            "discountpercentage": money(2, "0", "100"),
        }
    ),
)
def test_the_total_is_foretold_and_what_was_sent_is_what_stands_there(places, code, drawn, head):
    known = priced(places)
    made = {"mug": known.mug, "list price": {**known.mug, "ispriceoverridden": False}, "write-in": write_in("Fee", "1")}
    rows = [{**made[kind], **line} for kind, line in drawn]
    record = {**known.record[code], **head, "order_details": rows}
    told = known.dynamics.expected_total("salesorder", record)
    written = known.dynamics.write("salesorder", record, idempotency_key=str(uuid4())).record
    assert written["totalamount"] == told
    kept = Decimal(1).scaleb(-PLACES[code])
    assert told == told.quantize(kept)
    assert [one["quantity"] for one in written["order_details"]] == [row["quantity"] for row in rows]
    assert written["freightamount"] == head["freightamount"].quantize(kept, ROUND_HALF_UP)
    for sent, stands in zip(rows, written["order_details"], strict=True):
        for name in ("tax", "manualdiscountamount"):
            assert stands[name] == sent[name].quantize(kept, ROUND_HALF_UP)


def test_unit_prices_are_foretold_with_the_decimals_that_the_organization_keeps():
    for places, total in ((2, "829.00"), (4, "829.17")):
        known = priced(places)
        row = write_in("Fee", "8.291667", quantity=100)
        record = {**known.record["EUR"], "order_details": [row]}
        assert known.dynamics.expected_total("salesorder", record) == Decimal(total)


@pytest.mark.parametrize(("price", "total"), [("0.125", "0.13"), ("-0.125", "-0.13"), ("8.125", "8.13")])
def test_halves_are_rounded_away_from_zero(price, total):
    known = priced(2)
    record = {**known.record["EUR"], "order_details": [write_in("Fee", price)]}
    assert known.dynamics.expected_total("salesorder", record) == Decimal(total)


def test_a_total_without_a_currency_is_not_guessed():
    dynamics = Erp().connect()
    with pytest.raises(NeedsPerson, match="currency"):
        dynamics.expected_total("salesorder", {"order_details": [write_in("Fee", "1")]})


def test_only_orders_are_priced_by_the_system():
    dynamics = Erp().connect()
    with pytest.raises(NotImplementedError):
        dynamics.expected_total("contact", terms(dynamics, "EUR"))


def test_precisions_are_asked_for_once():
    erp = Erp()
    dynamics = erp.connect()
    record = order(dynamics)
    dynamics.expected_total("salesorder", record)
    erp.calls.clear()
    assert dynamics.expected_total("salesorder", record) == Decimal("25.80")
    assert erp.calls == []
