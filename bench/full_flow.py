"""The full order flow on the sandboxes: customer first, order with every part and exact totals, number and state
written back. Everything but the sandboxes is as in the measured work."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import running
from bench.database import Counts, Database, wait
from bench.running import ROOT
from bench.the_work import Failed, Plan, Result

WEB_PORT = 18830
LONGEST = 240.0  # seconds for all orders of a run
DONE = """
    SELECT count(*) FROM hub_message m JOIN hub_flow f ON f.id = m.flow_id
    WHERE f.name = 'orders' AND m.outcome = 'done'
"""
OTHERS = "SELECT state, outcome, kind, left(reason, 200), count(*) FROM hub_message GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC"


def measure(plan: Plan, rig: ModuleType, folder: Path) -> list[Result]:
    """The runs of a plan but the first, which makes the customers known and warms everything up. Raises Failed."""
    database = Database(folder / "postgres")
    database.make()
    with sandboxes() as place:
        joined: list[dict[str, Any]] = place(0)
        environment = running.environment(database, plan.workers, "customers orders", joined)
        with started(rig, environment, database, folder) as processes:
            results = [run(plan, rig, database, processes, place) for _ in range(plan.repeats + 1)]
    return results[1:]


@contextmanager
def sandboxes() -> Iterator[Any]:
    """Gives a function that places so many orders and returns their ids; of none, how to connect."""
    command = [sys.executable, "-m", "bench.sandboxes"]
    with subprocess.Popen(  # noqa: S603  our own module
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        told, asked = process.stdout, process.stdin
        assert told  # noqa: S101  they are pipes
        assert asked  # noqa: S101
        first = json.loads(told.readline())

        def place(count: int) -> Any:
            if not count:
                return first
            asked.write(f"{count}\n")
            asked.flush()
            return json.loads(told.readline())

        try:
            yield place
        finally:
            process.terminate()


@contextmanager
def started(rig: ModuleType, environment: dict[str, str], database: Database, folder: Path) -> Iterator[list[Any]]:
    def process(name: str, command: str, **more: str) -> Any:
        return rig.Process({"name": name, "cmd": command, "env": {}, **more}, str, str(folder), environment)

    processes = [process("postgres", database.command)]
    try:
        processes[0].start()
        wait(database.port)
        for number, command in enumerate(running.before(database)):
            before = process(f"before{number}", command, cwd=str(ROOT))
            before.start()
            if before.popen.wait(120):
                raise Failed(f"{command} failed: see {before.log}.")
        for name, command in (("web", running.web(WEB_PORT)), ("worker", running.worker())):
            processes.append(process(name, command, cwd=str(ROOT)))
            processes[-1].start()
        rig.wait_for("web", lambda: rig.answers(running.ready(WEB_PORT)), 60, processes)
        yield processes
    finally:
        for one in reversed(processes):
            one.stop()


def run(plan: Plan, rig: ModuleType, database: Database, processes: list[Any], place: Any) -> Result:
    orders = place(plan.events)
    (before,) = database.ask(DONE)[0]
    meter = rig.Meter(processes)
    meter.sample()
    cpu = meter.seconds()
    database.count()
    began = time.monotonic()
    took = asyncio.run(_posted(rig, orders))
    accepted = time.monotonic() - began
    while (now := database.ask(DONE)[0][0]) < before + len(orders):
        if time.monotonic() - began > LONGEST:
            raise Failed(f"{now - before} of {len(orders)} orders are done: {database.ask(OTHERS)}")
        meter.sample()
        time.sleep(0.1)
    whole = time.monotonic() - began
    meter.sample()
    spent = {name: seconds - cpu.get(name, 0) for name, seconds in meter.seconds().items()}
    return Result(_told(plan, rig, orders, took, accepted, whole, spent, meter), _counted(database))


def _told(
    plan: Plan,
    rig: ModuleType,
    orders: list[int],
    took: list[float],
    accepted: float,
    whole: float,
    spent: dict[str, float],
    meter: Any,
) -> dict[str, Any]:
    """In the rig's own words, so that both tables are made alike."""
    each = {name: round(seconds * 1000 / len(orders), 2) for name, seconds in spent.items()}
    return {
        "events": len(orders),
        "latency_ms": plan.latency,
        "accepted_per_s": round(len(orders) / accepted, 1),
        "answer_ms": {"p50": rig.ms(rig.pct(took, 0.5)), "p99": rig.ms(rig.pct(took, 0.99))},
        "orders_per_s": round(len(orders) / whole, 2),
        "event_to_erp_ms": {"p50": None, "p99": None},
        "cpu_ms_per_order": {**each, "total": round(sum(each.values()), 2)},
        "peak_rss_mb": {"total": round(meter.peak / 1e6)},
        "pss_mb": round(meter.pss() / 1e6),
        "calls_per_order": None,
    }


def _counted(database: Database) -> Counts:
    return database.counts()


async def _posted(rig: ModuleType, orders: list[int], posters: int = 8) -> list[float]:
    """How long each webhook's answer took, in seconds."""
    system = {"webhook": running.webhook(WEB_PORT), "headers": running.HEADERS}
    waiting, took = iter(orders), []

    async def posting() -> None:
        poster = rig.Poster(system)
        for order in waiting:
            began = time.monotonic()
            status = await poster.post(order)
            if status != 202:
                raise Failed(f"The webhook of order {order} was answered {status}.")
            took.append(time.monotonic() - began)
        poster.close()

    await asyncio.gather(*(posting() for _ in range(posters)))
    return took
