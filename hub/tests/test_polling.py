"""Polls and backfills: nothing is passed over, and nothing is worked on twice for being read twice."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from connectors.sandbox import Fault
from hub import polling
from hub.models import Message, Run, SyncJob
from hub.polling import run
from hub.tests.joined import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(running):
    return SyncJob.objects.create(connection=running.shop, entity="orders")


def keys():
    return sorted(int(one) for one in Message.objects.values_list("lane__key", flat=True))


def test_every_order_is_received_once_however_often_its_window_is_read(running, job):
    orders = [running.joined.order() for _ in range(120)]
    first, second = run(job), run(job)
    assert keys() == orders
    assert (first.read, first.received, second.received) == (120, 120, 0)
    assert SyncJob.objects.get().cursor_at == NOW


def test_a_new_order_and_a_changed_one_are_received(running, job):
    first = running.joined.order()
    run(job)
    row = running.joined.shop_order(first)
    running.joined.shop.store.change("orders", row, date_upd="2026-03-04 10:15:07")
    second = running.joined.order()
    run(job)
    assert keys() == [first, first, second]


def test_a_change_within_the_same_second_is_received_while_it_is_young(running, job, monkeypatch):
    order = running.joined.order()
    monkeypatch.setattr("hub.polling.timezone.now", lambda: NOW + timedelta(seconds=5))
    run(job)
    run(job)
    assert keys() == [order, order]


def test_a_shop_that_is_away_leaves_the_cursor_where_it_is(running, job):
    running.joined.order()
    running.joined.shop.faults = [Fault("refused", times=-1)]
    failed = run(job)
    assert "cannot be reached" in failed.problem or "no complete answer" in failed.problem
    assert SyncJob.objects.get().cursor_at is None
    running.joined.shop.faults = []
    assert run(job).received == 1


def test_a_crash_in_the_middle_keeps_whole_pages_and_loses_nothing(running, job, monkeypatch):
    orders = [running.joined.order() for _ in range(120)]
    kept = []

    def die(*arguments):
        kept.append(1)
        if len(kept) == 2:
            raise SystemExit
        return original(*arguments)

    original = polling.receive
    monkeypatch.setattr(polling, "receive", die)
    with pytest.raises(SystemExit):
        run(job)
    assert len(keys()) == 50
    monkeypatch.setattr(polling, "receive", original)
    run(SyncJob.objects.get())
    assert keys() == orders


def test_a_backfill_ends_at_its_date_and_switches_itself_off(running):
    orders = [running.joined.order() for _ in range(3)]
    for day, order in enumerate(orders, 1):
        running.joined.shop.store.change(
            "orders", running.joined.shop_order(order), date_upd=f"2026-02-0{day} 12:00:00"
        )
    until = timezone.datetime.fromisoformat("2026-02-02T23:00:00+00:00")
    job = SyncJob.objects.create(connection=running.shop, entity="orders", kind="backfill", until=until)
    assert run(job).received == 2
    assert keys() == orders[:2]
    assert set(Message.objects.values_list("origin", flat=True)) == {"backfill"}
    assert not SyncJob.objects.get().on


def test_polled_orders_are_carried(running, job):
    order = running.joined.order()
    run(job)
    running.work()
    assert running.exact(order)


def test_a_backfill_on_demand_says_how_far_it_is_and_receives_its_range_alone(running, capsys):
    orders = [running.joined.order() for _ in range(60)]
    for day, order in enumerate(orders):
        date = timezone.datetime(2026, 1, 1, 12) + timedelta(days=day)
        running.joined.shop.store.change("orders", running.joined.shop_order(order), date_upd=f"{date:%F %T}")
    call_command("backfill", "prestashop", "orders", "--since", "2026-01-11", "--until", "2026-02-20T06:00:00")
    assert keys() == orders[10:50]
    assert capsys.readouterr().out.splitlines() == ["100 %: 40 received", "The workers send them."]
    assert SyncJob.objects.get().progress == 1


def test_a_backfill_that_is_cut_off_by_time_goes_on_where_it_was(running, capsys, monkeypatch):
    orders = [running.joined.order() for _ in range(60)]
    monkeypatch.setattr("hub.polling.ONE_RUN", timedelta(0))
    call_command("backfill", "prestashop", "orders", "--since", "2026-03-01", "--until", "2026-03-05")
    assert keys() == orders
    assert len(capsys.readouterr().out.splitlines()) > 2
    assert Run.objects.count() > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["elsewhere", "orders", "--since", "2026-01-01"],
            "There is no connection 'elsewhere'; there are: dynamics365",
        ),
        (["prestashop", "orders", "--since", "2026-01-02", "--until", "2026-01-01"], "--until must be later"),
        (["prestashop", "orders", "--since", "soon"], "invalid moment value: 'soon'"),
        (["prestashop", "coupons", "--since", "2026-01-01"], "coupons"),
    ],
)
def test_a_backfill_that_cannot_be_is_said_in_words(running, arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("backfill", *arguments)
