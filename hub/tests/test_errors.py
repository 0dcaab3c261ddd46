"""Every class of error from a sandbox to the rows: what becomes of the message, its words, and that the remedy works.

Here are those of a system as a whole: it is away, busy, or refuses the sign-in. What becomes of one record is in
test_stopped and test_in_doubt.
"""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from connectors.dynamics365 import client
from connectors.prestashop.sandbox import rights
from connectors.sandbox import Fault
from connectors.serving import serving
from hub import connecting
from hub.again import send_again
from hub.models import Attempt, AuditEntry, Connection, Lane, Problem
from hub.pausing import resume
from hub.tests.seeing import attempts, back, fresh, is_paused, new_secret, signed_out, stands_as, watched

pytestmark = pytest.mark.django_db
ORDERS = "/salesorders$"

# ---- temporary ----

GONE = "gave no complete answer: Server disconnected without sending a response."
BUSY = {"kind": "status", "status": 429, "retry_after": 600}
DOWN = {"kind": "maintenance", "retry_after": 600}
AWAY = [
    ("erp", {"kind": "refused"}, f"Dynamics 365 {GONE}", 0),
    ("erp", BUSY, "Dynamics 365 holds calls back, could not look up organization: the requests allowed in five", 0),
    ("erp", DOWN, "Dynamics 365 could not look up organization (HTTP 503).", 0),
    ("erp", {"kind": "maintenance"}, "Dynamics 365 could not look up organization (HTTP 503).", 0),
    ("erp", {"kind": "html"}, "Dynamics 365 could not look up organization (HTTP 502).", 0),
    ("erp", {**DOWN, "method": "POST", "path": ORDERS}, "Dynamics 365 could not create order PS-1 (HTTP 503).", 0),
    ("erp", {"kind": "error_before", "path": "/products"}, "Dynamics 365 could not look up product: An unexpected", 1),
    ("erp", {"kind": "malformed", "path": "/products"}, "Dynamics 365 gave no readable answer when asked to look", 1),
    ("shop", {"kind": "refused"}, f"PrestaShop {GONE}", 0),
    ("shop", BUSY, "Reading orders/1: the shop is busy or down (status 429).", 0),
    ("shop", {"kind": "status", "status": 503}, "Reading orders/1: the shop is busy or down (status 503).", 0),
    ("shop", {"kind": "html"}, "Reading orders/1: the shop failed, most likely its database or PHP is down (sta", 0),
    ("shop", {"kind": "error_before"}, "Reading orders/1: the shop failed, most likely a PHP error (status 500", 1),
    ("shop", {"kind": "malformed", "status": 500}, "Reading orders/1: the shop's answer ends too early.", 1),
]


@pytest.mark.parametrize(("side", "fault", "words", "tries"), AWAY)
def test_a_system_that_is_away_or_busy_makes_the_message_wait_and_stops_nothing(running, side, fault, words, tries):
    order = running.order()
    message = running.receive(order)
    getattr(running.joined, side).faults = [Fault(**fault, times=-1)]
    before = timezone.now()
    running.work()
    assert stands_as(message) == ("waiting", "", "temporary", tries)
    assert message.reason.startswith(words)
    assert ".." not in message.reason
    assert message.not_before > before + timedelta(seconds=590 if "retry_after" in fault else 3)
    assert Lane.objects.get(pk=message.lane_id).due_at == message.not_before
    assert attempts(message) == [(1, "waiting", "temporary")]
    assert (Attempt.objects.get(message=message).reason, message.problem) == (message.reason, None)
    assert not Problem.objects.exists()
    assert not Connection.objects.filter(paused=True).exists()
    back(running)
    assert stands_as(message) == ("finished", "done", "", tries)
    assert attempts(message) == [(1, "waiting", "temporary"), (2, "done", "")]
    assert running.exact(order)


@pytest.fixture
def on_a_port(running, monkeypatch):
    """The ERP's sandbox over a real socket, whose client waits for a fifth of a second."""
    monkeypatch.setattr(client, "SECONDS", 0.2)
    connecting.transports.pop("dynamics365")
    with serving(running.joined.erp) as address:
        running.erp.settings |= {"environment_url": address, "authority": address}
        running.erp.save()
        connecting.close_all()
        yield running


def test_an_answer_that_takes_too_long_is_waited_for_later(on_a_port):
    message = on_a_port.receive(on_a_port.order())
    on_a_port.joined.erp.faults = [Fault("slow", seconds=0.5, path="/organizations")]
    on_a_port.work()
    assert stands_as(message) == ("waiting", "", "temporary", 0)
    assert message.reason == "Dynamics 365 gave no complete answer: timed out."
    back(on_a_port)
    assert fresh(message).outcome == "done"


def test_a_write_whose_answer_takes_too_long_is_asked_about(on_a_port):
    order = on_a_port.order()
    message = on_a_port.receive(order)
    writes = watched(on_a_port.joined.erp)
    on_a_port.joined.erp.faults = [Fault("late", seconds=0.5, method="POST", path=ORDERS)]
    on_a_port.work()
    assert stands_as(message) == ("finished", "done", "", 0)
    assert len(writes.made("/salesorders")) == 1
    assert on_a_port.exact(order)


def test_a_system_that_cannot_be_reached_is_waited_for(running):
    connecting.transports.pop("dynamics365")
    with serving(running.joined.erp) as address:
        running.erp.settings |= {"environment_url": address, "authority": address}
        running.erp.save()
        message = running.receive(running.order())
    connecting.close_all()
    running.work()
    assert stands_as(message) == ("waiting", "", "temporary", 0)
    assert message.reason.startswith("Dynamics 365 cannot be reached: ")


def test_a_sign_in_that_is_down_is_waited_for_and_pauses_nothing(running):
    message = running.receive(running.order())
    signed_out()
    running.joined.erp.faults = [Fault("status", status=503, path="/oauth2/", times=-1)]
    running.work()
    assert stands_as(message) == ("waiting", "", "temporary", 0)
    assert message.reason.startswith("Microsoft Entra is busy or down (HTTP 503")
    assert not Connection.objects.filter(paused=True).exists()
    back(running)
    assert fresh(message).outcome == "done"


def test_after_the_last_try_a_person_is_asked_and_may_send_it_again(running):
    order = running.order()
    message = running.receive(order)
    running.joined.erp.faults = [Fault("error_before", times=-1, path="/products")]
    for _ in range(10):
        running.work()
        running.later()
    assert stands_as(message) == ("dead letter", "", "temporary", 10)
    assert message.reason.endswith("Send it again when the cause ends.")
    assert message.problem.state == "open"
    problem = message.problem
    running.joined.erp.faults = []
    send_again(message)
    assert stands_as(message) == ("waiting", "", "", 0)
    running.work()
    assert stands_as(message) == ("finished", "done", "", 0)
    assert fresh(problem).state == "closed"
    assert [number for number, *_ in attempts(message)] == list(range(1, 12))


# ---- sign-in ----


def test_a_wrong_client_secret_pauses_the_erp_and_its_messages_wait_without_using_tries(running):
    right = running.erp.secret("client_secret")[0]
    orders = [running.order(), running.order()]
    tried = running.receive(orders[0])
    new_secret(running.erp, "client_secret", "wrong")
    signed_out()
    running.work()
    untried = running.receive(orders[1])
    running.later()
    running.work()
    assert (stands_as(tried), stands_as(untried)) == (("waiting", "", "sign-in", 0), ("waiting", "", "", 0))
    assert (attempts(tried), attempts(untried)) == ([(1, "waiting", "sign-in")], [])
    assert (tried.not_before, Problem.objects.exists()) == (None, False)
    assert tried.reason.startswith("Microsoft Entra refuses the sign-in, invalid_client: AADSTS7000215")
    assert "enter its value (not its id) in the connection" in tried.reason
    assert "•••" not in tried.reason
    assert right not in tried.reason
    assert is_paused(running.erp, "Microsoft Entra refuses the sign-in, invalid_client")
    new_secret(running.erp, "client_secret", right)
    person = User.objects.create(username="petra")
    assert resume(running.erp, person)
    running.work()
    assert {fresh(one).outcome for one in (tried, untried)} == {"done"}
    assert AuditEntry.objects.get(what="resumed").who == person


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("application_user_missing", "the application is no user of this environment (HTTP 403, 0x80072560"),
        ("security_role_missing", "a privilege is missing (HTTP 403, 0x80040220"),
    ],
)
def test_an_application_user_who_may_not_pauses_the_erp_and_the_words_name_the_place(running, switch, words):
    message = running.receive(running.order())
    setattr(running.joined.erp.switches, switch, True)
    running.work()
    assert stands_as(message) == ("waiting", "", "sign-in", 0)
    assert words in message.reason
    assert (
        "Power Platform admin center, environment, Settings, Users + permissions, Application users" in message.reason
    )
    assert is_paused(running.erp, "Dynamics 365 does not let the application user look up organization")
    setattr(running.joined.erp.switches, switch, False)
    resume(running.erp)
    running.work()
    assert fresh(message).outcome == "done"


def test_a_token_that_no_header_can_carry_is_waited_for_and_not_shown(on_a_port):
    erp, order, given = on_a_port.joined.erp, on_a_port.order(), []
    respond = erp.respond

    def responding(request):
        answer = respond(request)
        if "/oauth2/" in request.path:
            told = json.loads(answer.body)
            given.append(told["access_token"])
            answer.body = json.dumps({**told, "access_token": f"{given[-1]}\n"}).encode()
        return answer

    signed_out()
    erp.respond = responding
    message = on_a_port.receive(order)
    on_a_port.work()
    assert stands_as(message) == ("waiting", "", "temporary", 0)
    assert given[0] not in message.reason + message.attempts.get().reason
    erp.respond = respond
    back(on_a_port)
    assert fresh(message).outcome == "done"


@pytest.mark.parametrize("how", ["expired", "revoked", "over"])
def test_a_token_that_is_not_valid_any_more_is_renewed_in_silence(running, how):
    message = running.receive(running.order())
    if how == "expired":
        running.joined.erp.faults = [Fault("expired", path="/api/data/")]
    elif how == "revoked":
        running.joined.erp.entra.forget()
    else:
        signed_out()
    running.work()
    assert stands_as(message) == ("finished", "done", "", 0)
    assert attempts(message) == [(1, "done", "")]
    assert not AuditEntry.objects.exists()


SHOP_REFUSES = [
    (rights.DISABLED.key, "PrestaShop does not know this webservice key, or it is switched off. Compare the key"),
    ("TOOSHORT", "PrestaShop says that the webservice key does not have its 32 characters. Copy the key again"),
    (rights.READ_ORDERS.key, "The webservice key may not GET order_details. In the shop's back office, Advanced"),
]


@pytest.mark.parametrize(("key", "words"), SHOP_REFUSES)
def test_a_key_that_the_shop_refuses_pauses_the_shop(running, key, words):
    message = running.receive(running.order())
    new_secret(running.shop, "key", key)
    running.work()
    assert stands_as(message) == ("waiting", "", "sign-in", 0)
    assert message.reason.startswith(words.partition(" order_details")[0])
    assert is_paused(running.shop, words.partition(" order_details")[0])
    later = running.receive(running.joined.order())
    running.work()
    assert (stands_as(later), later.attempts.count()) == (("waiting", "", "", 0), 0)
    new_secret(running.shop, "key", rights.FULL.key)
    resume(running.shop)
    running.work()
    assert {fresh(message).outcome, fresh(later).outcome} == {"done"}


def test_a_webservice_that_is_switched_off_pauses_the_shop_and_says_where_it_is_switched_on(running):
    message = running.receive(running.order())
    running.joined.shop.switch_webservice(False)
    running.work()
    assert stands_as(message) == ("waiting", "", "sign-in", 0)
    assert message.reason.endswith("Advanced Parameters > Webservice, set 'Enable PrestaShop's webservice' to Yes.")
    assert is_paused(running.shop, "The shop's webservice is switched off.")
    running.joined.shop.switch_webservice(True)
    resume(running.shop)
    running.work()
    assert fresh(message).outcome == "done"
