"""Rubbish in a shop's answers ends as a value, or as an error that names its path; never as anything else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Field
from connectors.errors import ConnectorError, NeedsPerson
from connectors.prestashop.documents import NOT_IN_XML, Broken, CutOff, NotPrestashop, read_document, write_document
from connectors.prestashop.failures import Request, failure
from connectors.prestashop.filters import equals
from connectors.prestashop.tests.connector_shop import NOON, Shop
from connectors.prestashop.values import clock_goes_back_soon, value_of, wall_clock

PARIS = ZoneInfo("Europe/Paris")


def value(text: Any, kind: Any) -> Any:
    return value_of(text, Field("total_paid", "Total", kind), "orders/44 total_paid", PARIS)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("1.5", "money", Decimal("1.5")),
        ("22.944000", "money", Decimal("22.944000")),
        ("-0.01", "money", Decimal("-0.01")),
        (".5", "decimal", Decimal("0.5")),
        ("1.0E-6", "decimal", Decimal("0.0000010")),
        ("", "money", None),
        ("7", "integer", 7),
        ("7.000000", "integer", 7),
        ("", "integer", None),
        ("0", "reference", None),
        ("", "reference", None),
        ("8", "reference", 8),
        ("1", "boolean", True),
        ("0", "boolean", False),
        ("", "boolean", False),
        ("0000-00-00", "date", None),
        ("1986-04-12", "date", date(1986, 4, 12)),
        ("0000-00-00 00:00:00", "datetime", None),
        ("-0001-11-30 00:00:00", "datetime", None),
        ("2026-07-01 12:00:00", "datetime", datetime(2026, 7, 1, 10, 0, tzinfo=UTC)),
        ("2026-01-01 12:00:00", "datetime", datetime(2026, 1, 1, 11, 0, tzinfo=UTC)),
        (" padded ", "text", "padded"),
    ],
)
def test_text_becomes_a_value(text: str, kind: str, expected: Any):
    found = value(text, kind)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("abc", "money", "orders/44 total_paid: 'abc' is not a number."),
        ("1,50", "money", "'1,50' is not a number"),
        ("1_000", "money", "is not a number"),
        ("NaN", "money", "is not a number"),
        ("Infinity", "decimal", "is not a number"),
        ("1e999", "decimal", "is not a number"),
        ("١٢", "integer", "is not a number"),
        ("9" * 40, "integer", "is not a number"),
        ("1.5", "integer", "is not a whole number"),
        ("yes", "boolean", "is not yes (1) or no (0)"),
        ("2026-13-01", "date", "is not a date"),
        ("1990-00-00", "date", "is not a date"),
        ("2026-01-01T12:00:00", "datetime", "is not a date and time"),
        ("tomorrow", "datetime", "is not a date and time"),
        ({"1": "a"}, "money", "several languages is not a single value"),
    ],
)
def test_what_cannot_be_read_names_its_path(text: Any, kind: str, words: str):
    with pytest.raises(NeedsPerson) as caught:
        value(text, kind)
    assert words in caught.value.message
    assert caught.value.message.startswith("orders/44 total_paid: ")
    assert caught.value.field == "total_paid"


def test_a_wrong_amount_in_an_order_names_the_order_and_the_field(shop: Shop):
    def spoil(request: httpx.Request, answer: httpx.Response) -> bytes:
        return answer.content.replace(b"<total_paid><![CDATA[58.296000]]>", b"<total_paid><![CDATA[abc]]>")

    with pytest.raises(NeedsPerson, match=r"^orders/44 total_paid: 'abc' is not a number\.$"):
        shop.connect(spoil).read("orders", shop.order(44))


@settings(deadline=None)
@given(st.text(), st.sampled_from(["text", "integer", "money", "decimal", "boolean", "date", "datetime", "reference"]))
def test_any_text_is_a_value_or_an_error_with_a_path(text: str, kind: str):
    message = ""
    found = None
    try:
        found = value(text, kind)
    except NeedsPerson as error:
        message = error.message
    assert not message or message.startswith("orders/44 total_paid: ")
    assert not isinstance(found, float)
    assert not isinstance(found, Decimal) or found.is_finite()


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9))
def test_amounts_keep_every_digit(amount: Decimal):
    assert value(f"{amount:f}", "money") == amount


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_document_or_a_known_fault(body: bytes):
    for wrapped in (body, b'<?xml version="1.0"?><prestashop>' + body + b"</prestashop>"):
        try:
            document = read_document(wrapped)
        except (NotPrestashop, CutOff, Broken):
            continue
        assert isinstance(document.rows, list)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["note", "id_order"]), st.text(), min_size=1))
def test_what_is_written_reads_back_the_same_or_is_refused(fields: dict[str, str]):
    wrong = [name for name, text in fields.items() if NOT_IN_XML.search(text)]
    if wrong:
        with pytest.raises(ValueError, match=wrong[0]):
            write_document("order", {"id": "1", **fields})
        return
    body = write_document("order", {"id": "1", **fields})
    (row,) = read_document(body).rows
    # XML itself turns carriage returns into line feeds unless they are escaped, which the writer does.
    assert row == {"id": "1", **{name: text.strip() for name, text in fields.items()}}


@settings(deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PATCH"]),
    st.integers(300, 599),
    st.lists(st.tuples(st.text(max_size=4) | st.integers(1, 140).map(str), st.text(max_size=30)), max_size=3),
    st.binary(max_size=30),
    st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=20),
)
def test_any_failure_has_its_class(method: str, status: int, pairs: list[tuple[str, str]], body: bytes, header: str):
    headers = {"Location": header.encode("latin-1"), "Retry-After": header.encode("latin-1")}
    answer = httpx.Response(status, content=body, headers=headers)
    found = failure(Request(method, "orders", "1"), answer, pairs, NOON)
    assert isinstance(found, ConnectorError)
    assert found.message


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_filter_never_loses_its_brackets(text: str):
    try:
        found = equals(text)
    except NeedsPerson:
        return
    assert found.count("[") in (0, 1)
    assert found.count("[") == found.count("]")


@settings(deadline=None)
@given(
    st.integers(946_684_800, 2_051_222_400),
    st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"]),
)
def test_going_back_by_the_put_back_hour_is_below_every_later_wall_clock(epoch: int, name: str):
    zone = ZoneInfo(name)
    start = datetime.fromtimestamp(epoch, UTC)
    bound = wall_clock(start, zone) - clock_goes_back_soon(start, zone)
    for minutes in (0, 1, 29, 30, 31, 59, 60, 61, 119, 179, 240, 2000):
        later = datetime.fromtimestamp(start.timestamp() + 60 * minutes, UTC)
        assert wall_clock(later, zone) >= bound
