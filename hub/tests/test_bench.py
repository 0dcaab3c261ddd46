"""What `make bench` measures does the whole work of an order, and no call more."""

import json
import subprocess
import sys

import httpx
import pytest

import connectors
from bench import rows, running, the_work
from conftest import SHARED
from connectors.base import Event
from hub import connecting
from hub.flows import default_flow
from hub.handling import handle
from hub.inbox import receive
from hub.lanes import claim
from hub.models import Message
from scripts.with_postgres import free_port


@pytest.fixture
def systems(monkeypatch):
    """The systems with those of the bench."""
    found = list(connectors.__path__)
    monkeypatch.setenv("CONNECTORS", str(running.ROOT / "bench" / "connectors"))
    connectors.systems.cache_clear()
    yield connectors.systems()
    connectors.__path__[:] = found
    connectors.systems.cache_clear()
    connecting.close_all()


@pytest.fixture
def stub():
    """The rig's stub in a process of its own; gives the addresses of its shop and its ERP."""
    ports = free_port(), free_port()
    command = [sys.executable, SHARED / "bench" / "stub.py", "--shop-port", str(ports[0]), "--erp-port", str(ports[1])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline(), "the stub did not start"
        yield tuple(f"http://127.0.0.1:{port}" for port in ports)
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
def pair(db, systems, stub, monkeypatch):
    shop, erp = stub
    joined = json.dumps(the_work.JOINED).replace(the_work.SHOP, shop).replace(the_work.ERP, erp)
    monkeypatch.setenv(running.SYSTEMS, joined)
    monkeypatch.setenv(running.FLOWS, "orders")
    return rows.make()


@pytest.mark.shared("bench")
def test_an_order_is_carried_in_six_calls_and_stands_with_its_lines(pair, stub):
    httpx.post(f"{stub[1]}/control", json={"reset": True, "expect": [7, 7]})
    (message,) = receive(pair.source, [Event("orders", "7")], Message.Origin.WEBHOOK)
    for one in claim(1):
        handle(one)
    message.refresh_from_db()
    assert (message.outcome, message.reason, message.attempts.count()) == ("done", "", 1)
    told = httpx.get(f"{stub[1]}/stats").json()
    assert told["requests"] == {
        "erp:PATCH contacts": 1,
        "erp:PATCH salesorders": 1,
        "erp:token": 1,
        "shop:GET addresses": 1,
        "shop:GET customers": 1,
        "shop:GET orders": 1,
        "shop:POST order_histories": 1,
    }
    left = {name: told[name] for name in ("missing_salesorders", "missing_histories", "orders_with_missing_lines")}
    assert set(left.values()) == {0}, left


@pytest.mark.shared("bench")
def test_the_records_of_many_orders_are_read_in_three_calls(pair, stub):
    httpx.post(f"{stub[1]}/control", json={"reset": True})
    found = connecting.connector_of(pair.source).read_many("orders", ["7", "8", "9"])
    assert [(one["id"], len(one["order_rows"])) for one in found.values()] == [(7, 3), (8, 3), (9, 3)]
    assert sum(httpx.get(f"{stub[1]}/stats").json()["requests"].values()) == 3


def test_what_is_mapped_are_fields_of_the_target(systems):
    flow, erp = default_flow("bench_erp", "orders"), systems["bench_erp"]
    for mapping in flow.mappings.values():
        (entity,) = (one for one in erp.entities if one.name == mapping.to)
        filled = {rule.to for rule in mapping.rules}
        assert filled - {one.name for one in entity.fields} == set()
        assert {one.name for one in entity.fields if one.required} - filled == set()
    assert sum(len(one.rules) for one in flow.mappings.values()) > 25
