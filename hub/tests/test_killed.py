"""Killed in the middle: every part of a hub is a process of its own, and each of them goes away when it likes."""

import random
import time

import pytest
from django.db import connection

from conftest import absent
from connectors.prestashop.sandbox.shopper import KINDS
from hub.tests.database_server import CRASH, FAST, DatabaseServer, missing
from hub.tests.killing import Killer
from hub.tests.machine import Machine
from hub.tests.verdict import verify

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="by design: with SQLite there is one worker process"
)
INNOCENT = [one for one in KINDS if one not in ("unknown_product", "vanished_product", "inconsistent")]
ORDERS = {"method": "POST", "path": "/salesorders"}
LATE = {"kind": "late", "times": -1, "seconds": 2.5, "every": 4, **ORDERS}  # commits, and answers when it likes
SLOW = {"kind": "slow", "times": -1, "seconds": 2.5, "every": 6, **ORDERS}  # commits when its caller may be dead
# A system whose client dies of one order, as of a record that fills the memory.
DEADLY = """
import os
import signal
from pathlib import Path

from connectors.prestashop import connector as PrestaShop


class Deadly(PrestaShop):
    name = "deadly"

    def read(self, entity, key):
        die_of(entity, [key])
        return super().read(entity, key)

    def read_many(self, entity, keys):
        die_of(entity, keys)
        return super().read_many(entity, keys)


def die_of(entity, keys):
    if entity == "orders" and Path(os.environ["DEADLY_ORDER"]).read_text() in keys:
        os.kill(os.getpid(), signal.SIGKILL)


connector = Deadly
"""
AWAY = {"kind": "refused", "times": -1}
BREAKER_OPEN = "SELECT 1 FROM hub_quota WHERE breaker = 'open'"
OPEN = "SELECT 1 FROM hub_message WHERE state NOT IN ('finished', 'dead letter')"
DEAD = """
    SELECT l.key, m.kind, m.deaths, m.reason FROM hub_message m JOIN hub_lane l ON l.id = m.lane_id
    WHERE m.state = 'dead letter'
"""


@pytest.fixture(scope="module")
def server():
    if why := missing():
        absent(why)
    with DatabaseServer() as server:
        yield server


@pytest.fixture(scope="module")
def running(server, tmp_path_factory):
    """One for all that leave it as they found it: to start it takes a while."""
    with Machine(server.new_database(), tmp_path_factory.mktemp("machine")) as machine:
        yield machine


@pytest.fixture
def machine(running):
    yield running
    running.tell(running.erp, "faults", [])


@pytest.fixture
def killer(machine):
    return Killer(machine, random.Random())


def placed(machine, count):
    return machine.place(*random.choices(INNOCENT, k=count), count=count)


def received(machine, count):
    """New orders, of which the hub was told."""
    orders = placed(machine, count)
    for one in orders:
        machine.tell_of(one)
    return orders


def count_done(machine):
    ((count,),) = machine.ask("SELECT count(*) FROM hub_message WHERE outcome = 'done'")
    return count


def test_nothing_is_lost_or_doubled_while_something_is_killed_every_three_seconds(machine, killer):
    machine.tell(machine.erp, "faults", [LATE, SLOW])
    placed_here = 0
    while placed_here < 300 or len(killer.kills) < 20 or killer.counts["between"] < 5:
        due = time.monotonic() + 3
        if placed_here < 300 or machine.all_through():
            placed_here += len(received(machine, 15))
        time.sleep(max(0.0, due - time.monotonic()))
        killer.kill_any()
    machine.until(machine.all_through)
    ((in_doubt, taken_over),) = machine.ask("SELECT sum(was_sent::int), count(*) FROM taken_over")
    print(f"{placed_here} orders, killed {dict(killer.counts)}: {taken_over} taken over, of them {in_doubt} in doubt")
    assert in_doubt >= killer.counts["between"]
    verify(machine)


def test_nothing_is_lost_or_doubled_while_the_database_is_stopped_and_crashes(machine, server):
    machine.tell(machine.erp, "faults", [LATE])
    before = count_done(machine)
    received(machine, 40)
    machine.until(lambda: count_done(machine) > before + 10)
    server.stop(FAST)
    unheard = placed(machine, 5)
    assert not any(machine.webhook({"event": "order.created", "id": one}) for one in unheard)
    time.sleep(10)
    server.start()
    for one in unheard:
        machine.tell_of(one)
    received(machine, 15)
    machine.until(lambda: count_done(machine) > before + 60)
    server.stop(CRASH)
    time.sleep(1)
    server.start()
    received(machine, 5)
    machine.until(machine.all_through)
    verify(machine)


def test_nothing_is_lost_or_doubled_while_the_erp_is_away_and_every_webhook_comes_twice_in_no_order(machine):
    orders = placed(machine, 60)
    signed = {one: f"evt_{one}" for one in orders[::2]}
    twice = orders * 2
    random.shuffle(twice)
    accepted = {}
    for number, one in enumerate(twice):
        if number == 40:
            machine.tell(machine.erp, "faults", [AWAY])
        accepted.setdefault(one, set()).update(machine.tell_of(one, signed.get(one, "")))
    assert {one: len(accepted[one]) for one in orders} == {one: 1 if one in signed else 2 for one in orders}
    machine.until(lambda: machine.ask(BREAKER_OPEN))
    time.sleep(8)
    machine.tell(machine.erp, "faults", [])
    machine.until(machine.all_through)
    assert machine.ask(BREAKER_OPEN) == []
    verify(machine)


def test_an_order_goes_through_after_every_one_of_twenty_kills_of_idle_workers(machine, killer):
    while len(killer.kills) < 20:
        for one in machine.until(lambda: workers if len(workers := killer.workers()) == 2 else None):
            killer.kill_idle(one)
        received(machine, 1)
        machine.until(machine.all_through)
    verify(machine)


def test_a_message_that_kills_its_worker_ends_as_a_dead_letter_and_no_other_suffers(server, tmp_path):
    (tmp_path / "connectors" / "deadly").mkdir(parents=True)
    (tmp_path / "connectors" / "deadly" / "__init__.py").write_text(DEADLY)
    deadly = tmp_path / "deadly order"
    told = {"CONNECTORS": str(tmp_path / "connectors"), "DEADLY_ORDER": str(deadly)}
    with Machine(server.new_database(), tmp_path, shop_system="deadly", environment=told) as machine:
        orders = placed(machine, 20)
        deadly.write_text(str(orders[7]))
        for one in orders:
            machine.tell_of(one)
        machine.until(lambda: not machine.ask(OPEN))
        ((*dead, reason),) = machine.ask(DEAD)
        assert dead == [str(orders[7]), "internal", 3]
        assert reason.startswith("3 workers died while they worked on this message")
        verify(machine, but=[orders[7]])
