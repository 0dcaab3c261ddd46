"""The measured work on the neutral stub, driven by the rig beside the project: see its README for what the work is."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import running
from bench.database import Counts, Database
from bench.running import ROOT

# What the rig's stub takes.
SHOP, ERP = "http://127.0.0.1:18801", "http://127.0.0.1:18802"
JOINED = [
    {
        "system": "bench_shop",
        "settings": {"address": SHOP, "key": "BENCHKEY0123456789ABCDEFGHIJKLMN", "page_size": "200"},
    },
    {
        "system": "bench_erp",
        "settings": {
            "environment_url": ERP,
            "authority": ERP,
            "tenant": "11111111-1111-1111-1111-111111111111",
            "client_id": "bench",
            "client_secret": "bench-secret",
        },
    },
]
WEB_PORT = 18820


class Failed(Exception):
    """The rig could not measure; the words say where to look."""


@dataclass(frozen=True)
class Plan:
    """One start of everything. `rate` in events a second (0: as fast as they are accepted); without worker processes
    it is about webhooks alone."""

    name: str
    workers: int
    events: int
    latency: int = 0
    rate: float = 0
    repeats: int = 3
    posters: int = 8


@dataclass(frozen=True)
class Result:
    """What the rig printed of one run, and what the database counted meanwhile."""

    told: dict[str, Any]
    counts: Counts


def measure(plan: Plan, rig: Path, folder: Path) -> list[Result]:
    """The runs of a plan but the first, which warms everything up. Raises Failed and NoServer."""
    database = Database(folder / "postgres")
    database.make()
    system = folder / "system.toml"
    system.write_text(described(plan, database))
    command = [sys.executable, str(rig / "run.py"), str(system), "--events", str(plan.events)]
    command += ["--latency", str(plan.latency), "--rate", str(plan.rate), "--posters", str(plan.posters)]
    command += ["--repeat", str(plan.repeats + 1), "--warmup", "0", "--work", str(folder / "rig"), "--show-requests"]
    command += ["--stall", "20" if plan.workers else "2"]
    results = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:  # noqa: S603
        for told in _lines(process):
            results.append(Result(told, database.counts()))
            database.count()
        if process.wait() != 0:
            raise Failed(f"The rig ended with {process.returncode}; what the processes said lies in {folder / 'rig'}.")
    for one in results:
        _check(one.told, plan)
    return results[1:]


def _lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout  # noqa: S101  it is a pipe
    for line in process.stdout:
        if line.startswith("{"):
            yield json.loads(line)


def _check(told: dict[str, Any], plan: Plan) -> None:
    """A figure counts only where every order stands once and was reported."""
    wrong = [
        name
        for name in ("lost", "without_status", "duplicate_orders", "orders_with_doubled_lines", "duplicate_contacts")
        if plan.workers and told.get(name)
    ]
    if wrong or told.get("refused") or (plan.workers and told["stalled"]):
        raise Failed(f"{plan.name}: not every order was carried once: {json.dumps(told)}")


def described(plan: Plan, database: Database) -> str:
    """The rig's description of our system, as TOML."""
    environment = running.environment(database, max(1, plan.workers), "orders", JOINED)
    headers = ", ".join(f"{_quoted(name)} = {_quoted(value)}" for name, value in running.HEADERS.items())
    lines = [
        f"name = {_quoted(plan.name)}",
        f"webhook = {_quoted(running.webhook(WEB_PORT))}",
        f"ready = {_quoted(running.ready(WEB_PORT))}",
        f"headers = {{ {headers} }}",
        "[env]",
        *(f"{name} = {_quoted(value)}" for name, value in environment.items()),
        *_process("postgres", database.command, cwd="/"),
        *_process("web", running.web(WEB_PORT), before=running.before(database)),
    ]
    if plan.workers:
        lines += _process("worker", running.worker(), kill=True)
    return "\n".join(lines) + "\n"


def _process(
    name: str, command: str, *, before: list[str] | None = None, cwd: str = str(ROOT), kill: bool = False
) -> list[str]:
    lines = ["[[process]]", f"name = {_quoted(name)}", f"cmd = {_quoted(command)}", f"cwd = {_quoted(cwd)}"]
    lines += [f"before = [{', '.join(_quoted(one) for one in before)}]"] if before else []
    return [*lines, *(["kill = true"] if kill else [])]


def _quoted(text: str) -> str:
    """A TOML string; braces would be the rig's own places."""
    return json.dumps(text)
