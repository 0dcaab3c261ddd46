"""Limits: the pace of a system is kept by all processes together, and costs next to nothing within a slice."""

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, close_old_connections

from connectors.base import NO_LIMIT, Pace
from connectors.errors import TryLater
from connectors.sandbox import Fault
from connectors.session import Call
from hub import connecting, limits
from hub.limits import Limiter
from hub.models import Connection, Quota, Slice
from hub.quotas import LEASE, Wanted, lease

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)


class Time:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def forward(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time(monkeypatch):
    time = Time()
    monkeypatch.setattr(limits, "clock", time)
    monkeypatch.setattr(limits, "wait", lambda change, seconds: time.forward(seconds))
    return time


def process(pace):
    """The limiter of one process for the same owner."""
    made = Limiter("shop.example", "Shop")
    made.keep_to(1, pace)
    return made


def begin(limiter):
    call = Call("GET", "https://shop.example/api", {}, b"")
    limiter.before(call)
    return call


def end(limiter, call, status=200, seconds=0.01, error="", **headers):
    call.status, call.seconds, call.error = (None if error else status), seconds, error
    call.response_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    limiter.after(call)


def make(limiter, **answer):
    end(limiter, begin(limiter), **answer)


@pytest.mark.parametrize(
    ("pace", "used"),
    [
        (Pace(60, 60, 0), 0.75),
        (Pace(7, 60, 2), 0.75),
        (Pace(1, 30, 1), 0.6),
        (Pace(40, 20, 8), 0.75),
        (Pace(10, 1, 0), 0.3),
    ],
)
def test_no_window_sees_more_calls_than_the_pace_allows_and_hardly_fewer_leave_than_could(time, pace, used):
    processes, left, chance = [process(pace) for _ in range(3)], [], random.Random(5)
    end_at = NOW + timedelta(seconds=3 * pace.seconds)
    while time.now < end_at:
        try:
            make(chance.choice(processes))
            left.append(time.now)
        except TryLater:
            time.forward(chance.random())
        time.forward(chance.random() * pace.seconds / pace.calls / 4)
    window = timedelta(seconds=pace.seconds)
    most = max(sum(start <= one < start + window for one in left) for start in left)
    assert most <= pace.calls
    assert len(left) >= used * 3 * pace.calls


def test_calls_within_a_slice_cost_no_statement(time, django_assert_max_num_queries, django_assert_num_queries):
    one, other = process(Pace(6000, 300, 52)), process(Pace(0, 0, 52))
    for _ in range(40):
        make(one)
    with django_assert_max_num_queries(70):
        for _ in range(160):
            make(one)
            time.forward(0.01)
    make(other)
    with django_assert_num_queries(0):
        for _ in range(160):
            make(other)


def test_without_a_pace_a_second_costs_one_query_however_many_calls_it_has(time, django_assert_num_queries):
    one = process(NO_LIMIT)
    make(one)
    time.forward(1)
    with django_assert_num_queries(1):
        for _ in range(200):
            make(one)
    with django_assert_num_queries(0):
        for _ in range(200):
            make(one)


def test_a_used_up_pace_says_when_the_next_call_may_leave_and_uses_up_no_try(time):
    one = process(Pace(1, 600, 0))
    make(one)
    started = time.now
    with pytest.raises(TryLater, match="Shop: its pace of 1 calls in 600 s is used up") as told:
        begin(one)
    assert told.value.outage
    assert started + timedelta(seconds=600) < told.value.after < started + timedelta(seconds=610)
    assert time.now == started
    time.now = told.value.after
    make(one)


def test_a_call_waits_a_little_for_its_turn(time):
    one = process(Pace(60, 60, 0))
    for _ in range(12):
        make(one)
    started = time.now
    make(one)
    assert timedelta(0) < time.now - started < limits.PATIENCE


@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_processes_together_have_no_more_calls_under_way_than_the_system_bears(time, monkeypatch, at_once):
    processes, chance, under_way, made = [process(Pace(0, 0, at_once)) for _ in range(3)], random.Random(3), [], 0
    monkeypatch.setattr(limits, "_limiters", dict(enumerate(processes)))
    monkeypatch.setattr(limits, "AGAIN", timedelta(seconds=0.5))
    for turn in range(200):
        if turn % 5 == 0:
            limits.renew()
        time.forward(chance.random() / 10)
        limiter = chance.choice(processes)
        if chance.random() < 0.6:
            try:
                under_way.append((limiter, begin(limiter)))
            except TryLater:
                continue
        elif under_way:
            end(*under_way.pop(chance.randrange(len(under_way))))
            made += 1
        assert len(under_way) <= at_once
    assert made > 20


def test_a_process_without_a_slot_gets_its_share(time):
    one, other = process(Pace(0, 0, 8)), process(Pace(0, 0, 8))
    calls = [begin(one) for _ in range(8)]
    with pytest.raises(TryLater, match="Shop: as many calls as it bears at once are under way") as told:
        begin(other)
    assert told.value.outage
    for call in calls:
        end(one, call)
    for _ in range(4):
        begin(one)
    for _ in range(4):
        begin(other)


def test_calls_under_way_keep_their_slots_while_another_process_waits_for_its_share():
    one, other = uuid.uuid4(), uuid.uuid4()

    def slots(holder, under_way):
        given = lease("shop.example", Wanted(holder, Pace(0, 0, 8), 0, 0, 8, under_way), NOW)
        return given.slots, given.held

    assert slots(one, 0) == (8, 8)
    assert slots(other, 0) == (0, 0)
    assert slots(one, 8) == (4, 8)
    assert slots(other, 0) == (0, 0)
    assert slots(one, 5) == (4, 5)
    assert slots(other, 0) == (3, 3)


def test_the_slots_of_a_killed_process_are_free_after_their_lease_and_those_of_a_slow_call_are_kept(time, monkeypatch):
    killed, slow, other = (process(Pace(0, 0, 2)) for _ in range(3))
    begin(killed)
    begin(slow)
    monkeypatch.setattr(limits, "_limiters", {"slow": slow})
    for _ in range(3):
        time.forward(LEASE.total_seconds() / 3)
        limits.renew()
    time.forward(1)
    begin(other)
    with pytest.raises(TryLater):
        begin(other)
    assert sorted(Slice.objects.values_list("holder", flat=True)) == sorted([slow.holder, other.holder])


def test_slots_that_nobody_uses_are_given_back_and_used_ones_are_kept(time, monkeypatch):
    idle, busy = process(Pace(0, 0, 2)), process(Pace(0, 0, 2))
    make(idle)
    monkeypatch.setattr(limits, "_limiters", {"idle": idle, "busy": busy})
    limits.give_back()
    calls = [begin(busy) for _ in range(2)]
    limits.give_back()
    assert [one.slots for one in Slice.objects.all()] == [2]
    for call in calls:
        end(busy, call)
    limits.give_back()
    make(idle)


@pytest.mark.django_db(transaction=True)
def test_threads_of_two_processes_share_the_slots(monkeypatch):
    monkeypatch.setattr(limits, "FRESH", timedelta(seconds=0.02))
    monkeypatch.setattr(limits, "AGAIN", timedelta(seconds=0.002))
    monkeypatch.setattr(limits, "PATIENCE", timedelta(seconds=60))
    processes, lock, seen = [process(Pace(0, 0, 3)) for _ in range(2)], threading.Lock(), []
    under_way, done = set(), []

    def work(number):
        limiter = processes[number % 2]
        for turn in range(10):
            call = begin(limiter)
            with lock:
                under_way.add((number, turn))
                seen.append(len(under_way))
            with lock:
                under_way.remove((number, turn))
            end(limiter, call)
            done.append(number)
        limiter.give_back()
        close_old_connections()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert max(seen) <= 3
    assert len(done) == 80


@pytest.mark.django_db(transaction=True)
def test_two_processes_take_turns_with_the_only_slot(monkeypatch):
    monkeypatch.setattr(limits, "FRESH", timedelta(seconds=0.02))
    monkeypatch.setattr(limits, "AGAIN", timedelta(seconds=0.002))
    monkeypatch.setattr(limits, "PATIENCE", timedelta(seconds=60))
    greedy, modest = process(Pace(0, 0, 1)), process(Pace(0, 0, 1))
    served = threading.Event()

    def work(number):
        while not served.is_set():
            make(greedy)
        close_old_connections()

    with ThreadPoolExecutor(2) as pool:
        pool.submit(work, 1)
        pool.submit(work, 2)
        for _ in range(3):
            make(modest)
        modest.give_back()
        served.set()


def test_a_limit_that_a_system_names_blocks_its_connections_in_every_process(running, time):
    other = Limiter(connecting.connector_of(running.erp).quota_owner(), "Dynamics 365")
    make(other)
    running.joined.erp.faults = [Fault("status", status=429, retry_after=600)]
    with pytest.raises(TryLater):
        connecting.connector_of(running.erp).find("salesorder", ordernumber="none")
    blocked = Connection.objects.get(pk=running.erp.pk).quota
    assert blocked.blocked_until == NOW + timedelta(minutes=10)
    with pytest.raises(TryLater, match="asks for a pause") as told:
        connecting.connector_of(running.erp).find("salesorder", ordernumber="none")
    assert (told.value.after, told.value.outage) == (blocked.blocked_until, True)
    time.forward(1)
    with pytest.raises(TryLater) as told:
        begin(other)
    assert told.value.after == blocked.blocked_until
    connecting.connector_of(running.shop).find("currencies")
    time.forward(600)
    assert connecting.connector_of(running.erp).find("salesorder", ordernumber="none") == []
    make(other)


def test_a_limit_without_a_time_makes_a_pause_that_grows_and_ends_with_an_answer(time):
    one, pauses = process(NO_LIMIT), []
    for _ in range(8):
        make(one, status=429)
        pauses.append((Quota.objects.get().blocked_until - time.now).total_seconds())
        time.now = Quota.objects.get().blocked_until
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    make(one)
    make(one, status=429)
    assert Quota.objects.get().blocked_until == time.now + timedelta(seconds=5)


def test_many_refusals_at_once_are_one_pause(time, django_assert_num_queries):
    one = process(NO_LIMIT)
    calls = [begin(one) for _ in range(6)]
    end(one, calls.pop(), status=429)
    with django_assert_num_queries(0):
        for call in calls[1:]:
            end(one, call, status=429)
    assert Quota.objects.get().blocked_until == time.now + timedelta(seconds=5)
    end(one, calls[0], status=429, retry_after="60")
    assert Quota.objects.get().blocked_until == time.now + timedelta(seconds=60)


def test_a_slow_system_is_asked_less_at_once(time):
    one = process(Pace(0, 0, 8))
    for _ in range(10):
        make(one, seconds=0.1)
    calls = [begin(one) for _ in range(8)]
    for call in calls:
        end(one, call, seconds=5)
    calls = [begin(one) for _ in range(4)]
    with pytest.raises(TryLater):
        begin(one)
    for call in calls:
        end(one, call)


def test_an_answer_is_not_lost_when_the_limit_cannot_be_noted(running, monkeypatch, caplog):
    def fail(*arguments):
        raise OperationalError("gone away")

    monkeypatch.setattr(limits, "block", fail)
    one = process(NO_LIMIT)
    make(one, status=429)
    assert "could not be noted" in caplog.text


def test_a_database_that_is_away_makes_the_call_wait(time, monkeypatch):
    def fail(*arguments):
        raise OperationalError("gone away")

    one = process(Pace(0, 0, 2))
    with monkeypatch.context() as away:
        away.setattr(limits, "lease", fail)
        with pytest.raises(TryLater, match="own database") as told:
            begin(one)
    assert told.value.outage
    make(one)


def test_a_clock_that_is_set_back_keeps_no_lease_alive(time):
    one = process(NO_LIMIT)
    make(one)
    time.forward(-3600)
    Quota.objects.update(blocked_until=time.now + timedelta(minutes=1))
    with pytest.raises(TryLater):
        begin(one)


def test_a_bucket_that_was_filled_in_the_future_fills_again(time):
    one = process(Pace(60, 60, 0))
    make(one)
    Quota.objects.update(calls_left=0, refilled_at=time.now + timedelta(hours=1))
    time.forward(10)
    make(one)
    assert NOW < Quota.objects.get().refilled_at <= time.now


def test_a_quota_that_was_deleted_is_made_anew(time):
    one = process(Pace(60, 60, 2))
    make(one)
    Quota.objects.all().delete()
    time.forward(2)
    make(one)
    assert Quota.objects.get().owner == "shop.example"


def test_an_owner_of_any_length_has_a_row(time):
    one = Limiter("x" * 500)
    make(one)
    assert one.quota == Quota.objects.get().pk
