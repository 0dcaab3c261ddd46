"""`make run`: a hub to try out, as a stranger starts, breaks and ends it."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240


def free_ports():
    """Three that nobody has now."""
    sockets = [socket.socket() for _ in range(3)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def demo(tmp_path):
    """`with demo() as (process, said)` runs it until it has printed where it is; `said` is what it printed so far."""
    database = tmp_path / "demo.sqlite3"
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{database}",
        "DEMO_FOLDER": str(tmp_path / "demo"),
        "DEBUG": "true",
        "PYTHONUNBUFFERED": "1",
    }

    def command(*arguments):
        return [sys.executable, "manage.py", "demo", *map(str, arguments)]

    @contextmanager
    def started(ports=None, until="Logs:"):
        console, shop, erp = ports or free_ports()
        arguments = command("--port", console, "--shop-port", shop, "--erp-port", erp, "--seconds", 1)
        log = tmp_path / "said.txt"
        with log.open("wb") as out:
            process = subprocess.Popen(
                arguments, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            wait_for(lambda: until in log.read_text() or process.poll() is not None)
            yield process, log.read_text
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=PATIENCE)

    def run(*arguments):
        return subprocess.run(
            command(*arguments), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )

    started.run, started.database, started.folder = run, database, tmp_path / "demo"
    return started


def wait_for(what):
    end = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.3)
    return found


def counted(database, text):
    """Messages that say this in their state, outcome, reason or reference."""
    with sqlite3.connect(database, timeout=30) as rows:
        found = rows.execute("SELECT state, outcome, reason, reference <> '' FROM hub_message").fetchall()
    return sum(
        text in f"{state} {outcome} {reason} {'known' if known else ''}" for state, outcome, reason, known in found
    )


def living(folder):
    """Processes of the demo that keeps its files there, by what /proc says of their environment."""
    found = []
    for one in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in one.read_bytes():
                found.append(int(one.parent.name))
        except OSError:
            continue
    return found


def test_a_stranger_watches_orders_cross_and_finds_every_kind_that_stops(demo):
    with demo() as (process, said):
        text = said()
        address = re.search(r"The console: (\S+)", text)[1]
        for role in ("operator", "integrator", "approver", "manager", "auditor", "administrator"):
            assert f"{role}-demo" in text
        assert "Three things to try" in text
        with httpx.Client(base_url=address, follow_redirects=True) as client:
            form = client.get("/admin/login/").text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[1]
            data = {"username": "operator", "password": "operator-demo", "csrfmiddlewaretoken": token}
            assert "Front page" in client.post("/admin/login/?next=/admin/", data=data).text
        for text in ("finished done", "'alma'", "shipto_line1: has", "PROTO-VASE", "held"):
            wait_for(lambda text=text: counted(demo.database, text))
        # Ctrl-C in a terminal reaches the group of the foreground.
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0
        assert "Stopped." in said()
    wait_for(lambda: not living(demo.folder))
    before = counted(demo.database, "finished done")
    with demo() as (process, said):  # the next start goes on
        assert "The first customers have bought" not in said()
        wait_for(lambda: counted(demo.database, "finished done") > before)
        process.kill()  # whatever it started ends with it
        process.wait(timeout=PATIENCE)
        wait_for(lambda: not living(demo.folder))
    assert "starts over" in demo.run("--reset").stdout
    assert counted(demo.database, "") == 0


def test_a_port_that_is_in_use_is_said_with_what_to_do(demo):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = demo.run("--port", port, "--shop-port", free_ports()[0], "--erp-port", free_ports()[1])
    assert found.returncode == 1
    assert f"Port {port} for the console is in use" in found.stderr
    assert "make run PORT=" in found.stderr
    assert "Traceback" not in found.stderr


def test_it_runs_only_where_it_is_for_trying_out(demo, monkeypatch):
    monkeypatch.setenv("DEBUG", "false")
    found = subprocess.run(
        [sys.executable, "manage.py", "demo"], cwd=ROOT, env={**os.environ, "ALLOWED_HOSTS": "x"},
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert found.returncode == 1
    assert "only with DEBUG=true" in found.stderr
