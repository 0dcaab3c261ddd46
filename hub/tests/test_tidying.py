"""Tidying up: what nobody asks for any more goes, is counted, and takes nothing with it that is needed."""

import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from connectors.base import Event
from hub import tidying
from hub.evidence import kept, read, store
from hub.inbox import receive_for
from hub.models import (
    Attempt,
    Connection,
    CrossReference,
    Evidence,
    Flow,
    Lane,
    Message,
    Pair,
    Run,
    SyncJob,
    Tally,
    Waiting,
)
from hub.tidying import Keep, tidy

DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def flow(db):
    shop = Connection.objects.create(name="shop", label="Shop", system="prestashop")
    erp = Connection.objects.create(name="erp", label="ERP", system="dynamics365")
    pair = Pair.objects.create(name="one", label="Pair", source=shop, target=erp)
    return Flow.objects.create(pair=pair, name="orders", label="Orders", source_entity="orders", target_entity="order")


@pytest.fixture
def message(flow):
    """Makes a message, finished so many days ago unless it is open, with an attempt that keeps these texts."""

    def message(days=0, *texts, state="finished", outcome="done", received=None, evidence_days=None):
        at = timezone.now() - days * DAY
        lane = Lane.objects.create(pair=flow.pair, entity="orders", key=str(uuid.uuid4()))
        ended = {"outcome": outcome, "finished_at": at} if state == "finished" else {}
        made = Message.objects.create(flow=flow, lane=lane, origin="poll", state=state, **ended)
        Message.objects.filter(pk=made.pk).update(received_at=received or at)
        keep(made, *texts)
        stored = at if evidence_days is None else timezone.now() - evidence_days * DAY
        Evidence.objects.filter(pk__in=[kept(flow.pair_id, one).digest for one in texts]).update(stored_at=stored)
        return made

    return message


def keep(message, *texts):
    rows = [kept(message.flow.pair_id, one) for one in texts]
    store(rows)
    names = dict(zip(("calls", "came_in", "mapped"), [one.digest for one in rows], strict=False))
    now = timezone.now()
    Attempt.objects.create(message=message, number=1, started_at=now, ended_at=now, ended_in="done", **names)


def stands(flow, text):
    return read(kept(flow.pair_id, text).digest) is not None


def text_of(size, letter="x"):
    """A text that takes up a little more than so many bytes, however it is packed."""
    return '"' + "".join(f"{letter}{uuid.uuid4().hex}" for _ in range(size // 16 + 1)) + '"'


def test_nothing_goes_while_it_is_young(message):
    message(89, '"a"')
    message(399)
    assert set(tidy().values()) == {0}
    assert (Message.objects.count(), Attempt.objects.count(), Evidence.objects.count()) == (2, 2, 1)


def test_evidence_of_finished_messages_goes_first_and_the_attempt_stays(message, flow):
    message(91, '"old"', '"older"')
    message(89, '"young"')
    assert tidy()["evidence"] == 2
    assert not stands(flow, '"old"')
    assert stands(flow, '"young"')
    assert Attempt.objects.exclude(calls="").count() == 2


@pytest.mark.parametrize("state", ["waiting", "running", "held", "in doubt", "dead letter"])
def test_evidence_of_an_open_message_stays_for_ever(message, flow, state):
    message(0, '"calls"', '"came in"', '"mapped"', state=state, evidence_days=1000)
    message(1000, '"finished"')
    assert tidy(Keep(quota_bytes=0))["evidence"] == 1
    assert [stands(flow, one) for one in ('"calls"', '"came in"', '"mapped"')] == [True] * 3


def test_evidence_that_an_open_message_shares_stays(message, flow):
    message(200, '"shared"', '"alone"')
    message(0, '"other"', '"shared"', state="dead letter", evidence_days=200)
    assert tidy()["evidence"] == 1
    assert stands(flow, '"shared"')


def test_over_the_quota_the_oldest_evidence_goes_and_no_more_than_needed(message, flow, monkeypatch):
    monkeypatch.setattr(tidying, "BATCH", 2)
    texts = [text_of(1000, str(number)) for number in range(9)]
    for number, one in enumerate(texts):
        message(20 - number, one, state="dead letter" if number in (0, 3) else "finished")
    sizes = [Evidence.objects.get(pk=kept(flow.pair_id, one).digest).size for one in texts]
    quota = sum(sizes) - sizes[1] - sizes[2] - sizes[4] - 1  # one byte more than those three
    assert tidy(Keep(quota_bytes=quota))["evidence over the quota"] == 4
    assert [stands(flow, one) for one in texts] == [True, False, False, True, False, False, True, True, True]
    assert tidy(Keep(quota_bytes=quota))["evidence over the quota"] == 0


def test_the_quota_is_of_each_pair(message, flow):
    message(5, text_of(5000))
    other = Pair.objects.create(name="two", label="Two", source=flow.pair.target, target=flow.pair.source)
    store([kept(other.pk, text_of(5000))])
    assert tidy(Keep(quota_bytes=8000))["evidence over the quota"] == 0
    assert tidy(Keep(quota_bytes=4000))["evidence over the quota"] == 2


def test_finished_messages_are_counted_by_day_and_go_with_their_attempts(message, flow):
    late = datetime(2024, 3, 31, 23, 30, tzinfo=UTC)
    for outcome, received in [("done", late), ("done", late), ("skipped", late), ("done", late + timedelta(hours=1))]:
        message(401, outcome=outcome, received=received)
    message(401, state="dead letter", received=late)
    assert tidy()["messages"] == 4
    assert set(Tally.objects.values_list("flow", "day", "outcome", "messages")) == {
        (flow.pk, date(2024, 3, 31), "done", 2),
        (flow.pk, date(2024, 3, 31), "skipped", 1),
        (flow.pk, date(2024, 4, 1), "done", 1),
    }
    assert (Message.objects.get().state, Attempt.objects.count()) == ("dead letter", 1)


def test_messages_that_go_later_are_added_to_the_same_day(message, monkeypatch):
    monkeypatch.setattr(tidying, "BATCH", 2)
    late = datetime(2024, 3, 31, 23, 30, tzinfo=UTC)
    for _ in range(5):
        message(401, received=late)
    assert tidy()["messages"] == 5
    message(401, received=late)
    assert tidy()["messages"] == 1
    assert Tally.objects.get().messages == 6


def test_a_message_that_an_open_one_waits_for_stays(message):
    awaited, other = message(500), message(500)
    Waiting.objects.create(waiter=message(0, state="waiting"), awaited=awaited)
    Waiting.objects.create(waiter=message(0), awaited=other)
    assert tidy()["messages"] == 1
    assert Message.objects.filter(pk=awaited.pk).exists()


def test_cross_references_stay(message, flow):
    message(500)
    written = {"source_key": "1", "target_key": "2", "written_at": timezone.now() - 500 * DAY}
    CrossReference.objects.create(pair=flow.pair, source_entity="orders", target_entity="order", **written)
    assert tidy()["messages"] == 1
    assert CrossReference.objects.exists()


def test_old_runs_go_but_never_the_newest_of_a_job(flow):
    jobs = [SyncJob.objects.create(connection=flow.pair.source, entity=one) for one in ("orders", "products")]
    ages = [(jobs[0], 100), (jobs[0], 95), (jobs[0], 10), (jobs[1], 300), (jobs[1], 200)]
    for job, days in ages:
        run = Run.objects.create(job=job)
        Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - days * DAY)
    assert tidy()["runs"] == 3
    left = [(timezone.now() - one.started_at).days for one in Run.objects.order_by("pk")]
    assert left == [10, 200]


def test_lanes_without_messages_and_work_go(flow, message):
    message(500)
    used = message(1).lane
    due = Lane.objects.create(pair=flow.pair, entity="orders", key="due", due_at=timezone.now())
    claimed = Lane.objects.create(pair=flow.pair, entity="orders", key="claimed", token=uuid.uuid4())
    assert tidy()["lanes"] == 1
    assert set(Lane.objects.all()) == {used, due, claimed}


def test_a_second_time_finds_nothing_more(message, monkeypatch):
    monkeypatch.setattr(tidying, "BATCH", 3)
    for number in range(10):
        message(401 + number, f'"{number}"')
    assert tidy() == {"evidence": 10, "evidence over the quota": 0, "messages": 10, "runs": 0, "lanes": 10}
    assert set(tidy().values()) == {0}
    assert Tally.objects.count() == 10


def test_when_the_time_is_over_the_rest_is_left_for_the_next_time(message, monkeypatch):
    monkeypatch.setattr(tidying, "BATCH", 1)
    for number in range(4):
        message(401, f'"{number}"')
    clock = iter(range(1000))
    monkeypatch.setattr(tidying.time, "monotonic", lambda: next(clock))
    assert tidy(seconds=6) == {"evidence": 2, "evidence over the quota": 0, "messages": 1, "runs": 0, "lanes": 0}
    assert tidy(seconds=500)["messages"] == 3


def test_the_command_says_what_went(message, capsys):
    message(401, '"a"')
    call_command("tidy", "--message-days", "400")
    said = capsys.readouterr().out
    assert re.findall(r"(.+): (\d+) deleted", said) == [
        ("evidence", "1"),
        ("evidence over the quota", "0"),
        ("messages", "1"),
        ("runs", "0"),
        ("lanes", "1"),
    ]


@pytest.mark.parametrize("wrong", [("--evidence-days", "-1"), ("--quota", "nan"), ("--run-days", "9999999")])
def test_the_command_refuses_what_it_cannot_keep(wrong):
    with pytest.raises(CommandError, match=f"{wrong[0]} .*must be a number from 0 to"):
        call_command("tidy", *wrong)


def in_threads(*works):
    """At once, each with a database connection of its own."""

    def alone(work):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [one.result() for one in [pool.submit(alone, work) for work in works]]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_count_each_message_once(message, monkeypatch):
    monkeypatch.setattr(tidying, "BATCH", 4)
    for number in range(40):
        message(401, f'"{number}"', received=datetime(2024, 3, 1 + number % 3, tzinfo=UTC))
    gone = in_threads(tidy, tidy, tidy)
    assert sum(one["messages"] for one in gone) == 40
    assert sum(one.messages for one in Tally.objects.all()) == 40
    assert not Message.objects.exists()
    assert set(tidy().values()) <= {0}


def tidy_while(work):
    """Tidies after `work` and before its transaction ends. SQLite has one writer at a time: there tidying waits."""
    begun, tidied = threading.Event(), threading.Event()

    def first():
        try:
            with transaction.atomic():
                done = work()
                begun.set()
                if connection.vendor == "postgresql":
                    tidied.wait(0.3)
        finally:
            begun.set()
        return done

    def second():
        begun.wait()
        try:
            return tidy()
        finally:
            tidied.set()

    return in_threads(first, second)


@pytest.mark.django_db(transaction=True)
def test_evidence_that_is_stored_again_at_the_same_moment_stays(message, flow):
    message(200, '"shared"')
    new = message(0, state="running")
    tidy_while(lambda: keep(new, '"shared"'))
    assert stands(flow, '"shared"')


@pytest.mark.django_db(transaction=True)
def test_a_record_that_comes_while_its_empty_lane_goes_is_received(flow):
    lane = Lane.objects.create(pair=flow.pair, entity="orders", key="7")
    received, gone = tidy_while(lambda: receive_for(flow, Event("orders", "7")))
    assert (Message.objects.get(), gone["lanes"]) == (received, 0)
    assert Lane.objects.get() == lane
    assert Lane.objects.get().due_at
