"""Measures what the hub does in a second and what an order costs: `make bench`, or `python -m bench --quick`.

The first table is the measured work on the neutral stub of the rig beside the project, the second the full order flow
on the sandboxes. Everything is durable, on PostgreSQL.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import full_flow, the_work
from bench.database import NoServer
from bench.rig import NoRig, load
from bench.running import ROOT
from bench.the_work import Failed, Plan, Result

COLUMNS = (
    *("what", "worker processes", "answers after ms", "webhooks/s", "p50 / p99 ms", "orders/s"),
    *("event to ERP p50 / p99 ms", "CPU ms an order: web + worker + PostgreSQL", "statements", "transactions"),
    *("calls", "peak RSS MB", "PSS MB"),
)


def plans(quick: bool) -> list[Plan]:
    repeats, part = (1, 3) if quick else (3, 1)
    found = [
        Plan(f"{workers} at {latency} ms", workers, events // part, latency, 0, repeats)
        for workers in (1, 2)
        for latency, events in ((0, 600), (50, 600), (200, 600))
    ]
    found.append(Plan("webhooks alone", 0, 3000 // part, repeats=repeats))
    found.append(Plan("idle: 2 events a second", 2, 40 // (2 if quick else 1), rate=2, repeats=1, posters=2))
    return found


def row(plan: Plan, results: list[Result]) -> list[str]:
    """The medians of a plan's runs."""

    def middle(get: Callable[[Result], Any], places: int = 1) -> str:
        values = [get(one) for one in results]
        return "" if None in values else f"{statistics.median(values):.{places}f}"

    def part(name: str, of: str, places: int = 1) -> str:
        return middle(lambda one: one.told[of].get(name, 0), places)

    def both(name: str) -> str:
        return " / ".join(filter(None, (part(one, name, 0) for one in ("p50", "p99"))))

    cpu = [part(one, "cpu_ms_per_order") for one in ("web", "worker", "postgres")]
    events = results[0].told["events"]
    return [
        plan.name,
        str(plan.workers),
        str(plan.latency),
        middle(lambda one: one.told["accepted_per_s"], 0),
        both("answer_ms"),
        middle(lambda one: one.told["orders_per_s"]),
        both("event_to_erp_ms"),
        f"{' + '.join(cpu)} = {middle(lambda one: one.told['cpu_ms_per_order']['total'])}",
        middle(lambda one: one.counts.statements / events),
        middle(lambda one: one.counts.transactions / events),
        middle(lambda one: one.told["calls_per_order"]),
        middle(lambda one: one.told["peak_rss_mb"]["total"], 0),
        middle(lambda one: one.told["pss_mb"], 0),
    ]


def table(rows: list[list[str]]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(one)} |" for one in lines)


def measured(name: str, chosen: list[Plan], measure: Callable[[Plan, Path], list[Result]], folder: Path) -> None:
    rows, kept = [], []
    for plan in chosen:
        print(f"{name}: {plan.name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="tillbridge-bench-", ignore_cleanup_errors=True) as scratch:
            Path(scratch).chmod(0o755)
            results = measure(plan, Path(scratch))
        rows.append(row(plan, results))
        kept += [{"plan": asdict(plan), "told": one.told, "counts": asdict(one.counts)} for one in results]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")
    print(f"\n{name}\n\n{table(rows)}\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rig", type=Path, default=ROOT.parent / "shared" / "bench", help="the rig's folder")
    parser.add_argument("--quick", action="store_true", help="one run of each, with fewer events")
    parser.add_argument("--only", choices=("work", "flow"), help="one of the two tables")
    given = parser.parse_args()
    folder = ROOT / "var" / "bench"
    try:
        rig = load(given.rig.resolve())
        if given.only != "flow":
            work = given.rig.resolve()
            measured("work", plans(given.quick), lambda plan, scratch: the_work.measure(plan, work, scratch), folder)
        if given.only != "work":
            flows = [Plan(f"{one} processes", one, 100 if given.quick else 300, repeats=1) for one in (1, 2)]
            measured("flow", flows, lambda plan, scratch: full_flow.measure(plan, rig, scratch), folder)
    except (Failed, NoRig, NoServer) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
