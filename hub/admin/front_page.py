"""What the front page shows: is everything all right, and if not, where to click."""

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Sum
from django.db.models.functions import TruncHour
from django.http import HttpRequest
from django.utils import timezone

from hub.admin import words
from hub.admin.problem import weights_of
from hub.conservation import OPEN, sums
from hub.conservation import Sum as FlowSum
from hub.health import healths
from hub.models import Flow, Message, Problem, UnmappedValue
from hub.people import limited, pairs_of

State, Result = Message.State, Message.Outcome
PROBLEMS = 6
HOURS = 25  # that the last 24 hours have a part in
COLOURS = {
    Result.DONE: "var(--color-green-600)",
    Result.SKIPPED: "var(--color-base-400)",
    Result.SUPERSEDED: "var(--color-base-300)",
    Result.OVERTAKEN: "var(--color-orange-500)",
}


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    if not request.user.has_perm("hub.view_message"):
        return context
    user = request.user
    mine = limited(Message.objects.all(), user, "flow__pair")
    return {
        **context,
        "title": "Front page",
        "connections": healths(user),
        "conservation": _conservation(user),
        "oldest": _oldest(mine),
        "day": _last_day(mine),
        "problems": _problems(user),
        "unmapped": _unmapped(user),
        "flows": Flow.objects.exists(),
    }


class _Counted:
    """The sums, for all who look. Finished messages are counted one by one, so they are kept for fifty times as long as
    that took, for two seconds at least and half a minute at most."""

    def __init__(self) -> None:
        self._kept: tuple[datetime, list[FlowSum]] | None = None
        self._until = 0.0

    def get(self) -> tuple[datetime, list[FlowSum]]:
        began = time.monotonic()
        if self._kept is None or began > self._until:
            self._kept = timezone.now(), sums()
            now = time.monotonic()
            self._until = now + min(max(50 * (now - began), SHORTEST), LONGEST)
        return self._kept

    def forget(self) -> None:
        self._until = 0.0


SHORTEST, LONGEST = 2.0, 30.0
counted = _Counted()


def _conservation(user: Any) -> dict[str, Any]:
    """Received = done + skipped + superseded + overtaken + what is open, over the flows that the user sees."""
    at, found = counted.get()
    pairs = pairs_of(user)
    mine = [one for one in found if pairs is None or one.flow.pair_id in pairs]
    states = [*Result, *OPEN]
    totals = {state: sum(one.states[state] for one in mine) for state in states}
    received = sum(one.received for one in mine)
    rows = [
        {"state": state, "label": state.label, "count": totals[state], "look": words.LOOKS.get(state, "")}
        for state in states
    ]
    return {
        "at": at,
        "received": received,
        "finished": rows[: len(Result)],
        "open": rows[len(Result) :],
        "holds": all(one.holds for one in mine),
    }


def _oldest(mine: Any) -> dict[str, Any] | None:
    """The open message that was received first, of those that wait for time or for the hub."""
    waits = mine.filter(state__in=(State.WAITING, State.RUNNING, State.IN_DOUBT))
    first = waits.order_by("pk").select_related("lane", "flow__pair__source").first()
    if first is None:
        return None
    return {"message": first, "age": words.age_of(first), "badge": words.state_badge(first)}


def _last_day(mine: Any) -> dict[str, Any]:
    """Orders that ended in the last 24 hours: by hour and outcome for the chart, and their amounts by currency."""
    since = timezone.now() - timedelta(hours=24)
    orders = mine.filter(state=State.FINISHED, finished_at__gte=since, flow__source_entity="orders")
    by_hour: dict[str, list[int]] = {one: [0] * HOURS for one in Result.values}
    amounts: dict[str, dict[str, Decimal]] = {one: {} for one in Result.values}
    counts = dict.fromkeys(Result.values, 0)
    first = since.replace(minute=0, second=0, microsecond=0)
    found = orders.order_by().annotate(hour=TruncHour("finished_at", tzinfo=UTC))
    for one in found.values("outcome", "currency", "hour").annotate(sum=Sum("amount"), count=Count("pk")):
        outcome, money = one["outcome"], amounts[one["outcome"]]
        counts[outcome] += one["count"]
        by_hour[outcome][min(int((one["hour"] - first).total_seconds() // 3600), HOURS - 1)] += one["count"]
        if one["sum"] is not None:
            money[one["currency"]] = money.get(one["currency"], Decimal(0)) + one["sum"]
    stopped = limited_dead(mine)
    return {
        "chart": json.dumps(_chart(first, by_hour)),
        "rows": [
            {
                "outcome": one,
                "label": one.label,
                "look": words.LOOKS.get(one, ""),
                "count": counts[one],
                "money": words.moneys(amounts[one]) if amounts[one] else "-",
            }
            for one in Result
        ],
        "any": any(counts.values()),
        "stopped": stopped,
    }


def limited_dead(mine: Any) -> dict[str, Any]:
    """Money at risk: what dead letters and held messages are worth."""
    found = mine.filter(state__in=(State.DEAD_LETTER, State.HELD)).order_by()
    money: dict[str, Decimal] = {}
    count = 0
    for currency, number, amount in found.values_list("currency").annotate(Count("pk"), Sum("amount")):
        count += number
        if amount is not None:
            money[currency] = amount
    oldest = found.aggregate(first=Min("received_at"))["first"]
    age = words.age((timezone.now() - oldest).total_seconds()) if oldest else ""
    return {"count": count, "money": words.moneys(money) if money else "", "age": age}


def _chart(since: Any, by_hour: dict[str, list[int]]) -> dict[str, Any]:
    local = timezone.localtime(since)
    labels = [f"{(local + timedelta(hours=n)):%H:%M}" for n in range(HOURS)]
    sets = [
        {"label": one.label, "data": by_hour[one], "backgroundColor": COLOURS[one], "stack": "orders"}
        for one in Result
        if any(by_hour[one]) or one == Result.DONE
    ]
    return {"labels": labels, "datasets": sets}


def _problems(user: Any) -> dict[str, Any]:
    rows = limited(Problem.objects.filter(state=Problem.State.OPEN), user, "pair")
    latest = list(rows.select_related("pair", "owner").order_by("-last_seen")[:PROBLEMS])
    weights = weights_of([one.pk for one in latest])
    told = [
        {
            "problem": one,
            "kind": words.class_words(one.kind),
            "messages": weights[one.pk]["messages"],
            "money": words.moneys(weights[one.pk]["money"]) if weights[one.pk]["money"] else "",
        }
        for one in latest
    ]
    return {"count": rows.count(), "latest": told}


def _unmapped(user: Any) -> int:
    rows = limited(UnmappedValue.objects.filter(closed_at=None), user, "table__pair")
    return rows.filter(blocks__message__state=State.DEAD_LETTER).distinct().count()
