"""Measures how long the console's lists take with a million messages: `make bench-console`, or with
ARGS="--messages 100000" for a quick look. It builds its rows on PostgreSQL and asks every list as a browser would,
through the whole of the console but for the network.
"""

import argparse
import statistics
import sys
import time

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment

from bench.million import build
from hub.models import Flow, Message, Problem

PROMISED = 300.0  # milliseconds
TIMES = 9
LISTS = (
    "problem unmappedvalue batch crossreference syncjob run connection pair flow mapping lookuptable person auditentry"
)


def pages(count: int) -> dict[str, str]:
    """What is asked, by what it is called."""
    messages, dead = "/admin/hub/message/", "/admin/hub/deadletter/"
    first = Flow.objects.order_by("pk")[0]
    flow, pair, problem = first.pk, first.pair_id, Problem.objects.order_by("pk")[0].pk
    some = Message.objects.filter(lane__entity="orders").order_by("pk")[count // 3]
    found = {"front page": "/admin/", "messages": messages, "messages, second page": f"{messages}?below={some.pk}"}
    found |= {"messages, deep": f"{messages}?below=1000", "messages, newer than": f"{messages}?above=1000"}
    for state in (
        "waiting",
        "held",
        "in+doubt",
        "dead+letter",
        "running",
        "stopped",
        "open",
        "done",
        "skipped",
        "overtaken",
    ):
        found[f"messages, state {state.replace('+', ' ')}"] = f"{messages}?state={state}"
    found |= {
        "messages, class mapping": f"{messages}?class=mapping",
        "messages, class internal (none)": f"{messages}?class=internal",
        "messages, one flow": f"{messages}?flow={flow}",
        "messages, one pair": f"{messages}?pair={pair}",
        "messages, one problem": f"{messages}?problem={problem}",
        "messages, last hour": f"{messages}?received=1h",
        "messages, last 24 hours": f"{messages}?received=24h",
        "messages, done of one flow": f"{messages}?state=done&flow={flow}",
        "messages, dead letters of one pair": f"{messages}?state=dead+letter&pair={pair}",
        "messages, dead letters of 7 days": f"{messages}?state=dead+letter&received=7d",
        "search: reference": f"{messages}?q={some.reference}",
        "search: beginning": f"{messages}?q={some.reference[:5]}",
        "search: the shop's id": f"{messages}?q={some.lane.key}",
        "search: the ERP's number": f"{messages}?q={some.number}",
        "search: e-mail": f"{messages}?q=hana@post.example",
        "search: nothing found": f"{messages}?q=ZZZZZZZZZ",
        "dead letters": dead,
        "dead letters, class refused": f"{dead}?class=refused",
        "one message": f"{messages}{some.pk}/change/",
        "one problem": f"/admin/hub/problem/{problem}/change/",
    }
    return found | {f"list: {one}": f"/admin/hub/{one}/" for one in LISTS.split()}


def measure(client: Client, path: str) -> list[float]:
    """Milliseconds, sorted; the first answer, which compiles templates, does not count."""
    took = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        answer = client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
    return sorted(took[1:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    count = parser.parse_args().messages
    if connection.vendor != "postgresql":
        raise SystemExit("The promise is about PostgreSQL: run it by `make bench-console`, or set DATABASE_URL.")
    call_command("migrate", verbosity=0)
    if not Message.objects.exists():
        print(f"Building {count:,} messages")
        build(count)
    settings.DEBUG = False
    setup_test_environment(debug=False)
    client = Client()
    client.force_login(User.objects.get(username="bench"), backend="hub.people.RoleBackend")
    print(f"\n| page, with {Message.objects.count():,} messages | p50 ms | slowest of {TIMES} ms |\n|---|---|---|")
    late = []
    for name, path in pages(count).items():
        took = measure(client, path)
        print(f"| {name} | {statistics.median(took):.0f} | {took[-1]:.0f} |", flush=True)
        if statistics.median(took) > PROMISED:
            late.append(name)
    print(f"\nPromised: {PROMISED:.0f} ms. " + (f"Broken by: {', '.join(late)}." if late else "Kept by every page."))
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
