from datetime import timedelta

import httpx
import pytest

from connectors.dynamics365.tests.connected import MODES, Erp, Through, customer, order, write_in
from connectors.errors import InDoubt, NeedsPerson, RecordRefused, TryLater

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"
WRITE = {"method": "POST", "path": "salesorders|batch"}
READ = {"method": "GET", "path": "contacts"}


@pytest.fixture
def erp():
    return Erp()


@pytest.fixture(params=MODES)
def dynamics(request, erp):
    return erp.connect(order_write=request.param)


def write(dynamics, **changes):
    return dynamics.write("salesorder", order(dynamics, **changes), idempotency_key=KEY)


def test_too_many_requests_wait_for_as_long_as_told(erp, dynamics):
    record = order(dynamics)
    erp.fault("status", **WRITE, status=429, retry_after=17)
    with pytest.raises(TryLater, match="0x80072322") as later:
        dynamics.write("salesorder", record, idempotency_key=KEY)
    assert later.value.after == erp.now + timedelta(seconds=17)
    assert later.value.outage
    assert dynamics.find("salesorder") == []


def test_the_time_to_wait_may_be_a_date(erp):
    def dated(request, response):
        if "contacts" not in str(request.url):
            return response
        headers = {"Retry-After": "Mon, 02 Mar 2026 10:00:00 GMT"}
        return httpx.Response(429, headers=headers, request=request)

    with pytest.raises(TryLater) as later:
        erp.connect(Through(erp, dated)).find("contact")
    assert later.value.after == erp.now.replace(hour=10, minute=0)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_read_is_tried_later(erp, dynamics, status):
    erp.fault("status", **READ, status=status)
    with pytest.raises(TryLater, match=f"look up contact.*HTTP {status}") as later:
        dynamics.find("contact")
    assert later.value.outage is (status != 500)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_write_is_in_doubt(erp, dynamics, status):
    record = order(dynamics)
    erp.fault("status", **WRITE, status=status)
    with pytest.raises(InDoubt, match="create order SHOP-1"):
        dynamics.write("salesorder", record, idempotency_key=KEY)


def test_a_write_that_is_turned_away_until_later_was_not_done(erp, dynamics):
    record = order(dynamics)
    erp.fault("status", **WRITE, status=503, retry_after=60)
    with pytest.raises(TryLater) as later:
        dynamics.write("salesorder", record, idempotency_key=KEY)
    assert later.value.after == erp.now + timedelta(seconds=60)
    assert later.value.outage


def test_an_error_after_the_commit_is_in_doubt_and_the_order_is_found(erp, dynamics):
    record = order(dynamics)
    erp.fault("error_after", **WRITE)
    with pytest.raises(InDoubt):
        dynamics.write("salesorder", record, idempotency_key=KEY)
    assert len(dynamics.find("salesorder", salesorderid=KEY)) == 1


@pytest.mark.parametrize(("kind", "outage"), [("html", True), ("malformed", False), ("maintenance", True)])
def test_rubbish_in_place_of_rows_is_tried_later(erp, dynamics, kind, outage):
    erp.fault(kind, **READ)
    with pytest.raises(TryLater) as later:
        dynamics.find("contact")
    assert later.value.outage is outage


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b'{"value":[1]}', b'{"value":[{}]}', b'{"value":', b"\xff\xfe", b"NaN"]
)
def test_an_answer_without_rows_is_tried_later(erp, content):
    def emptied(request, response):
        json = {"Content-Type": "application/json"}
        return httpx.Response(200, content=content, headers=json) if "contacts" in str(request.url) else response

    with pytest.raises(TryLater):
        erp.connect(Through(erp, emptied)).find("contact")


@pytest.mark.parametrize("content", [b"<html>Sign in</html>", b""])
def test_something_else_in_place_of_a_written_order_is_in_doubt(erp, dynamics, content):
    def replaced(request, response):
        if request.method != "POST" or "/api/" not in str(request.url):
            return response
        return httpx.Response(200, content=content, headers={"Content-Type": "text/html"})

    through = erp.connect(Through(erp, replaced), order_write=dynamics.values["order_write"])
    with pytest.raises(InDoubt):
        write(through)


@pytest.mark.parametrize("value", ["12,50", True, [1], {"a": 1}])
def test_an_amount_that_is_no_number_is_not_taken_for_one(erp, value):
    def spoiled(request, response):
        if "productpricelevels" not in str(request.url):
            return response
        body = response.json()
        body["value"][0]["amount"] = value
        return httpx.Response(200, json=body)

    with pytest.raises(NeedsPerson, match="amount"):
        erp.connect(Through(erp, spoiled)).find("productpricelevel")


def test_a_text_that_is_too_long_is_named_by_its_field(dynamics):
    with pytest.raises(RecordRefused, match="too long") as refused:
        write(dynamics, billto_city="x" * 81)
    assert (refused.value.field, refused.value.code) == ("billto_city", "0x80044331")
    assert "SHOP-1" in refused.value.message
    assert "request id" in refused.value.message
    assert "Shorten" in refused.value.hint


def test_an_amount_out_of_range_is_named_by_its_field(dynamics):
    with pytest.raises(RecordRefused) as refused:
        write(dynamics, freightamount=10**13)
    assert (refused.value.field, refused.value.code) == ("freightamount", "0x80044330")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("0x80040265", 400, RecordRefused),
        ("0x80040333", 500, RecordRefused),
        ("0x80040333", 412, RecordRefused),
        ("0x80060882", 412, TryLater),
        ("0x80072326", 503, TryLater),
        ("0x8004022e", 400, NeedsPerson),
        ("0x80040224", 500, InDoubt),
        ("", 503, InDoubt),
        ("0x80040216", 503, InDoubt),
        ("0x80072321", 429, TryLater),
        ("0x80060890", 400, NeedsPerson),
        ("", 413, RecordRefused),
        ("", 405, NeedsPerson),
        ("", 302, NeedsPerson),
    ],
)
def test_an_error_code_decides_what_happens_next(erp, code, status, kind):
    def refusing(request, response):
        if request.method != "PATCH":
            return response
        return httpx.Response(status, json={"error": {"code": code.upper().replace("X", "x"), "message": "Said so."}})

    dynamics = erp.connect()
    key = customer(dynamics)
    with pytest.raises(kind) as refused:
        erp.connect(Through(erp, refusing)).write("contact", {"lastname": "Other"}, key)
    assert type(refused.value) is kind
    assert "update contact guest@example.com" in refused.value.message


@pytest.mark.parametrize("status", [412, 500])
def test_a_duplicate_that_a_rule_found_is_refused_with_the_rule(erp, status):
    def refusing(request, response):
        if request.method != "PATCH":
            return response
        return httpx.Response(status, json={"error": {"code": "0x80040333", "message": "A duplicate was found."}})

    with pytest.raises(RecordRefused, match="duplicate detection rule") as refused:
        erp.connect(Through(erp, refusing)).write("contact", {"lastname": "Guest"}, idempotency_key=KEY)
    assert "Duplicate Detection Rules" in refused.value.hint


def test_a_number_that_another_order_has_is_told_apart_from_a_repeat(erp, dynamics):
    erp.sandbox.add_key("salesorder", "by_number", ("ordernumber",))
    write(dynamics)
    with pytest.raises(RecordRefused, match="must be unique"):
        dynamics.write("salesorder", order(dynamics), idempotency_key="00000000-0000-4000-8000-000000000001")


@pytest.mark.parametrize("content", [b"--x", b"", b"--x\r\n\r\nHTTP/1.1 204", b"--b\n\n--b--", b"\xff" * 40])
def test_a_batch_answer_that_cannot_be_read_is_in_doubt(erp, content):
    def spoiled(request, response):
        if "$batch" not in str(request.url):
            return response
        return httpx.Response(200, content=content, headers={"Content-Type": "multipart/mixed; boundary=b"})

    with pytest.raises(InDoubt, match="cannot be read"):
        write(erp.connect(Through(erp, spoiled), order_write="batch"))


def test_a_batch_answer_that_tells_of_a_part_only_is_in_doubt(erp):
    def cut(request, response):
        if "$batch" not in str(request.url):
            return response
        boundary = response.headers["content-type"].partition("boundary=")[2].encode()
        one = b"Content-Type: application/http\r\nContent-ID: 1\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
        whole = b"--" + boundary + b"\r\n" + one + b"\r\n--" + boundary + b"--\r\n"
        headers = {name: response.headers[name] for name in ("content-type", "req_id")}
        return httpx.Response(200, content=whole, headers=headers)

    with pytest.raises(InDoubt, match=r"cannot be read, request id [0-9a-f-]{36}"):
        write(erp.connect(Through(erp, cut), order_write="batch"))


def test_a_batch_part_without_a_request_id_is_told_with_the_one_of_the_whole(erp):
    given = []

    def bare(request, response):
        if "$batch" not in str(request.url):
            return response
        given.append(response.headers["x-ms-service-request-id"])
        lines = [one for one in response.content.split(b"\r\n") if b"request-id" not in one and b"REQ_ID" not in one]
        headers = {name: response.headers[name] for name in ("content-type", "x-ms-service-request-id")}
        return httpx.Response(response.status_code, content=b"\r\n".join(lines), headers=headers)

    with pytest.raises(RecordRefused) as refused:
        write(erp.connect(Through(erp, bare), order_write="batch"), billto_city="x" * 81)
    assert refused.value.field == "billto_city"
    assert f"request id {given[0]}" in refused.value.message


@pytest.mark.parametrize(
    ("switch", "code"),
    [
        ({"request_limit": 0}, "0x80072322"),
        ({"time_limit": 1, "call_milliseconds": 1001}, "0x80072321"),
        ({"concurrency_limit": 0}, "0x80072326"),
    ],
)
def test_every_limit_of_the_service_is_told_with_its_end_and_the_request_id(erp, switch, code):
    dynamics = erp.connect()
    dynamics.find("contact")
    for name, value in switch.items():
        setattr(erp.sandbox.switches, name, value)
    with pytest.raises(TryLater, match=rf"HTTP 429, {code}, request id [0-9a-f-]{{36}}") as later:
        dynamics.find("contact")
    assert later.value.after == erp.now + timedelta(seconds=10)


def test_a_batch_of_too_many_lines_is_refused_before_it_is_sent(erp):
    dynamics = erp.connect(order_write="batch")
    lines = [write_in(f"Fee {number}", "1") for number in range(1000)]
    with pytest.raises(RecordRefused, match="1000 operations"):
        write(dynamics, order_details=lines)
    assert erp.sent("POST", "batch") == []


def test_an_address_that_is_no_environment_is_told(erp):
    def elsewhere(request, response):
        return response if "oauth2" in str(request.url) else httpx.Response(404, text="<html>parked</html>")

    with pytest.raises(NeedsPerson, match="does not answer as a Dataverse Web API") as refused:
        erp.connect(Through(erp, elsewhere)).read("contact", KEY)
    assert type(refused.value) is NeedsPerson
