"""What could only happen between two instants, each made to happen."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from connectors.base import Event
from hub import tasks, waiting
from hub.drain import Drain
from hub.inbox import receive
from hub.lanes import claim
from hub.ledger import Change, change_many
from hub.models import Lane, Message, SyncJob, Waiting
from hub.polling import run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_waiter_whose_record_was_skipped_just_before_is_stopped_by_the_sweep(running):
    waiter = running.receive(running.joined.order())
    (awaited,) = receive(running.shop, [Event("customers", "992")], Message.Origin.WEBHOOK)
    skipped = {"state": "finished", "outcome": "skipped", "finished_at": timezone.now(), "reason": "Deleted."}
    Message.objects.filter(pk=awaited.pk).update(**skipped)
    Waiting.objects.create(waiter=waiter, awaited=awaited)
    waiting.sweep()
    waiter.refresh_from_db()
    assert (waiter.state, waiter.kind, waiter.problem.state) == ("dead letter", "record", "open")
    assert "was skipped: Deleted." in waiter.reason


def test_whoever_lost_a_lane_changes_nothing_beside_whoever_has_it_now_in_the_same_process(running):
    message = running.receive(running.joined.order())
    (old,) = claim(5)
    Lane.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    (new,) = claim(5)
    done, lost = change_many([Change(old, {"reason": "of the old one"}), Change(new, {"kind": "new"})])
    message.refresh_from_db()
    assert (done, lost) == ({new.key}, {old.key})
    assert (message.kind, message.reason) == ("new", "")


def test_wake_ups_that_killed_workers_had_taken_keep_nobody_from_being_woken(running):
    taken = timezone.now() + timedelta(seconds=2400)
    OrmQ.objects.bulk_create([OrmQ(key="tillbridge", payload="", lock=taken) for _ in range(9)])
    tasks.wake()
    tasks.wake()
    assert OrmQ.objects.filter(lock__lte=timezone.now()).count() == 1


def test_a_chore_that_takes_long_keeps_no_lane_from_being_claimed(running):
    order = running.order()
    message = running.receive(order)
    Lane.objects.filter(pk=message.lane_id).update(due_at=None)
    left = [1]

    def until_it_is_done():
        while message.outcome != "done":
            Lane.objects.filter(pk=message.lane_id, claimed_until=None).update(due_at=timezone.now())
            message.refresh_from_db()

    Drain(0.2, stays=True, chores=lambda: [until_it_is_done] if left and left.pop() else []).run()
    assert message.outcome == "done"


@pytest.mark.parametrize("event_id", ["x" * 201, "x" * 5000])
def test_an_event_id_of_any_length_is_taken_once(running, event_id):
    first, second = (running.receive(44, event_id) for _ in range(2))
    assert first == second


def test_a_job_that_is_switched_off_during_its_run_stays_off(running):
    job = SyncJob.objects.create(connection=running.shop, entity="orders")
    at_work = SyncJob.objects.select_related("connection").get(pk=job.pk)
    SyncJob.objects.filter(pk=job.pk).update(on=False)
    run(at_work)
    job.refresh_from_db()
    assert not job.on
