"""Workers as real processes, with both sandboxes on ports."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from connectors.sandbox import Fault
from connectors.serving import serving
from hub import connecting
from hub.models import Lane, Message, SyncJob
from hub.tests.processes import state, with_environment, workers
from hub.tests.running import Running

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)
several = pytest.mark.skipif(connection.vendor == "sqlite", reason="by design: with SQLite there is one worker process")


@pytest.fixture
def running():
    with ExitStack() as stack:
        running = Running()
        for name, sandbox in (("prestashop", running.joined.shop), ("dynamics365", running.joined.erp)):
            stack.enter_context(serving(sandbox))
            del connecting.transports[name]
            row = running.shop if name == "prestashop" else running.erp
            row.settings |= {key: value for key, value in sandbox.connection().items() if key in row.settings}
            row.save()
        yield running
        connecting.close_all()


@pytest.fixture
def address():
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


@pytest.fixture
def start(address, tmp_path):
    """Starts `manage.py worker`, with these settings in its environment. Each ends when it is asked to, with all that
    it has started."""
    started = []

    def start(**settings):
        told = {**os.environ, "DATABASE_URL": address, "TMPDIR": str(tmp_path), **settings}
        started.append(subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT, env=told))
        return started[-1]

    yield start
    for one in started:
        one.send_signal(signal.SIGTERM)
    assert [one.wait(timeout=60) for one in started] == [0] * len(started)
    assert with_environment("DATABASE_URL", address) == []


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, list(Message.objects.values_list("state", "outcome", "reason"))
        time.sleep(0.1)
    return found


def all_done():
    return set(Message.objects.values_list("outcome", flat=True)) == {"done"}


def a_worker(address, but=()):
    """The first worker process that there is, once it is there."""
    return wait_until(lambda: next((one for one in workers("DATABASE_URL", address) if one not in but), None))


def test_orders_that_were_received_are_carried(running, start):
    start()
    orders = [running.joined.order() for _ in range(12)]
    for order in orders:
        running.receive(order)
    wait_until(all_done)
    assert all(running.exact(order) for order in orders)


def test_orders_are_polled_and_carried(running, start):
    start()
    orders = [running.joined.order() for _ in range(3)]
    SyncJob.objects.create(connection=running.shop, entity="orders")
    wait_until(lambda: Message.objects.filter(flow=running.flow).count() == 3 and all_done())
    assert all(running.exact(order) for order in orders)


@several
def test_two_workers_share_the_orders(running, start):
    for _ in range(2):
        start(WORKERS="1", THREADS="2")
    running.joined.erp.faults = [Fault("slow", times=-1, seconds=0.1)]
    orders = [running.joined.order() for _ in range(12)]
    for order in orders:
        running.receive(order)
    wait_until(lambda: Lane.objects.exclude(claimed_by="").values("claimed_by").distinct().count() == 2)
    wait_until(all_done)
    assert all(running.exact(order) for order in orders)


def test_a_worker_that_is_asked_to_end_finishes_what_it_has_claimed(running, start, address):
    worker = start()
    running.joined.erp.faults = [Fault("slow", times=-1, seconds=0.2)]
    order = running.order()
    message = running.receive(order)
    wait_until(lambda: Message.objects.get(pk=message.pk).sent_at)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    assert with_environment("DATABASE_URL", address) == []
    assert Message.objects.get(pk=message.pk).outcome == "done"
    assert not Lane.objects.exclude(token=None).exists()


def test_a_cluster_whose_idle_worker_was_killed_is_replaced(running, start, address):
    start(WORKERS="1")
    first = a_worker(address)
    os.kill(first, signal.SIGKILL)
    assert a_worker(address, but=[first])
    order = running.joined.order()
    running.receive(order)
    wait_until(all_done)
    assert running.exact(order)


def test_wake_ups_that_killed_clusters_had_taken_keep_nobody_from_work(running, start):
    later = timezone.now() + timedelta(hours=1)
    OrmQ.objects.bulk_create([OrmQ(key="tillbridge", payload="", lock=later) for _ in range(10)])
    start()
    order = running.joined.order()
    running.receive(order)
    wait_until(all_done)
    assert running.exact(order)


def test_a_cluster_whose_worker_stands_still_is_replaced(running, start, address):
    start(WORKERS="1", STALLED_SECONDS="5")
    first = a_worker(address)
    order = running.joined.order()
    with transaction.atomic():  # it is due once the worker stands still, which may then hold SQLite's only lock
        message = running.receive(order)
        later = timezone.now() + timedelta(seconds=1)
        Message.objects.filter(pk=message.pk).update(not_before=later)
        Lane.objects.filter(pk=message.lane_id).update(due_at=later)
    os.kill(first, signal.SIGSTOP)
    wait_until(lambda: state(first) in ("", "Z"))
    wait_until(all_done)
    assert running.exact(order)
