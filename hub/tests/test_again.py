"""What a person decides about a message that has stopped: sent again it goes on where it was, skipped it is over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import close_old_connections
from django.utils import timezone

from connectors.sandbox import Fault
from hub.again import BeingWorkedOn, NewerWasSent, NotStopped, newer_was_sent, send_again, skip
from hub.conservation import breaches, sums
from hub.lanes import LEASE, claim
from hub.models import AuditEntry, CrossReference, Lane, Message, Problem
from hub.pausing import pause, resume
from hub.tests.seeing import fresh, stands_as, watched

pytestmark = pytest.mark.django_db
UNKNOWN = 10  # a product that the ERP does not know


@pytest.fixture
def person(db):
    return User.objects.create(username="petra")


@pytest.fixture
def dead(running):
    """A dead letter, for a product that the ERP does not know."""
    message = running.receive(running.order([(UNKNOWN,)]))
    running.work()
    assert fresh(message).state == "dead letter"
    return message


def known(running):
    """The ERP gets the product."""
    running.joined.erp.seed([{"number": "PROTO-VASE", "name": "Vase", "price": 0}], [])


def test_a_dead_letter_waits_for_its_turn_as_if_it_were_new_and_the_audit_says_who_sent_it(running, dead, person):
    Message.objects.filter(pk=dead.pk).update(tries=10, deaths=3, first_tried_at=timezone.now() - timedelta(days=9))
    problem = dead.problem
    send_again(dead, person)
    assert stands_as(dead) == ("waiting", "", "", 0)
    assert (dead.reason, dead.deaths, dead.not_before) == ("Sent again by petra.", 0, None)
    assert timezone.now() - dead.first_tried_at < timedelta(minutes=1)
    assert dead.lane.due_at <= timezone.now()
    assert fresh(problem).state == "closed"
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.what, entry.record) == (person, "sent again", f"Message {dead.pk}: {dead}")
    assert (entry.before["state"], entry.before["kind"], entry.after["state"]) == ("dead letter", "mapping", "waiting")
    known(running)
    running.work()
    assert fresh(dead).outcome == "done"


def test_what_is_still_wrong_stops_it_again_under_the_same_problem(running, dead):
    problem = dead.problem
    send_again(dead)
    running.work()
    assert stands_as(dead) == ("dead letter", "", "mapping", 0)
    assert (dead.problem, fresh(problem).state, Problem.objects.count()) == (problem, "open", 1)


def test_it_goes_on_behind_what_was_written(running):
    order = running.order()
    message = running.receive(order)
    running.joined.shop.faults = [Fault("status", status=403, method="PATCH", times=-1)]
    running.work()
    assert stands_as(message) == ("dead letter", "", "not reported back", 0)
    marks, sent = dict(message.marks), message.sent_at
    erp, shop = watched(running.joined.erp), watched(running.joined.shop)
    running.joined.shop.faults = []
    send_again(message)
    assert (fresh(message).marks, message.sent_at) == (marks, sent)
    running.work()
    assert fresh(message).outcome == "done"
    assert (erp.seen, [one.method for one, _ in shop.seen]) == ([], ["PATCH"])


def test_of_a_paused_connection_it_waits_until_that_is_resumed(running, dead):
    pause(running.erp, "Migration.")
    send_again(dead)
    known(running)
    running.work()
    assert fresh(dead).state == "waiting"
    resume(running.erp)
    running.work()
    assert fresh(dead).outcome == "done"


@pytest.mark.parametrize("decide", [send_again, lambda message: skip(message, "Why not.")])
def test_only_what_has_stopped_can_be_decided_about(running, decide):
    message = running.receive(running.order())
    with pytest.raises(NotStopped, match="is waiting, and only a dead letter or a held message"):
        decide(message)
    running.work()
    with pytest.raises(NotStopped, match="is done, and only"):
        decide(message)  # what the caller holds is older than the row
    assert fresh(message).outcome == "done"
    assert not AuditEntry.objects.exists()


def test_whoever_sends_it_a_second_time_is_told_that_it_waits(running, dead):
    stale = Message.objects.get(pk=dead.pk)
    send_again(dead)
    with pytest.raises(NotStopped, match="is waiting"):
        send_again(stale)
    assert AuditEntry.objects.count() == 1


def test_it_is_left_alone_while_a_worker_is_at_the_same_record(running, dead):
    running.receive(dead.lane.key, "newer")
    (claimed,) = claim(1)
    assert claimed.lane == dead.lane_id
    with pytest.raises(BeingWorkedOn, match="Send it again when it has ended"):
        send_again(dead)
    assert fresh(dead).state == "dead letter"
    Lane.objects.update(claimed_until=timezone.now() - LEASE)  # that worker is gone
    send_again(dead)
    assert fresh(dead).state == "waiting"


def test_one_that_is_older_than_what_was_sent_asks_first(running):
    order = running.order()
    row = running.joined.shop_order(order)
    right = row["total_paid_tax_incl"]
    running.joined.shop.store.change("orders", row, total_paid_tax_incl="99.000000")
    held = running.receive(order, "first")
    running.work()
    assert fresh(held).state == "held"
    assert not newer_was_sent(held)
    running.joined.shop.store.change("orders", row, total_paid_tax_incl=right)
    newer = running.receive(order, "second")
    running.work()
    assert (fresh(newer).outcome, fresh(held).state) == ("done", "held")
    assert newer_was_sent(held)
    with pytest.raises(NewerWasSent, match="Send this one only if you mean it"):
        send_again(held)
    assert fresh(held).state == "held"
    send_again(held, anyway=True)
    running.work()
    assert fresh(held).state == "finished"
    assert len(running.standing(order)) == 1


def test_another_record_or_one_that_only_failed_later_is_no_newer_one(running, dead):
    running.receive(dead.lane.key, "newer")
    running.receive(running.order())
    running.work()
    assert not newer_was_sent(dead)


def test_one_that_is_sent_again_while_a_newer_one_waits_is_superseded_by_it(running, dead):
    pause(running.erp, "Migration.")
    newer = running.receive(dead.lane.key, "newer")
    send_again(dead)
    known(running)
    resume(running.erp)
    running.work()
    assert (fresh(dead).outcome, fresh(newer).outcome) == ("superseded", "done")


def test_a_message_that_killed_its_workers_gets_three_new_ones(running):
    message = running.receive(running.order())
    Message.objects.filter(pk=message.pk).update(state="running", deaths=2)
    running.work()
    assert stands_as(message) == ("dead letter", "", "internal", 0)
    send_again(message)
    running.work()
    assert stands_as(message) == ("finished", "done", "", 0)


# ---- skipped ----


def test_a_skipped_message_is_finished_with_the_reason_and_its_problem_is_closed(running, dead, person):
    problem = dead.problem
    skip(dead, "Delivered by hand.", person)
    assert stands_as(dead) == ("finished", "skipped", "", 0)
    assert dead.reason == "Skipped by petra: Delivered by hand."
    assert dead.finished_at is not None
    assert fresh(problem).state == "closed"
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.what, entry.after["reason"]) == (person, "skipped", dead.reason)
    running.work()
    assert not CrossReference.objects.filter(target_entity="salesorder").exists()
    assert all(one.holds for one in sums())
    assert breaches() == []


def test_a_problem_stays_open_until_the_last_of_its_messages_has_left(running, dead):
    other = running.receive(running.order([(UNKNOWN,)]))
    running.work()
    problem = fresh(other).problem
    assert problem == dead.problem
    skip(dead, "By hand.")
    assert fresh(problem).state == "open"
    send_again(other)
    assert fresh(problem).state == "closed"


def test_a_held_message_can_be_skipped(running):
    order = running.order()
    running.receive(order)
    running.work()
    running.joined.shop.store.change("orders", running.joined.shop_order(order), current_state="6")
    message = running.receive(order, "cancelled")
    running.work()
    assert fresh(message).state == "held"
    skip(message, "Cancelled in the ERP, too.")
    assert stands_as(message) == ("finished", "skipped", "", 0)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_once_one_does(running, dead):
    def decide(number):
        try:
            (send_again if number % 2 else lambda one: skip(one, "By hand."))(Message.objects.get(pk=dead.pk))
        except NotStopped:
            return False
        finally:
            close_old_connections()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(decide, range(4))) == [False, False, False, True]
    assert AuditEntry.objects.count() == 1
    assert fresh(dead).problem is None
