"""Webhooks: proved, committed, and only once."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from hub.install import install
from hub.models import Connection, Credential, Lane, Message, Pair

pytestmark = pytest.mark.django_db
SECRETS = [f"whsec_{base64.b64encode(bytes([one]) * 24).decode()}" for one in (1, 2)]


def store(connection, name, value):
    row = Credential(connection=connection, name=name)
    row.value = value
    row.save()


@pytest.fixture
def shop():
    shop = Connection.objects.create(name="shop", label="Shop", system="prestashop")
    erp = Connection.objects.create(name="erp", label="ERP", system="dynamics365")
    install(Pair.objects.create(name="one", label="Pair", source=shop, target=erp), "orders")
    store(shop, "webhook signing", SECRETS[0])
    store(shop, "webhook token", "a long secret path")
    return shop


@pytest.fixture
def post(client, shop):
    def post(
        body, *, identity="evt_1", secret=SECRETS[0], off=None, path="/api/webhooks/shop/", signed=None, **headers
    ):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = datetime.now(UTC) + (off or timedelta())
        signature = Webhook(secret).sign(identity, at, (signed or body).decode("utf-8", "replace"))
        proof = {"webhook-id": identity, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
        return client.post(path, body, content_type="application/json", headers={**proof, **headers})

    return post


ORDER = {"event": "order.created", "id": 44}


def test_a_signed_webhook_is_accepted_and_waits(post):
    answer = post(ORDER)
    assert answer.status_code == 202
    message = Message.objects.get()
    assert answer.json() == {"id": message.pk, "messages": [message.pk]}
    assert (message.lane.entity, message.lane.key, message.state, message.origin) == (
        "orders",
        "44",
        "waiting",
        "webhook",
    )
    assert message.lane.due_at is not None


def test_a_repeat_is_accepted_with_the_same_message(post):
    first, second = post(ORDER), post(ORDER)
    assert second.status_code == 202
    assert second.json() == first.json()
    assert Message.objects.count() == 1


def test_a_second_event_of_an_order_is_a_second_message_in_the_same_lane(post):
    post(ORDER)
    post({"event": "order.updated", "id": 44}, identity="evt_2")
    assert (Message.objects.count(), Lane.objects.count()) == (2, 1)


def test_both_secrets_are_valid_while_one_is_replaced(post, shop):
    store(shop, "webhook signing", SECRETS[1])
    assert post(ORDER, secret=SECRETS[1]).status_code == 202
    assert post(ORDER, secret=SECRETS[0], identity="evt_2").status_code == 202


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": SECRETS[1]},
        {"signed": b"{}"},
        {"off": timedelta(minutes=-6)},
        {"off": timedelta(minutes=6)},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,???"},
        {"webhook-timestamp": "now"},
    ],
)
def test_what_is_not_proved_or_stale_is_refused(post, wrong):
    assert post(ORDER, **wrong).status_code == 401
    assert Message.objects.count() == 0


def test_a_sender_that_cannot_sign_uses_the_secret_path(client, shop):
    path = "/api/webhooks/shop/{}/"
    answer = client.post(path.format("a long secret path"), ORDER, content_type="application/json")
    assert answer.status_code == 202
    assert client.post(path.format("guess"), ORDER, content_type="application/json").status_code == 401
    assert client.post("/api/webhooks/shop/", ORDER, content_type="application/json").status_code == 401


def test_an_unknown_connection_is_not_found(post):
    assert post(ORDER, path="/api/webhooks/elsewhere/").status_code == 404


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 3 * 1024 * 1024])
def test_a_body_over_one_megabyte_is_refused(post, size):
    assert post(b"[" + b" " * size + b"]").status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"id=44",
        b"\xff\xfe",
        b"<order><id>44</id>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><order><id>44</id></order>',
        [ORDER, 7],
        {"id": 44},
        {"event": "order.created"},
        {"event": "order.created", "id": "../44"},
        {"event": "order.created", "id": {"a": 1}},
        {"event": "order.created", "id": "4" * 5000},
        b"[" * 200_000,
        b"<order><id>" + b"4" * 300 + b"</id></order>",
    ],
)
def test_rubbish_is_refused_with_the_place(post, body):
    answer = post(body)
    assert answer.status_code in (400, 401)
    assert answer.json()["detail"]
    assert Message.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({"action": "update", "entity": "Order", "data": {"id": "7", "total": 1}}, ["7"]),
        ({"event": "order_history.created", "data": {"id": 3, "id_order": 8}}, ["8"]),
        ([ORDER, {"event": "orders/paid", "id": 45}], ["44", "45"]),
        (b"<prestashop><order><id>9</id></order></prestashop>", ["9"]),
        ({"event": "customer.created", "id": 5}, []),
        ({"event": "newsletter.sent", "id": 5}, []),
    ],
)
def test_the_shapes_of_senders_are_understood(post, body, keys):
    assert post(body).status_code == 202
    assert list(Message.objects.order_by("lane__key").values_list("lane__key", flat=True)) == keys


def test_a_paused_connection_accepts(post, shop):
    shop.paused = True
    shop.save()
    assert post(ORDER).status_code == 202


def test_a_flow_that_is_off_receives_nothing(post, shop):
    shop.pairs_as_source.get().flows.update(on=False)
    assert post(ORDER).json() == {"id": None, "messages": []}


def test_a_system_that_is_not_listened_to_is_told_so(client, shop):
    store(Connection.objects.get(name="erp"), "webhook token", "path")
    answer = client.post("/api/webhooks/erp/path/", ORDER, content_type="application/json")
    assert answer.status_code == 400
    assert "not understood" in answer.json()["detail"]
