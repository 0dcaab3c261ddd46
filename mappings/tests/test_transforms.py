"""Every transform, with good input and bad."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.amounts import line_discount, quantized, total_of, unit_price
from mappings.apply import apply
from mappings.rules import read_mapping
from mappings.transforms import LISTED, LookupTable

TABLES = {"payments": LookupTable("payments", "Payment methods", {"ps_wire": "Bank transfer", 7: "Seven"})}


def run(value, *steps, **others):
    data = {"to": "x", "rules": [{"to": "out", "from": "in", "transform": list(steps)}]}
    return apply(read_mapping("test", data), {"in": value, **others}, TABLES)


def out(value, *steps, **others):
    result = run(value, *steps, **others)
    assert result.problems == []
    return result.record.get("out")


def problem(value, *steps, **others):
    (found,) = run(value, *steps, **others).problems
    return found


def test_every_transform_says_what_it_is_and_gives_an_example():
    assert all(one.label and one.example for one in LISTED)
    assert len({one.name for one in LISTED}) == len(LISTED)


def test_texts():
    assert out(" a ", {"name": "trim"}) == "a"
    assert out("fr", {"name": "upper case"}) == "FR"
    assert out("Zoë@B.com", {"name": "lower case"}) == "zoë@b.com"
    assert out("fr 12-3.4", {"name": "letters and digits"}) == "fr1234"
    assert out("abc def", {"name": "shorten", "length": 4}) == "abc"
    assert out("", {"name": "first", "of": [{"path": "b"}, "c"]}, b=None) == "c"


def test_a_placeholder_for_a_number_is_no_number():
    assert out("N/A", {"name": "with digits", "count": 4}) is None
    assert out("FR123", {"name": "with digits", "count": 4}) is None
    assert out("FR1234", {"name": "with digits", "count": 4}) == "FR1234"


def test_a_template_fills_in_fields_and_leaves_empty_ones_out():
    assert out(None, {"name": "template", "text": "PS-{id}{gone}"}, id=4, gone=None) == "PS-4"
    assert out(None, {"name": "template", "text": "{names[].n}"}, names=[{"n": "a"}, {"n": None}, {"n": "b"}]) == "a, b"


def test_lines_leave_out_a_label_without_its_value():
    parts = ["Order {id}", "Gift: {gift}", "Always"]
    assert out(None, {"name": "lines", "parts": parts}, id=4, gift="") == "Order 4\nAlways"


def test_a_text_that_looks_like_a_field_is_not_filled_in_twice():
    assert out(None, {"name": "template", "text": "{a}"}, a="{b}", b="secret") == "{b}"


def test_a_lookup_finds_its_entry_whatever_the_case_and_type():
    assert out(" PS_Wire", {"name": "lookup", "table": "payments"}) == "Bank transfer"
    assert out("7", {"name": "lookup", "table": "payments"}) == "Seven"


def test_a_lookup_keeps_defaults_or_names_the_table():
    assert out("x", {"name": "lookup", "table": "payments", "default": "Other"}) == "Other"
    assert out("x", {"name": "lookup", "table": "payments", "otherwise": "keep"}) == "x"
    assert out(None, {"name": "lookup", "table": "payments", "default": "Other"}) == "Other"
    found = problem("x", {"name": "lookup", "table": "payments"})
    assert (found.path, found.value, found.target) == ("in", "x", "out")
    assert found.remedy == "Add 'x' to the table 'Payment methods'."
    assert "does not exist" in problem("x", {"name": "lookup", "table": "gone"}).what


def test_dates_are_shown_in_their_zone():
    at = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    step = {"name": "date", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Paris"}
    assert out(at, step) == "21.11.2026 00:30"
    assert out(date(2026, 1, 2), {"name": "date", "format": "%d/%m"}) == "02/01"
    assert out(None, step) is None
    assert "not a date" in problem("2026", step).what
    assert "time zone" in problem(at, {**step, "zone": "Mars/Base"}).what


def test_amounts():
    assert out(Decimal("1.005"), {"name": "round", "places": 2}) == Decimal("1.01")
    assert out(Decimal("-1.005"), {"name": "round", "places": 2}) == Decimal("-1.01")
    assert out(Decimal("16.944"), {"name": "round", "places": 0}) == Decimal("17")
    assert out(Decimal("12.344"), {"name": "subtract", "amount": Decimal("10.006"), "places": 2}) == Decimal("2.33")


@pytest.mark.parametrize("value", ["abc", "NaN", "Infinity", Decimal("NaN"), "1e999999", [1]])
def test_what_is_no_amount_is_a_problem_and_not_a_crash(value):
    assert "not a number" in problem(value, {"name": "round", "places": 2}).what


def test_a_quantity_of_zero_is_a_problem():
    step = {"name": "unit price", "total": Decimal(0), "quantity": 0, "places": 2}
    assert "quantity of 0" in problem(Decimal(1), step).what


PRICES = [
    # the shop's unit price, the line's amount, pieces, currency places, places that the target keeps -> price, discount
    ("21.032", "42.06", 2, 2, None, "21.032", None),  # rounded by line
    ("21.032", "42.06", 2, 2, 2, "21.03", None),
    ("21.032", "147.21", 7, 2, None, "21.03", None),  # rounded by item: 7 x 21.03, while 7 x 21.032 is 147.22
    ("21.032", "147.224", 7, 2, None, "21.032", None),  # rounded by total only
    ("21.032", "147.22", 7, 2, 2, "21.04", "0.06"),  # two places cannot say it
    ("0.333", "33.30", 100, 2, 2, "0.34", "0.70"),
    ("3059.2", "3059", 1, 0, 2, "3059.2", None),  # a currency without decimals
    ("0", "0", 3, 2, 2, "0", None),
]


@pytest.mark.parametrize(("shop", "total", "pieces", "places", "kept", "price", "discount"), PRICES)
def test_the_unit_price_gives_the_lines_amount(shop, total, pieces, places, kept, price, discount):
    arguments = (Decimal(shop), Decimal(total), pieces, places, kept)
    assert str(unit_price(*arguments)) == price
    assert line_discount(*arguments) == (None if discount is None else Decimal(discount))


def test_a_shop_that_rounds_each_item_shows_its_rounded_price():
    arguments = (Decimal("19.121"), Decimal("38.24"), 2, 2, None)
    assert str(unit_price(*arguments)) == "19.121"
    assert str(unit_price(*arguments, rounding=1)) == "19.12"
    assert str(unit_price(*arguments, rounding=2)) == "19.121"


def test_an_amount_beyond_all_measure_is_a_problem():
    assert "not a number" in problem(Decimal(10) ** 16, {"name": "round", "places": 2}).what


@given(
    st.decimals(0, 100_000, places=6),
    st.integers(1, 5000),
    st.sampled_from([0, 2, 3]),
    st.sampled_from([2, 3, 4, 6]),
)
def test_price_and_discount_always_give_the_line_to_the_smallest_unit(shop, pieces, places, kept):
    line = quantized(shop * pieces, places)
    price = unit_price(shop, line, pieces, places, kept)
    discount = line_discount(shop, line, pieces, places, kept) or Decimal(0)
    assert quantized(price * pieces, places) - discount == line
    assert discount >= 0
    assert price == quantized(price, kept)


def test_a_sum_counts_lists_and_takes_away_what_has_a_minus():
    assert total_of([("a", Decimal("1.5")), ("b[].c", [1, None, "2"]), ("-d", Decimal("0.5"))]) == Decimal(4)
