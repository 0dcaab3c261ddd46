"""What is kept of every attempt: whole, small, readable with the right key alone, and without anybody's secrets."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pprint import pformat

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from connectors.http import MASK
from connectors.session import Call
from hub import evidence
from hub.evidence import attempt_of, kept, note_call, read, recording, store
from hub.models import Attempt, Connection, Evidence, Flow, Lane, Message, Pair
from hub.records import digest, from_json, to_json
from hub.scrubbing import scrubbed
from hub.secrets import CannotDecrypt

NOW = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)
CARD = "4111111111111111"


@pytest.fixture
def message(db):
    shop = Connection.objects.create(name="shop", label="Shop", system="prestashop")
    erp = Connection.objects.create(name="erp", label="ERP", system="dynamics365")
    pair = Pair.objects.create(name="one", label="Pair", source=shop, target=erp)
    flow = Flow.objects.create(pair=pair, name="orders", label="Orders", source_entity="orders", target_entity="order")
    lane = Lane.objects.create(pair=pair, entity="orders", key="1")
    return Message.objects.create(flow=flow, lane=lane, origin="poll")


def call(**values):
    usual = {"method": "GET", "url": "https://erp.example/orders", "request_headers": {}, "request_body": b""}
    return Call(**{**usual, "status": 200, **values})


def attempt(message, *calls, came_in=None, mapped=None, reason=""):
    """Keeps an attempt and returns it."""
    with recording() as recorder:
        for one in calls:
            note_call(one)
    made, rows = attempt_of(message, 1, NOW, NOW, "done", "", reason, [], came_in, mapped or {}, recorder)
    store(rows)
    made.save()
    return Attempt.objects.get(pk=made.pk)


# ---- records as text ----

TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda one: one.replace(fold=0)) | st.dates()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text() | TIMES | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["=decimal", "==date", "="]), inner),
    max_leaves=15,
)


@given(VALUES)
def test_a_record_comes_back_from_its_text_as_it_was(value):
    again = from_json(to_json(value))
    assert again == value
    assert pformat(again) == pformat(value)  # types and decimal places, too
    assert to_json(again) == to_json(value)


def test_an_amount_keeps_its_places_and_a_date_its_type():
    record = {"total": Decimal("1.20"), "day": date(2026, 3, 4), "at": NOW, "=decimal": "1.20", "row": {"=date": None}}
    assert repr(from_json(to_json(record))["total"]) == "Decimal('1.20')"
    assert from_json(to_json(record)) == record


def test_one_record_has_one_text_and_one_digest():
    assert to_json({"b": 1, "a": [Decimal("2.50")]}) == '{"a":[{"=decimal":"2.50"}],"b":1}'
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert len({digest(one) for one in ({"a": 1}, {"a": "1"}, {"a": Decimal(1)}, {"a": True}, {"a": None}, {})}) == 6


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", datetime(2026, 1, 1), float("nan")])  # noqa: DTZ001
def test_what_no_record_may_hold_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        to_json({"value": value})


@pytest.mark.parametrize("text", ['{"=decimal":"abc"}', '{"=date":1}', '{"=decimal":[1]}', "{", ""])
def test_a_text_that_is_no_record_is_refused(text):
    with pytest.raises(ValueError):
        from_json(text)


# ---- rows ----


def test_an_attempt_keeps_what_came_in_was_mapped_sent_and_answered(message):
    came_in = {"id": 44, "total": Decimal("1.20"), "note": "Žluťoučký kůň 🐎 \ud800", "rows": []}
    mapped = {"order": {"name": "PS-44", "amount": Decimal("1.20")}}
    sent = call(method="POST", request_body=b'{"name":"PS-44"}', status=204, response_headers={"etag": 'W/"1"'})
    made = attempt(message, call(response_body="é".encode()), sent, came_in=came_in, mapped=mapped)
    assert (read(made.came_in), read(made.mapped)) == (came_in, mapped)
    first, second = read(made.calls)
    assert first["response_body"] == "é"
    assert (second["method"], second["status"], second["request_body"]) == ("POST", 204, '{"name":"PS-44"}')
    assert second["response_headers"] == {"etag": 'W/"1"'}


def test_an_attempt_without_anything_keeps_nothing(message):
    made = attempt(message)
    assert (made.came_in, made.mapped, made.calls) == ("", "", "")
    assert not Evidence.objects.exists()


def test_two_attempts_share_what_is_the_same(message):
    first = attempt(message, call(status=500), came_in={"id": 44})
    second = attempt(message, call(status=200), came_in={"id": 44})
    assert first.came_in == second.came_in
    assert first.calls != second.calls
    assert Evidence.objects.count() == 3


def test_what_is_stored_again_is_as_new(message):
    made = attempt(message, came_in={"id": 44})
    long_ago = NOW - timedelta(days=80)
    Evidence.objects.update(stored_at=long_ago)
    attempt(message, came_in={"id": 44})
    assert Evidence.objects.get(pk=made.came_in).stored_at > long_ago
    assert read(made.came_in) == {"id": 44}


def test_another_pair_shares_nothing(message):
    assert kept(1, "{}").digest != kept(2, "{}").digest


def test_evidence_is_compressed_and_encrypted(message):
    made = attempt(message, came_in={"note": "Hana Dvořák " * 1000})
    row = Evidence.objects.get(pk=made.came_in)
    assert b"Hana" not in bytes(row.content)
    assert row.size == len(bytes(row.content)) < 500


def test_evidence_is_read_while_any_of_the_keys_fits(message, settings):
    made = attempt(message, came_in={"id": 44})
    old, new = settings.ENCRYPTION_KEYS, Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *old]
    assert read(made.came_in) == {"id": 44}
    settings.ENCRYPTION_KEYS = [new]
    with pytest.raises(CannotDecrypt, match="fits none of the ENCRYPTION_KEYS; put the removed key back"):
        read(made.came_in)


def test_what_was_tidied_away_is_nothing(message):
    assert read("0" * 64) is None
    assert read("") is None


def test_a_large_body_is_cut_and_says_so(message):
    long = ("é" * 50_000).encode()
    (one,) = read(attempt(message, call(response_body=long, request_body=b"x" * 65_536)).calls)
    assert one["response_body"].endswith("\n[cut: the first 64 KB of 97 KB are kept]")
    assert set(one["response_body"].partition("\n")[0]) == {"é"}
    assert len(one["request_body"]) == 65_536


def test_a_body_that_is_no_text_or_in_another_encoding_is_told_as_it_can_be(message):
    bodies = [b"PK\x03\x04\0\0", "Zoë".encode("cp1252"), "<a>Žižkov</a>".encode("utf-16"), b"\xef\xbb\xbf{}"]
    found = read(attempt(message, *(call(response_body=one) for one in bodies)).calls)
    told = [one["response_body"] for one in found]
    assert told == ["[6 bytes that are no text]", "Zoë", "<a>Žižkov</a>", "\ufeff{}"]


def test_of_too_many_large_calls_the_last_ones_are_kept_whole(message):
    found = read(attempt(message, *(call(response_body=b"%d" % number * 60_000) for number in range(1, 10))).calls)
    whole = [one for one in found if "response_body" in one]
    assert whole == found[-len(whole) :]
    assert len(whole) == 8
    assert found[0]["status"] == 200
    assert "more than 512 KB" in found[0]["cut"]


def test_of_very_many_calls_the_first_are_only_counted(message):
    found = read(attempt(message, *(call(status=number) for number in range(1500))).calls)
    assert found[0] == {"cut": "500 calls before these are not kept."}
    assert found[-1]["status"] == 1499
    assert len(found) == 1001


def test_only_headers_that_tell_something_are_kept(message):
    headers = {"content-type": "text/xml", "authorization": "Basic abc", "cookie": "a=b", "accept-encoding": "gzip"}
    (one,) = read(attempt(message, call(request_headers=headers, response_headers={"set-cookie": "s=1"})).calls)
    assert (one["request_headers"], one["response_headers"]) == ({"content-type": "text/xml"}, {})


@pytest.mark.parametrize("value", [{"bad": {1, 2}}, {"bad": 10**5000}, {"bad": "x" * 3_000_000}])
def test_a_record_that_cannot_be_kept_stops_nothing(message, value):
    assert "not kept" in read(attempt(message, came_in=value).came_in)


def test_a_record_that_holds_itself_stops_nothing(message):
    ring = {}
    ring["self"] = ring
    assert "cannot be kept" in read(attempt(message, came_in=ring).came_in)["not kept"]


def test_a_reason_is_fit_for_its_column(message):
    assert attempt(message, reason="password=hunter2 \0 \ud800").reason == f"password={MASK} � ?"


# ---- recording ----


def test_calls_are_noted_where_somebody_records_and_nowhere_else():
    note_call(call())
    with recording() as outer:
        note_call(call(status=1))
        with recording() as inner:
            note_call(call(status=2))
        note_call(call(status=3))
    note_call(call(status=4))
    assert [one.status for one in outer.calls] == [1, 3]
    assert inner.last_call.status == 2


def test_a_real_order_leaves_its_calls_and_no_secret(running):
    shop, erp = running.joined.shop, running.joined.erp
    order = running.joined.order(customer=running.joined.customer(secure_key="5f1d3a9be07c4d2286a1f0c3b47e9d10"))
    source, target = running.joined.pair.source, running.joined.pair.target
    source.session.after = target.session.after = note_call
    with recording() as recorder:
        outcome, work = running.joined.carry(order)[0], source.read("orders", str(order))
    assert outcome.state == "done"
    mapped = {"order": {"name": "PS"}}
    message = running.receive(order)
    made, rows = attempt_of(message, 1, NOW, NOW, "done", "", "", [], work, mapped, recorder)
    store(rows)
    kept_text = to_json(read(made.calls)) + to_json(read(made.came_in))
    secrets = ["5f1d3a9be07c4d2286a1f0c3b47e9d10", shop.connection()["key"], erp.connection()["client_secret"]]
    assert [one for one in secrets if one in kept_text] == []
    assert "/api/orders/" in kept_text
    assert sum(row.size for row in rows) < 20_000


# ---- secrets ----

SECRET = "Hunter2!"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f'{{"a":"b","password":"{SECRET}","x":1}}', f'{{"a":"b","password":"{MASK}","x":1}}'),
        (f'{{"new_password" : "{SECRET}\\"more", "x":1}}', f'{{"new_password" : "{MASK}", "x":1}}'),
        (f'{{"clientSecret":"{SECRET}', f'{{"clientSecret":"{MASK}'),
        (f'{{"access_token":"{SECRET}","token_type":"Bearer"}}', f'{{"access_token":"{MASK}","token_type":"Bearer"}}'),
        ('{"cvv":123,"cvc":null,"x":1}', f'{{"cvv":"{MASK}","cvc":null,"x":1}}'),
        (f'{{"card_number":["{SECRET}",{{"a":"]"}}],"x":1}}', f'{{"card_number":"{MASK}","x":1}}'),
        (f'{{"password":["{SECRET}', f'{{"password":"{MASK}"'),
        (f'{{"a":"{{\\"passwd\\":\\"{SECRET}\\",\\"b\\":1}}"}}', f'{{"a":"{{\\"passwd\\":\\"{MASK}\\",\\"b\\":1}}"}}'),
        (f'{{"a":"\\"passwd\\":\\"{SECRET}","b":1}}', f'{{"a":"\\"passwd\\":\\"{MASK}","b":1}}'),
        (f"\\u0022token\\u0022:\\u0022{SECRET}\\u0022", f"\\u0022token\\u0022:\\u0022{MASK}\\u0022"),
        (f'{{"name":"password","value":"{SECRET}"}}', f'{{"name":"password","value":"{MASK}"}}'),
        (f"<passwd><![CDATA[{SECRET}]]></passwd><b>1</b>", f"<passwd>{MASK}</passwd><b>1</b>"),
        (f'<o:Password Type="x">{SECRET}</o:Password><b/>', f'<o:Password Type="x">{MASK}</o:Password><b/>'),
        (f"&lt;secure_key&gt;{SECRET}&lt;/secure_key&gt;b", f"&lt;secure_key&gt;{MASK}&lt;/secure_key&gt;b"),
        (f"<reset_password_token>{SECRET}", f"<reset_password_token>{MASK}"),
        ("<passwd/><b>1</b>", "<passwd/><b>1</b>"),
        (f'<add key="password" Value="{SECRET}"/><b/>', f'<add key="password" Value="{MASK}"/><b/>'),
        (f'<p name="password">{SECRET} a</p><b/>', f'<p name="password">{MASK}</p><b/>'),
        (f"<name>password</name> <value>{SECRET} a</value>", f"<name>password</name> <value>{MASK}</value>"),
        (f"grant_type=password&password={SECRET}&b=1", f"grant_type=password&password={MASK}&b=1"),
        (f"client_assertion_type=a&client_assertion={SECRET}", f"client_assertion_type=a&client_assertion={MASK}"),
        (f"customer[passwd]={SECRET}&a%5Bpasswd%5D={SECRET}&b", f"customer[passwd]={MASK}&a%5Bpasswd%5D={MASK}&b"),
        (f"https://a/api?ws_key={SECRET}&amp;b=1", f"https://a/api?ws_key={MASK}&amp;b=1"),
        (f"?to=http%3A%2F%2Fb%3Fws_key%3D{SECRET}%26a%3D1&c=2", f"?to=http%3A%2F%2Fb%3Fws_key%3D{MASK}%26a%3D1&c=2"),
        (f"%7B%22token%22%3A%22{SECRET}%22%2C", f"%7B%22token%22%3A%22{MASK}%22%2C"),
        (f"https://{SECRET}:x@shop.example/api", f"https://{MASK}@shop.example/api"),
        (f"Authorization: Basic {SECRET} a\r\nHost: b", f"Authorization: {MASK}\r\nHost: b"),
        (f'"Cookie: a={SECRET}; b=c\\r\\nHost: d"', f'"Cookie: {MASK}\\r\\nHost: d"'),
        (f"[passwd] => {SECRET}\n[b] => 1", f"[passwd] => {MASK}\n[b] => 1"),
        (f"'card_holder' => '{SECRET}', 'b' => 1", f"'card_holder' => '{MASK}', 'b' => 1"),
        (f"PWD={SECRET};Database=b", f"PWD={MASK}"),
    ],
)
def test_a_secret_goes_and_what_stands_beside_it_stays(text, clean):
    assert scrubbed(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        '{"@odata.nextLink":"https://a/b?$skiptoken=%3Ccookie%20pagenumber=%222%22"}',
        '{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided"}',
        "invalid_token: the token expired; the password must have 8 letters",
        '{"key":"abc","primarykey":1,"secretary":"Anna","recvCount":5,"CardCode":"C1","discarded":true,"author":"a"}',
        "<ean13>4006381333931</ean13><siret>73282932000074</siret>",
        '{"id":"41111111-1111-1111-1111-111111111111","amount":4111111111111111.00,"n":14111111111111111}',
        "order 1772615700123456, 4111111111111112, a-4111111111111111, x4111111111111111, 4111111111111111-2",
    ],
)
def test_what_only_looks_like_a_secret_stays(text):
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"My card is {CARD}.", f"My card is {MASK}1111."),
        ("4111 1111 1111 1111 or 4111-1111-1111-1111", f"{MASK}1111 or {MASK}1111"),
        ("3782 822463 10005, 378282246310005", f"{MASK}0005, {MASK}0005"),
        (f'{{"n":{CARD},"b":"\\n{CARD}"}}', f'{{"n":"{MASK}1111","b":"\\n{MASK}1111"}}'),
        (f"\\u00a0{CARD} ?q=%20{CARD}&a", f"\\u00a0{MASK}1111 ?q=%20{MASK}1111&a"),
        ("<transaction_id><![CDATA[4222222222222]]></transaction_id>", f"<transaction_id><![CDATA[{MASK}2222]]>"),
        (
            '{"payment":"6304 0000 0000 0000","b":"6304000000000000"}',
            f'{{"payment":"{MASK}0000","b":"6304000000000000"}}',
        ),
    ],
)
def test_of_a_card_number_the_last_four_digits_stay(text, clean):
    assert scrubbed(text).removesuffix("</transaction_id>") == clean


def test_a_record_loses_its_secrets_and_nothing_else(message):
    came_in = {
        "reference": "ABCDEFGHI",
        "customer": {"passwd": SECRET, "secure_key": "", "e-mail": "a@b.example"},
        "payments": [{"card_number": Decimal("4.20"), "transaction_id": 4222222222222, "amount": Decimal("1.20")}],
        "settings": [{"name": "ws_key", "value": SECRET}, {"name": "lang", "value": "en"}],
        "note": f'é {CARD}, password: "{SECRET}',
        "parcel": "4006381333931",
    }
    made = attempt(message, came_in=came_in, mapped={"order": {"description": f"\u00a0{CARD}"}})
    assert read(made.came_in) == {
        "reference": "ABCDEFGHI",
        "customer": {"passwd": MASK, "secure_key": "", "e-mail": "a@b.example"},
        "payments": [{"card_number": MASK, "transaction_id": f"{MASK}2222", "amount": Decimal("1.20")}],
        "settings": [{"name": "ws_key", "value": MASK}, {"name": "lang", "value": "en"}],
        "note": f'é {MASK}1111, password: "{MASK}',
        "parcel": "4006381333931",
    }
    assert read(made.mapped) == {"order": {"description": f"\u00a0{MASK}1111"}}


def test_calls_lose_their_secrets(message):
    bad = call(
        url=f"https://a/b?access_token={SECRET}",
        request_body=f"client_secret={SECRET}".encode(),
        response_body=f"<a>é<passwd>{SECRET}</passwd></a>".encode(),
        response_headers={"location": f"https://a/b?ws_key={SECRET}"},
        error=f"password: {SECRET}",
    )
    assert SECRET not in to_json(read(attempt(message, call(), bad, call()).calls))


def test_a_secret_at_the_edge_of_what_is_kept_goes(message):
    edges = [b"<passwd>" + SECRET.encode() * 10_000, b"x" * 65_524 + b" " + CARD.encode()]
    found = [one["response_body"] for one in read(attempt(message, *(call(response_body=one) for one in edges)).calls)]
    assert found[0] == f"<passwd>{MASK}\n[cut: the first 64 KB of 78 KB are kept]"
    assert found[1].partition("\n")[0] == "x" * 65_524


NAMES = st.sampled_from(["passwd", "client_secret", "Authorization", "cardNumber", "ws-key", "refresh_token"])
OTHERS = st.text(max_size=5) | st.integers() | st.sampled_from(['"', "\\", '\\"', "<passwd>", "password=", "token: '"])


@given(st.dictionaries(NAMES | st.text(max_size=3), st.just(SECRET) | st.lists(st.just(SECRET)) | OTHERS), OTHERS)
def test_whatever_stands_beside_it_a_secret_of_a_record_goes_and_the_record_is_whole(part, other):
    named = {name: value for name, value in part.items() if value in (SECRET, [SECRET]) and len(name) > 3}
    record = {"first": other, "part": named, "rows": [named, other]}
    text = evidence._record_text(record)
    assert SECRET not in text
    assert list(from_json(text)) == ["first", "part", "rows"]


@pytest.mark.parametrize(
    "text",
    [
        *("token" + " " * 30_000, '"password":\\"' + "\\" * 30_000, "passw" * 6000, '"password":' + "[" * 30_000),
        *("1" * 30_000, f"payment={CARD} " * 1200, "://" + "a" * 30_000, "<password " * 3000, "\\u0022" * 5000),
    ],
)
def test_a_secret_behind_rubbish_goes(text):
    """Each was made to be read again and again."""
    assert SECRET not in scrubbed(f"{text} password={SECRET}")
