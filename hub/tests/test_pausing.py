"""A paused connection: who paused it, why, and that its messages wait until it is resumed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import close_old_connections

from hub import connecting
from hub.models import AuditEntry, Connection
from hub.pausing import pause, resume

pytestmark = pytest.mark.django_db


def test_a_pause_says_why_and_is_remembered_with_before_and_after(running):
    assert pause(running.shop, "The key is refused.")
    assert (running.shop.paused, Connection.objects.get(pk=running.shop.pk).paused_because) == (
        True,
        "The key is refused.",
    )
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.what, entry.record) == (None, "paused", "Connection prestashop")
    assert entry.before == {"paused": False, "paused_because": ""}
    assert entry.after == {"paused": True, "paused_because": "The key is refused."}


def test_a_second_pause_leaves_the_first_reason_and_no_entry(running):
    stale = Connection.objects.get(pk=running.shop.pk)
    pause(running.shop, "First.")
    assert not pause(stale, "Second.")
    assert stale.paused_because == Connection.objects.get(pk=stale.pk).paused_because == "First."
    assert AuditEntry.objects.count() == 1


def test_a_resumed_connection_has_no_reason_left_and_its_messages_are_due(running):
    person = User.objects.create(username="petra")
    order = running.joined.order()
    running.receive(order)
    pause(running.erp, "Migration.", person)
    running.work()
    assert running.standing(order) == []
    assert resume(running.erp, person)
    assert not resume(running.erp, person)
    running.work()
    assert running.exact(order)
    assert list(AuditEntry.objects.values_list("who__username", "what")) == [("petra", "paused"), ("petra", "resumed")]
    assert AuditEntry.objects.last().before == {"paused": True, "paused_because": "Migration."}
    assert Connection.objects.get(pk=running.erp.pk).paused_because == ""


def test_a_pause_is_known_at_once_in_the_process(running):
    assert not connecting.connection_row(running.shop.pk).paused
    pause(running.shop, "Refused.")
    assert connecting.connection_row(running.shop.pk).paused


@pytest.mark.django_db(transaction=True)
def test_of_many_who_pause_it_at_once_one_does(running):
    def work(number):
        done = pause(Connection.objects.get(pk=running.shop.pk), f"Refused to {number}.")
        close_old_connections()
        return done

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [False, False, False, True]
    assert AuditEntry.objects.get().after["paused_because"] == Connection.objects.get(pk=running.shop.pk).paused_because
