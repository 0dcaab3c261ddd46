"""No hook ever sees a secret: not in what is read or sent back by a write, not where an answer repeats a call."""

import dataclasses
from base64 import b64encode

import httpx
import pytest

from connectors.errors import ConnectorError
from connectors.prestashop.tests.connector_shop import Shop
from connectors.session import Call

SECRETS = {
    "secure_key": "5f1d3a9be07c4d2286a1f0c3b47e9d10",
    "passwd": "$2y$10$Zq1notarealhashnotarealhashnotarealhashnotarealhashnot",
    "reset_password_token": "9b2c1resettoken",
    "card_number": "4111111111111111",
    "card_holder": "INES MOREAU",
    "token": "threadtoken77",
    "download_hash": "ad0be0downloadhash",
}


@pytest.fixture
def telling(shop: Shop) -> Shop:
    """A shop with a secret of every kind, and an order 44 that has them all."""
    names = ("secure_key", "passwd", "reset_password_token")
    shop.change("customers", "1", **{name: SECRETS[name] for name in names})
    key = shop.order(44, secure_key=SECRETS["secure_key"])
    shop.line(key, download_hash=SECRETS["download_hash"])
    payment = {name: SECRETS[name] for name in ("card_number", "card_holder")}
    shop.store.insert("order_payments", {"order_reference": "AAAAAAAAA", "amount": "1", **payment})
    shop.store.insert("customer_threads", {"id_order": key, "token": SECRETS["token"], "email": "i@mail.example"})
    return shop


def seen(calls: list[Call]) -> str:
    """Everything that a hook was handed, as text."""
    return repr([dataclasses.asdict(one) for one in calls])


def assert_nothing_secret(shop: Shop, *more: str) -> None:
    key = shop.key
    text = seen(shop.calls)
    basic = b64encode(f"{key}:".encode()).decode()
    assert shop.calls
    assert [one for one in (*SECRETS.values(), key, basic, *more) if one in text] == []


def test_reading_shows_hooks_no_secret(telling: Shop):
    prestashop = telling.connect()
    prestashop.read("orders", "44")
    prestashop.find("customers")
    prestashop.find("order_details")
    list(prestashop.changes("orders"))

    assert_nothing_secret(telling)
    bodies = b"".join(call.response_body for call in telling.calls)
    assert b"<secure_key>" in bodies
    assert "Inès".encode() in bodies


def test_the_whole_order_that_a_patch_sends_back_shows_no_secret(telling: Shop):
    telling.connect().write("orders", {"note": "SO-1"}, "44")

    (call,) = telling.sent("PATCH")
    assert b"<note><![CDATA[SO-1]]></note>" in call.response_body
    assert_nothing_secret(telling)


def test_a_state_change_shows_no_secret(telling: Shop):
    telling.connect(key_in_url="yes").write("order_histories", {"id_order": 44, "id_order_state": 4})

    assert_nothing_secret(telling)


@pytest.mark.parametrize("escaped", [False, True])
def test_an_error_that_echoes_a_record_shows_no_secret(telling: Shop, escaped: bool):
    record = "".join(f"<{name}>{text}</{name}>" for name, text in SECRETS.items())
    if escaped:
        record = record.replace("<", "&lt;").replace(">", "&gt;")
    echo = f"<error><code>127</code><message><![CDATA[Original XML : {record}]]></message></error>"
    body = f"<?xml version='1.0'?><prestashop><errors>{echo}</errors></prestashop>".encode()

    with pytest.raises(ConnectorError):
        telling.connect(lambda request, answer: httpx.Response(500, content=body)).read("orders", "44")

    assert "Original XML" in seen(telling.calls)
    assert_nothing_secret(telling)


@pytest.mark.parametrize("key_in_url", ["no", "yes"])
def test_a_redirect_and_a_page_that_repeat_the_key_do_not_show_it(telling: Shop, key_in_url: str):
    key = telling.key

    def repeat(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        page = f"<pre>GET {request.url}\nAuthorization: {request.headers.get('Authorization')}\n{key}</pre>"
        address = f"https://www.shop.example/{key}?url=orders&ws_key={key}"
        return httpx.Response(302, headers={"Location": address, "X-Asked": str(request.url)}, content=page.encode())

    with pytest.raises(ConnectorError):
        telling.connect(repeat, key_in_url=key_in_url).read("orders", "44")

    assert "www.shop.example" in telling.calls[0].response_headers["location"]
    assert_nothing_secret(telling)


def test_an_answer_that_ends_in_the_middle_of_a_secret_does_not_show_it(telling: Shop):
    def cut(request: httpx.Request, answer: httpx.Response) -> bytes:
        position = answer.content.find(SECRETS["secure_key"].encode())
        return answer.content[: position + 12] if position > 0 else answer.content

    with pytest.raises(ConnectorError):
        telling.connect(cut).read("orders", "44")

    assert_nothing_secret(telling, SECRETS["secure_key"][:12])


def test_an_answer_without_secrets_is_shown_as_it_came(telling: Shop):
    record = b"<currency><id>1</id><passwd/><x>&lt;tokens&gt; of <![CDATA[<passwd]]></x></currency>"
    plain = b"<prestashop><currencies>" + record + b"</currencies></prestashop>"
    answers: list[bytes] = []

    def keep(request: httpx.Request, answer: httpx.Response) -> bytes:
        answers.append(plain)
        return plain

    telling.connect(keep).find("currencies")

    assert [call.response_body for call in telling.calls] == answers


def test_the_hook_before_a_call_is_asked_and_may_hold_it_back(telling: Shop):
    asked: list[Call] = []
    prestashop = telling.connect(key_in_url="yes")
    prestashop.session.before = asked.append
    prestashop.read("currencies", "1")

    assert httpx.URL(asked[0].url).path == "/api/currencies/1"
    assert telling.key not in seen(asked)


def test_a_lost_answer_whose_words_hold_the_key_does_not_show_it(telling: Shop):
    def lose(request: httpx.Request, answer: httpx.Response) -> None:
        raise httpx.ReadError(f"lost: {request.url}")

    with pytest.raises(ConnectorError):
        telling.connect(lose, key_in_url="yes").read("orders", "44")

    assert telling.calls[0].error.startswith("lost: ")
    assert_nothing_secret(telling)
