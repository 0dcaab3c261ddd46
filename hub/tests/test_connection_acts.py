"""What a person does to a connection: tests it, pauses it, asks whether it is back, breaks its sandbox."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.prestashop.sandbox import rights
from connectors.sandbox import Fault, Response
from connectors.serving import serving
from hub import connecting, testing
from hub.models import AuditEntry, Connection, Credential, Message, Quota
from hub.tests.connections import LIST, changed_address, free_port, page_of, pressed
from hub.tests.console import console, text_of
from hub.tests.seeing import fresh

pytestmark = pytest.mark.django_db


# ---- the test, in words ----


def test_a_test_says_what_answered_as_whom_and_what_to_look_at(running):
    client = console("operator")
    said = pressed(client, running.shop)
    assert "Connected to" in said
    for fact in ("Shop: ", "PrestaShop: 8.", "Key may: read", "Look at this: The address begins with http://"):
        assert fact in said
    row = Connection.objects.get(pk=running.shop.pk)
    assert row.test_passed
    assert row.test_answer.splitlines()[0].startswith("Connected to")
    assert "passed 0 min ago" in text_of(client.get(LIST))


def refused_key(running):
    running.shop.credentials.filter(name="key").update(retired_at=timezone.now())
    secret = Credential(connection=running.shop, name="key")
    secret.value = rights.DISABLED.key
    secret.save()


def unreachable(running):
    del connecting.transports["prestashop"]
    changed_address(f"http://127.0.0.1:{free_port()}")(running)


def faulty(kind, **options):
    def change(running):
        running.joined.shop.faults = [Fault(kind, times=-1, **options)]

    return change


def front_page(running):
    """A sign-in page of something before the shop, which answers everything."""
    page = Response(200, b"<!DOCTYPE html><html><body>Please sign in</body></html>", [("Content-Type", "text/html")])
    running.joined.shop.respond = lambda request: page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (refused_key, "PrestaShop does not know this webservice key, or it is switched off."),
        (unreachable, "PrestaShop cannot be reached: "),
        (changed_address("http://sandbox.test/nowhere"), "There is no PrestaShop webservice at this address"),
        (changed_address("http://[shop"), "the shop's address must begin with https://"),
        (faulty("html"), "Reading the webservice: the shop failed"),
        (front_page, "answers, but not as a PrestaShop webservice"),
        (faulty("refused"), "PrestaShop gave no complete answer"),
        (faulty("maintenance"), ""),
        (faulty("malformed"), ""),
        (faulty("status", status=429, retry_after=20), ""),
        (faulty("error_before"), ""),
    ],
)
def test_a_test_that_fails_says_why_in_words(running, change, words):
    change(running)
    said = pressed(console("operator"), running.shop)
    row = Connection.objects.get(pk=running.shop.pk)
    assert (row.test_passed, row.tested_at is not None) == (False, True)
    assert words in row.test_answer
    assert " ".join(row.test_answer.split()) in said
    assert "Test failed" in said
    assert not re.search(r"Our fault|Traceback|Exception|<|\bNone\b", row.test_answer), row.test_answer


def test_a_refused_client_secret_is_said_with_what_to_do(running):
    secret = running.erp.credentials.get(name="client_secret")
    secret.value = "wRong~cLient.secRet8Q~typed"
    secret.save()
    said = pressed(console("operator"), running.erp)
    assert "Microsoft Entra refuses the sign-in, invalid_client" in said
    assert "wRong~" not in said


def test_a_slow_system_does_not_keep_whoever_tests_it_waiting(running, monkeypatch):
    monkeypatch.setattr(testing, "AN_ANSWER", 0.3)
    running.joined.shop.faults = [Fault("slow", times=-1, seconds=1.5)]
    del connecting.transports["prestashop"]
    port = free_port()
    with serving(running.joined.shop, port):
        changed_address(f"http://127.0.0.1:{port}")(running)
        began = timezone.now()
        said = pressed(console("operator"), running.shop)
        assert timezone.now() - began < timedelta(seconds=1.4)
    assert "PrestaShop gave no complete answer: timed out" in said


def test_a_test_that_takes_too_long_altogether_is_ended(running, monkeypatch):
    monkeypatch.setattr(testing, "ALTOGETHER", timedelta(0))
    assert "Dynamics 365 answers too slowly: this has taken too long, and was ended." in pressed(
        console("operator"), running.erp
    )


def test_a_test_asks_also_where_the_breaker_is_open_or_the_connection_is_paused(running):
    connecting.connector_of(running.erp)
    far = timezone.now() + timedelta(hours=1)
    Quota.objects.update(breaker="open", opened_at=timezone.now(), blocked_until=far, because="Away.")
    Connection.objects.update(paused=True, paused_because="Rest.")
    assert "Connected to" in pressed(console("operator"), running.erp)
    assert Quota.objects.get(connections=running.erp).breaker == "open"


# ---- paused, resumed, asked whether it is back ----


def test_a_pause_needs_a_reason_and_says_how_many_wait(running):
    client = console("operator")
    order = running.order()
    running.receive(order)
    assert "Say why" in text_of(client.post(f"{LIST}{running.erp.pk}/pause/", {"because": "  "}, follow=True))
    assert not fresh(running.erp).paused
    said = text_of(client.post(f"{LIST}{running.erp.pk}/pause/", {"because": "They  migrate."}, follow=True))
    assert "dynamics365 is paused. It takes webhooks all the same; 1 open message wait now." in said
    assert "Resume: 1 message go on" in said
    running.work()
    assert running.standing(order) == []
    second = text_of(client.post(f"{LIST}{running.erp.pk}/pause/", {"because": "Other."}, follow=True))
    assert "paused already: They migrate." in second
    assert "goes on" in text_of(client.post(f"{LIST}{running.erp.pk}/resume/", follow=True))
    running.work()
    assert running.exact(order)
    entries = AuditEntry.objects.filter(what__in=("paused", "resumed")).order_by("pk")
    assert [(one.what, one.who.username, one.pair) for one in entries] == [
        ("paused", "operator", running.pair),
        ("resumed", "operator", running.pair),
    ]
    assert "operator paused: paused True, paused_because They migrate." in text_of(client.get(page_of(running.erp)))


def test_who_is_away_can_be_asked_at_once_whether_it_is_back(running):
    client = console("operator")
    order = running.order()
    running.joined.erp.faults = [Fault("refused", times=-1)]
    far = timezone.now() + timedelta(hours=1)
    quota = Quota.objects.filter(connections=running.erp)
    quota.update(breaker="open", openings=1, opened_at=timezone.now(), blocked_until=far, because="It is away.")
    message = running.receive(order)
    running.work()
    ask = f"{LIST}{running.erp.pk}/probe/"
    assert "Ask now whether it is back" in text_of(client.get(page_of(running.erp)))
    assert "Still away. Microsoft Entra gave no complete answer" in text_of(client.post(ask, follow=True))
    assert quota.get().openings == 2
    running.joined.erp.faults = []
    said = text_of(client.post(ask, follow=True))
    assert "dynamics365 answers again: what has waited goes on." in said
    assert "Ask now" not in said
    running.later()
    running.work()
    assert Message.objects.get(pk=message.pk).outcome == "done"
    assert "Nothing to ask" in text_of(client.post(ask, follow=True))


# ---- faults of a sandbox ----


def test_a_visitor_breaks_a_sandbox_and_mends_it(running, settings):
    settings.DEBUG = True
    del connecting.transports["prestashop"]
    client, port = console("operator"), free_port()
    with serving(running.joined.shop, port):
        changed_address(f"http://127.0.0.1:{port}")(running)
        assert "This leads to a sandbox: break it" in text_of(client.get(page_of(running.shop)))
        for name, answer in (
            ("away", "The sandbox is now: away: nobody answers."),
            ("maintenance", "The sandbox is now: under maintenance."),
            ("expired", "The sandbox is now: sign-in refused."),
            ("limited", "The sandbox is now: too many requests, for 20 seconds."),
        ):
            said = text_of(client.post(f"{LIST}{running.shop.pk}/faults/", {"fault": name}, follow=True))
            assert answer in said
            assert said.count("(on)") == 1
            assert "Test failed" in pressed(client, running.shop)
        assert "The sandbox answers as it should." in text_of(
            client.post(f"{LIST}{running.shop.pk}/faults/", {"fault": ""}, follow=True)
        )
        assert "Connected to" in pressed(client, running.shop)
    assert "break it" not in text_of(client.get(page_of(running.shop)))  # it has ended
    entries = AuditEntry.objects.filter(what__startswith="switched a sandbox's fault")
    assert entries.count() == 5


def test_outside_trying_out_there_is_no_such_panel(running, settings):
    assert not settings.DEBUG
    del connecting.transports["prestashop"]
    client, port = console("operator"), free_port()
    with serving(running.joined.shop, port):
        changed_address(f"http://127.0.0.1:{port}")(running)
        assert "break it" not in text_of(client.get(page_of(running.shop)))
        said = text_of(client.post(f"{LIST}{running.shop.pk}/faults/", {"fault": "away"}, follow=True))
        assert "Nothing was switched" in said
    assert running.joined.shop.faults == []


def test_an_address_elsewhere_is_never_told_to_break(running, settings):
    settings.DEBUG = True
    del connecting.transports["prestashop"]
    changed_address("https://shop.example")(running)
    said = text_of(console("operator").post(f"{LIST}{running.shop.pk}/faults/", {"fault": "away"}, follow=True))
    assert "Nothing was switched: this connection leads to no sandbox." in said
