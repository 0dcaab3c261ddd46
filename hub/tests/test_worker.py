"""Workers as real processes, with both sandboxes on ports."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connection

from connectors.serving import serving
from hub import connecting
from hub.models import Message, SyncJob
from hub.tests.running import Running

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


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


@pytest.fixture
def worker():
    database = connection.settings_dict
    address = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        address = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=ROOT, env={**os.environ, "DATABASE_URL": address}
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, list(Message.objects.values_list("state", "outcome", "reason"))
        time.sleep(0.1)


def all_done(count):
    return Message.objects.filter(outcome="done").count() == count


def test_orders_that_were_received_are_carried(running, worker):
    orders = [running.joined.order() for _ in range(12)]
    for order in orders:
        running.receive(order)
    wait_until(lambda: all_done(12))
    assert all(running.exact(order) for order in orders)


def test_orders_are_polled_and_carried(running, worker):
    orders = [running.joined.order() for _ in range(3)]
    SyncJob.objects.create(connection=running.shop, entity="orders")
    wait_until(lambda: all_done(3))
    assert all(running.exact(order) for order in orders)
