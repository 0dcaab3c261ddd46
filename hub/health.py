"""How each connection is, in words: paused, away, limited, or well; and how fast it may be asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from connectors import systems
from connectors.base import NO_LIMIT, Pace
from connectors.errors import ConnectorError
from hub.connecting import connector_of
from hub.models import Connection, Quota
from hub.people import limited
from hub.quotas import bucket

ENDS = "pairs_as_source pairs_as_target"


@dataclass(frozen=True)
class Health:
    """`look` is good, warn or bad."""

    connection: Connection
    system: str
    state: str
    look: str
    why: str
    breaker: str
    pace: str
    tested: str


def healths(user: Any) -> list[Health]:
    """Those that the user sees, the ill ones first."""
    rows = limited(Connection.objects.select_related("quota"), user, ENDS)
    order = {"bad": 0, "warn": 1, "good": 2}
    return sorted((health_of(one) for one in rows), key=lambda one: (order[one.look], one.connection.label))


def health_of(row: Connection) -> Health:
    state, look, why = _state(row)
    system = systems().get(row.system)
    return Health(
        connection=row,
        system=system.label if system else row.system,
        state=state,
        look=look,
        why=why,
        breaker=_breaker(row.quota),
        pace=pace_words(row),
        tested=_tested(row),
    )


def _state(row: Connection) -> tuple[str, str, str]:
    quota = row.quota
    if row.paused:
        return "Paused", "warn", row.paused_because
    if quota and quota.breaker == Quota.Breaker.OPEN:
        return "Away", "bad", f"{quota.because}{_probed_at(quota)}"
    if quota and quota.blocked_until and quota.blocked_until > timezone.now():
        return "Limited", "warn", f"{quota.because} Asked again at {_time(quota.blocked_until)}.".strip()
    if row.test_passed is False:
        return "Test failed", "bad", row.test_answer
    return "Well", "good", ""


def _breaker(quota: Quota | None) -> str:
    if quota is None:
        return "not asked yet"
    if quota.breaker == Quota.Breaker.OPEN and quota.opened_at:
        day = f"{timezone.localtime(quota.opened_at):%Y-%m-%d} "
        today = day == f"{timezone.localtime():%Y-%m-%d} "
        return f"open since {'' if today else day}{_time(quota.opened_at)}"
    return "closed"


def _probed_at(quota: Quota) -> str:
    if quota.blocked_until and quota.blocked_until > timezone.now():
        return f" Asked again at {_time(quota.blocked_until)}."
    return " Asked again as soon as a worker is free."


def _time(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M:%S}"


def pace_words(row: Connection) -> str:
    """What it may be asked: "600 calls in 60 s, 10 at once"."""
    try:
        pace = connector_of(row).own_pace()
    except ConnectorError:
        return "settings incomplete"
    return words_of(pace)


def words_of(pace: Pace) -> str:
    if pace == NO_LIMIT:
        return "as fast as it answers"
    parts = [f"{pace.calls} calls in {pace.seconds} s"] if pace.calls else []
    parts += [f"{pace.at_once} at once"] if pace.at_once else []
    return ", ".join(parts) or "as fast as it answers"


def room_words(row: Connection) -> str:
    """What is left of its pace now: "24 of 24 calls may leave now, 1 of 4 at once taken"; empty without a pace, and
    before the first call."""
    try:
        pace, quota, now = connector_of(row).own_pace(), row.quota, timezone.now()
    except ConnectorError:
        return ""
    if quota is None:
        return ""
    parts = []
    if pace.calls and quota.refilled_at:
        rate, most = bucket(pace)
        left = quota.calls_left + max(0.0, (now - quota.refilled_at).total_seconds()) * rate
        parts.append(f"{max(0, int(min(most, left)))} of {most} calls may leave now")
    if pace.at_once:
        taken = sum(quota.slices.filter(until__gt=now).values_list("slots", flat=True))
        parts.append(f"{taken} of {pace.at_once} at once taken")
    return ", ".join(parts)


def _tested(row: Connection) -> str:
    if row.tested_at is None:
        return "never tested"
    minutes = int((timezone.now() - row.tested_at).total_seconds() // 60)
    passed = "passed" if row.test_passed else "failed"
    return f"{passed} {minutes} min ago" if minutes < 120 else f"{passed} {timezone.localtime(row.tested_at):%Y-%m-%d}"
