"""Every refusal and failure of a shop is told apart, in words, with a remedy and without what the shop wrote."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import ConnectorError, NeedsPerson, NotFound, RecordRefused, SignInRefused, TryLater
from connectors.prestashop.failures import FailedAnswer, Request, failure, retry_after
from connectors.prestashop.tests.connector_shop import NOON, Shop
from connectors.sandbox import Fault


def refusal(shop: Shop, change: Callable[..., Any] | None = None, **settings: str) -> Any:
    """What reading an order raises."""
    with pytest.raises(ConnectorError) as caught:
        shop.connect(change, **settings).read("orders", shop.order())
    return caught.value


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[..., httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, answer: httpx.Response(status, headers=named, content=body, request=request)


def before_xml(text: bytes, after: bytes = b"") -> Callable[..., bytes]:
    return lambda request, answer: text + answer.content + after


def errors(*pairs: tuple[str, str]) -> bytes:
    inner = "".join(
        f"<error><code>{code}</code><message><![CDATA[{words}]]></message></error>" for code, words in pairs
    )
    return f'<?xml version="1.0"?><prestashop><errors>{inner}</errors></prestashop>'.encode()


def test_a_key_of_the_wrong_length_is_said(shop: Shop):
    error = refusal(shop, key="short")
    assert isinstance(error, SignInRefused)
    assert "32 characters" in error.message


def test_an_unknown_and_a_disabled_key_are_refused(shop: Shop):
    disabled = next(one.key for one in shop.sandbox.keys if not one.active)
    for key in ("X" * 32, disabled):
        error = refusal(shop, key=key)
        assert isinstance(error, SignInRefused)
        assert "Enabled" in error.hint
        assert key not in error.message + error.hint


def test_a_stripped_authorization_header_names_the_trap_and_the_setting(shop: Shop):
    plain = answering(401, b"401 Unauthorized", Content_Type="text/html; charset=utf-8")
    error = refusal(shop, plain)
    assert isinstance(error, SignInRefused)
    assert "CGIPassAuth" in error.hint
    assert "Send the key in the address" in error.hint
    assert "Authorization" not in refusal(shop, plain, key_in_url="yes").hint


def test_the_key_may_travel_in_the_address_and_is_masked_where_calls_are_kept(shop: Shop):
    shop.connect(key_in_url="yes").read("customers", "1")

    assert all("authorization" not in call.request_headers for call in shop.calls)
    assert not any(shop.key in call.url for call in shop.calls)


def test_a_missing_right_names_resource_method_and_where_to_tick_it(shop: Shop):
    key = shop.key_with({("orders", "GET"), ("order_states", "GET"), ("configurations", "GET")})
    error = refusal(shop, key=key)
    assert isinstance(error, SignInRefused)
    assert error.message == "The webservice key may not GET currencies."
    assert "Advanced Parameters > Webservice" in error.hint


def test_a_webservice_that_is_switched_off_pauses_the_connection_with_the_remedy(shop: Shop):
    shop.sandbox.switch_webservice(False)
    error = refusal(shop)
    assert isinstance(error, SignInRefused)
    assert "switched off" in error.message
    assert "Enable PrestaShop's webservice" in error.hint


def test_a_redirect_is_not_followed_and_shows_only_where_to(shop: Shop):
    location = "https://user@www.shop.example:8443/?url=orders&ws_key=SECRET"
    error = refusal(shop, answering(302, Location=location))
    assert isinstance(error, NeedsPerson)
    assert "to https://www.shop.example:8443 instead" in error.message
    assert "SECRET" not in error.message + error.hint
    assert len(shop.calls) == 1


@pytest.mark.parametrize("location", ["", "/?url=orders", "//"])
def test_a_redirect_to_nowhere_is_a_redirect(shop: Shop, location: str):
    assert "redirected the call instead" in refusal(shop, answering(302, Location=location)).message


def test_an_unknown_shop_id_and_a_foreign_host_are_redirects(shop: Shop):
    assert "redirected" in refusal(shop, id_shop="99").message
    shop.sandbox.domain = "www.shop.example"
    assert "Traffic & SEO" in refusal(shop).hint


def test_another_shops_key_is_refused_as_such(shop: Shop):
    error = refusal(shop, answering(403, errors(("132", "no"))))
    assert isinstance(error, SignInRefused)
    assert "shop association" in error.hint


def test_a_firewall_is_told_from_a_missing_right(shop: Shop):
    error = refusal(shop, answering(403, b"<html>Forbidden by WAF</html>", Content_Type="text/html"))
    assert type(error) is NeedsPerson
    assert "firewall" in error.message


@pytest.mark.parametrize("status", [500, 599])
def test_a_500_on_reading_is_tried_later(shop: Shop, status: int):
    shop.sandbox.faults = [Fault("error_before", path="orders/", status=status)]
    error = refusal(shop)
    assert isinstance(error, TryLater)
    assert not error.outage  # another order may well be answered


def test_a_database_that_is_down_is_tried_later(shop: Shop):
    shop.sandbox.faults = [Fault("html", path="orders/")]
    error = refusal(shop)
    assert isinstance(error, TryLater)
    assert "database" in error.message
    assert error.outage


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_shop_is_tried_later(shop: Shop, status: int):
    shop.sandbox.faults = [Fault("status", path="orders/", status=status, retry_after=90)]
    error = refusal(shop)
    assert isinstance(error, TryLater)
    assert error.after == datetime(2026, 3, 10, 11, 1, 30, tzinfo=UTC)
    assert error.outage


@pytest.mark.parametrize("kind", ["lost", "refused"])
def test_a_dropped_connection_on_reading_is_tried_later(shop: Shop, kind: Any):
    shop.sandbox.faults = [Fault(kind, path="orders/")]
    error = refusal(shop)
    assert isinstance(error, TryLater)
    assert error.outage


@pytest.mark.parametrize("length", [30, 60, 120, 900])
def test_a_cut_off_answer_is_tried_later(shop: Shop, length: int):
    error = refusal(shop, lambda request, answer: b"<br /><b>Warning</b>: x<br />\n" + answer.content[:length])
    assert isinstance(error, TryLater)
    assert "ends too early" in error.message
    assert not error.outage


def test_an_answer_without_the_record_does_not_mean_that_it_was_deleted(shop: Shop):
    for body in (b"<orders></orders>", b"<order><id>45</id></order>", b"text", b"<!-- nothing -->", b""):
        error = refusal(shop, answering(200, b"<prestashop>" + body + b"</prestashop>", PSWS_Version="8.2.1"))
        assert isinstance(error, TryLater)
        assert "does not hold this record" in error.message
        assert not error.outage


@pytest.mark.parametrize(
    "body", [b"<orders><order><reference>X</reference></order></orders>", b"<order/>", b"<order id='x'/>"]
)
def test_a_record_without_id_is_an_error_in_words(shop: Shop, body: bytes):
    with pytest.raises(NeedsPerson, match="without an id"):
        shop.connect(answering(200, b"<prestashop><orders>" + body + b"</orders></prestashop>")).find("currencies")


def test_no_answer_at_all_is_tried_later(shop: Shop):
    assert isinstance(refusal(shop, answering(200)), TryLater)


@pytest.mark.parametrize(
    "printed",
    [
        b"<br />\n<b>Warning</b>:  Undefined array key in <b>/var/www/x.php</b><br />\n",
        b"<!DOCTYPE html><html><body>Notice: deprecated</body></html>",
        b"\xef\xbb\xbf\n\n",
        b"\xff\xfe rubbish \x00",
    ],
)
def test_what_php_prints_around_the_xml_is_cut_away(shop: Shop, printed: bytes):
    key = shop.order()

    order = shop.connect(before_xml(printed, b"\n<b>Warning</b>: at shutdown")).read("orders", key)

    assert order["reference"] == "AAAAAAAAA"


@pytest.mark.parametrize("comment", [b"<!-- cached -->", b"\n<!-- a <b> & --><?cache hit?>\n"])
def test_a_comment_before_the_document_is_no_declaration(shop: Shop, comment: bytes):
    def cached(request: httpx.Request, answer: httpx.Response) -> bytes:
        head, end, rest = answer.content.partition(b"?>")
        return head + end + comment + rest

    assert shop.connect(cached).read("orders", shop.order(3))["id"] == 3


def test_control_characters_that_a_customer_pasted_do_not_stop_the_order(shop: Shop):
    def paste(request: httpx.Request, answer: httpx.Response) -> bytes:
        return answer.content.replace("Inès".encode(), "In\x0bès\x01".encode())

    assert shop.connect(paste).read("orders", shop.order())["customer"]["firstname"] == "Inès"


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><prestashop>&e;</prestashop>',
        b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><prestashop>&b;</prestashop>',
        b'<?xml version="1.0"?><!-- <prestashop> --><!DOCTYPE x [<!ENTITY e "x">]><prestashop>&e;</prestashop>',
        b'<?xml version="1.0"?><!DOCTYPE prestashop SYSTEM "http://192.0.2.1/x.dtd"><prestashop></prestashop>',
        b'<!DOCTYPE prestashop [<!ENTITY e "x">]><prestashop><order><id>1</id></order></prestashop>',
        b"<?xml version='1.0'?><prestashop><order><id>&unknown;</id></order></prestashop>",
        b"<?xml version='1.0'?><prestashop><order><id>1</order></prestashop>",
        b"<?xml version='1.0' encoding='UTF-8'?><prestashop><order><id>\xff\xfe</id></order></prestashop>",
        b"<prestashop>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</prestashop>",
    ],
)
def test_declarations_and_broken_xml_are_refused(shop: Shop, body: bytes):
    error = refusal(shop, answering(200, body, PSWS_Version="8.2.1"))
    assert isinstance(error, NeedsPerson)
    assert "cannot be read" in error.message
    assert "passwd" not in error.message


@pytest.mark.parametrize(
    "body", [b"<html><body>Coming soon</body></html>", b"{}", b"<?xml version='1.0'?><rss></rss>" * 20]
)
def test_an_answer_of_something_else_is_not_a_prestashop(shop: Shop, body: bytes):
    error = refusal(shop, answering(200, body, Content_Type="text/html"))
    assert isinstance(error, NeedsPerson)
    assert "not as a PrestaShop webservice" in error.message


def test_a_404_of_a_web_server_is_a_wrong_address_and_no_missing_order(shop: Shop):
    error = refusal(shop, answering(404, b"<html>nginx</html>", Content_Type="text/html"))
    assert isinstance(error, NeedsPerson)
    assert not isinstance(error, NotFound)
    assert "Friendly URL" in error.hint


def test_an_error_that_echoes_the_request_is_never_shown():
    echo = errors(("127", "XML error\nOriginal XML : <order><note>Jane Doe, jane@mail.example</note></order>"))
    answer = httpx.Response(500, content=echo)
    found = failure(Request("PATCH", "orders", "44"), answer, [("127", "Jane Doe")], NOON)
    assert isinstance(found, NeedsPerson)
    assert "Jane" not in found.message + found.hint
    assert found.code == "127"


@pytest.mark.parametrize(
    ("code", "words", "field"),
    [
        ("41", 'parameter "id_order_state" required', "id_order_state"),
        ("85", 'Validation error: "Property Order-&gt;note is not valid"', "note"),
        ("85", 'Validation error: "Property Order->note is not valid"', "note"),
        ("93", 'parameter "quantity" not writable. Please remove', "quantity"),
        ("140", "The email is already used", ""),
    ],
)
def test_a_refused_record_names_its_field(code: str, words: str, field: str):
    for status in (400, 500):
        found = failure(Request("POST", "orders"), httpx.Response(status), [(code, words), ("46", "x")], NOON)
        assert isinstance(found, RecordRefused)
        assert (found.field, found.code) == (field, code)


def test_a_filter_that_the_shop_does_not_know_is_no_outage():
    for status in (400, 500):
        found = failure(Request("GET", "orders"), httpx.Response(status), [("32", "x"), ("3", "PHP Warning")], NOON)
        assert type(found) is NeedsPerson
        assert found.code == "32"


def test_php_warnings_on_a_write_say_nothing_about_its_outcome():
    for status in (200, 201, 400, 500):
        found = failure(Request("POST", "customers"), httpx.Response(status), [("15", "utf8_encode()")], NOON)
        assert isinstance(found, FailedAnswer)


def test_an_old_shop_without_a_resource_is_told(shop: Shop):
    error = refusal(shop, answering(400, errors(("27", "Did you mean"))))
    assert isinstance(error, NeedsPerson)
    assert "has no orders" in error.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("30", 30), ("Tue, 10 Mar 2026 11:00:45 GMT", 45), ("soon", None), ("", None), ("-5", None), ("1e9", None)],
)
def test_retry_after_is_read_as_seconds_or_date(header: str, seconds: int | None):
    found = retry_after(httpx.Response(503, headers={"Retry-After": header}), NOON)
    assert (found and (found - NOON).total_seconds()) == seconds
