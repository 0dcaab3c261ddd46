"""The commands that an operator types: replay and sandbox."""

import fcntl
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command

from connectors.prestashop import sandbox as prestashop
from hub.connecting import close_all, transports
from hub.drain import drain
from hub.models import Connection, Message, Pair, Quota, Rule, SyncJob
from hub.replay import Line
from hub.tests.running import Running

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "prestashop" / "orders"


@pytest.fixture
def run_all(tmp_path, settings, capsys, transactional_db):
    """Replays all the sample orders, or the recorded ones."""
    settings.BASE_DIR = tmp_path

    def run(*arguments):
        file = tmp_path / "table.json"
        call_command("replay", *arguments, "--json", str(file))
        return capsys.readouterr().out, json.loads(file.read_text())

    yield run
    close_all()


@pytest.fixture
def run(run_all, monkeypatch):
    """The same with few kinds of sample orders."""
    monkeypatch.setattr(prestashop, "KINDS", ("plain", "company", "same_email", "unknown_product", "inconsistent"))
    return run_all


def test_the_sample_orders_end_as_they_should_and_stand_once_however_often(run_all):
    said, table = run_all()
    states = {one["state"] for one in table}
    assert states == {"done", "dead letter", "held", "skipped"}
    for one in table:
        assert list(one) == [
            "reference",
            "id",
            "currency",
            "shop_total",
            "erp_total",
            "erp_key",
            "state",
            "class",
            "reason",
        ]
        assert one["shop_total"] == one["erp_total"] if one["state"] == "done" else one["reason"]
    done = sum(one["state"] == "done" for one in table)
    assert f"Each of the {done} done orders stands once in the ERP" in said
    _, again = run_all()
    assert [one["erp_key"] for one in again] == [one["erp_key"] for one in table]
    assert all(one["reason"].startswith("Already there.") for one in again if one["state"] == "done")


def test_an_order_that_is_stopped_while_it_is_read_keeps_its_reference_and_total(run):
    _, table = run()
    (half,) = [one for one in table if "never completed" in one["reason"]]
    assert (half["state"], half["currency"]) == ("skipped", "EUR")
    assert half["reference"]
    assert half["shop_total"]


def test_a_fresh_start_forgets_earlier_runs(run):
    _, table = run()
    _, fresh = run("--fresh")
    assert not any("Already there" in one["reason"] for one in fresh)
    assert fresh[0]["erp_key"] != table[0]["erp_key"]


def test_a_replay_leaves_its_messages_and_paused_connections_behind(run):
    _, table = run()
    messages = Message.objects.filter(flow__name="orders")
    assert {one.reference: one.outcome or one.state for one in messages} == {
        one["reference"]: one["state"] for one in table
    }
    assert set(Message.objects.filter(flow__name="customers").values_list("outcome", flat=True)) == {"done"}
    assert {(one.paused, one.paused_because[:12]) for one in Connection.objects.all()} == {(True, "Replay ended")}
    assert (SyncJob.objects.count(), Quota.objects.count()) == (0, 0)


def test_a_replay_leaves_everybody_elses_messages_alone(run):
    """What was due is due afterwards, and nothing was sent."""
    running = Running()
    order = running.joined.order()
    message = running.receive(order)
    run()
    transports.clear()
    message.refresh_from_db()
    assert (message.state, message.first_tried_at, running.standing(order)) == ("waiting", None, [])
    assert not running.shop.paused


def test_a_replay_whose_rows_are_gone_meets_what_it_left_in_the_erp(run):
    _, table = run()
    Rule.objects.get(version__mapping__name="order", to="emailaddress").delete()
    Message.objects.all().delete()
    pair = Pair.objects.get()
    pair.lanes.all().delete()
    for owned in (pair.flows, pair.mappings):
        owned.update(current=None)
    pair.delete()
    Connection.objects.all().delete()
    _, again = run()
    assert [(one["erp_key"], one["state"]) for one in again] == [(one["erp_key"], one["state"]) for one in table]
    assert Rule.objects.filter(version__mapping__name="order", to="emailaddress").exists()


def test_flows_that_a_new_version_brings_replace_those_of_earlier_replays(run, tmp_path):
    _, table = run()
    pair, file = Pair.objects.get(), tmp_path / "var" / "replay" / "samples" / "pair.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "defaults": "of an older version"}))
    _, again = run()
    assert [one["erp_key"] for one in again] == [one["erp_key"] for one in table]
    assert Pair.objects.get().namespace == pair.namespace
    assert Pair.objects.get().pk != pair.pk


def test_a_replay_that_is_stopped_finishes_what_is_at_work_and_the_next_one_goes_on(run, monkeypatch):
    asked = []

    def drain_until_ctrl_c(stops, **options):
        def stops_after_the_first_batch():
            asked.append(1)
            if len(asked) == 3:
                os.kill(os.getpid(), signal.SIGINT)
            return stops()

        return drain(stops=stops_after_the_first_batch, **options)

    with monkeypatch.context() as patched:
        patched.setattr("hub.replay.drain", drain_until_ctrl_c)
        with pytest.raises(CommandError, match="Stopped") as caught:
            run()
    assert caught.value.returncode == 130
    states = set(Message.objects.values_list("state", flat=True))
    assert "running" not in states
    assert "waiting" in states
    assert {one.paused for one in Connection.objects.all()} == {True}
    said, table = run()
    assert {one["state"] for one in table} == {"done", "dead letter", "held", "skipped"}
    assert "stands once in the ERP, with the shop's total" in said


@pytest.mark.parametrize(
    ("address", "words"),
    [("empty.sqlite3", "Run `python manage.py migrate`"), ("no/such.sqlite3", "cannot be reached")],
)
def test_a_database_without_tables_is_said_with_what_to_do(tmp_path, address, words):
    environment = {**os.environ, "DEBUG": "true", "DATABASE_URL": f"sqlite:///{tmp_path / address}"}
    command = [sys.executable, "manage.py", "replay"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_rule_paid_only_skips_what_is_not_paid(run):
    _, table = run("--paid-only")
    assert "Not paid yet: rule 'Paid only'." in {one["reason"] for one in table}


@pytest.mark.shared("prestashop/orders")
def test_all_recorded_orders_arrive_exact_and_once(run):
    for again in (False, True):
        said, table = run("--data", str(RECORDED))
        assert len(table) == len(list((RECORDED / "orders").glob("*.xml")))
        assert {one["state"] for one in table} == {"done"}
        assert {one["reason"].startswith("Already there.") for one in table} == {again}
        assert [one["shop_total"] for one in table] == [one["erp_total"] for one in table]
        assert "with the shop's total" in said


@pytest.mark.parametrize(
    "content", ["<prestashop><orders><order>", "no xml", "", '<!DOCTYPE a [<!ENTITY b "c">]><prestashop/>']
)
def test_a_folder_that_cannot_be_read_is_named_with_its_file(run, tmp_path, content):
    (tmp_path / "data" / "orders").mkdir(parents=True)
    (tmp_path / "data" / "orders" / "1.xml").write_text(content)
    with pytest.raises(CommandError, match=r"1\.xml"):
        run("--data", str(tmp_path / "data"))


def test_a_folder_without_orders_is_said(run, tmp_path):
    (tmp_path / "data" / "orders").mkdir(parents=True)
    with pytest.raises(CommandError, match="order"):
        run("--data", str(tmp_path / "data"))


def test_a_file_that_cannot_be_written_is_said_before_anything_is_carried(run, tmp_path):
    with pytest.raises(CommandError, match="no such folder"):
        call_command("replay", "--json", str(tmp_path / "nowhere" / "table.json"))
    assert not (tmp_path / "var").exists()


def test_a_state_that_cannot_be_read_names_the_way_out(run, tmp_path):
    run()
    (tmp_path / "var" / "replay" / "samples" / "dynamics365.json").write_text("{half")
    with pytest.raises(CommandError, match="--fresh forgets it"):
        run()
    assert run("--fresh")


def test_two_replays_of_the_same_orders_do_not_run_at_once(run, tmp_path):
    folder = tmp_path / "var" / "replay" / "samples"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="Another replay"):
            run()


def test_an_order_that_stands_twice_or_with_another_total_is_told_as_wrong():
    line = Line("R", 1, "EUR", Decimal("1.00"), Decimal("1.00"), "k", "done", "", "", 1)
    assert line.sound
    assert not replace(line, stands=2).sound
    assert not replace(line, erp_total=Decimal("1.01")).sound
    assert replace(line, state="held", stands=0, erp_total=None).sound


def test_a_folder_that_is_not_there_is_said(run, tmp_path):
    with pytest.raises(CommandError, match="nowhere"):
        run("--data", str(tmp_path / "nowhere"))


class Served:
    """`manage.py sandbox` in a process of its own, with what it prints."""

    def __init__(self, *arguments):
        command = [sys.executable, "-u", "manage.py", "sandbox", *arguments]
        environment = {**os.environ, "DEBUG": "true"}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        self.told = {}
        for line in self.process.stdout:
            if line.startswith("Stop with"):
                break
            name, _, value = line.strip().partition(": ")
            self.told[name] = value

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=20)
        return rest, self.process.returncode


def test_a_shop_is_served_alone_and_says_its_address_and_key():
    served = Served("prestashop")
    try:
        answer = httpx.get(f"{served.told['address']}/api/orders", auth=(served.told["key"], ""))
        assert answer.status_code == 200
        assert answer.headers["PSWS-Version"].startswith("8.")
        port = re.search(r":(\d+)$", served.told["address"])[1]
        taken = subprocess.run(
            [sys.executable, "manage.py", "sandbox", "prestashop", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert taken.returncode == 1
        assert f"Port {port} cannot be used" in taken.stderr
    finally:
        assert served.stop() == ("Stopped.\n", 0)


@pytest.mark.shared("prestashop/orders")
def test_a_shop_is_served_with_recorded_orders_in_its_own_zone():
    served = Served("prestashop", "--data", str(RECORDED))
    try:
        with httpx.Client(base_url=f"{served.told['address']}/api", auth=(served.told["key"], "")) as client:
            assert "<reference><![CDATA[HKOFJMRIP]]></reference>" in client.get("/orders/44").text
            zone = client.get("/configurations?filter[name]=[PS_TIMEZONE]&display=[value]").text
            assert "Europe/Paris" in zone
    finally:
        served.stop()


def test_an_erp_is_served_over_tls_with_an_authority_of_its_own():
    served = Served("dynamics365", "--tls")
    try:
        trust = ssl.create_default_context(cafile=served.told["certificate authority"])
        tenant = served.told["tenant"]
        found = httpx.get(f"{served.told['address']}/{tenant}/v2.0/.well-known/openid-configuration", verify=trust)
        assert found.json()["token_endpoint"].startswith("https://localhost:")
    finally:
        assert served.stop(signal.SIGTERM)[1] == 0


def test_a_free_port_is_taken_when_none_is_asked_for():
    first, second = Served("prestashop"), Served("prestashop")
    try:
        assert first.told["address"] != second.told["address"]
        host, port = first.told["address"].removeprefix("http://").split(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    finally:
        first.stop()
        second.stop()
