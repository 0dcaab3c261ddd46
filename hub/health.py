"""How each connection is, in words: paused, away, limited, or well; and how fast it may be asked."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from connectors import systems
from connectors.base import NO_LIMIT, Pace
from connectors.errors import ConnectorError
from hub.connecting import connector_of
from hub.models import Connection, Quota
from hub.people import limited

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
        return "Away", "bad", quota.because
    if quota and quota.blocked_until and quota.blocked_until > timezone.now():
        seconds = int((quota.blocked_until - timezone.now()).total_seconds())
        return "Limited", "warn", f"{quota.because} Asked again in {seconds} s.".strip()
    if row.test_passed is False:
        return "Test failed", "bad", row.test_answer
    return "Well", "good", ""


def _breaker(quota: Quota | None) -> str:
    if quota is None:
        return "not asked yet"
    if quota.breaker == Quota.Breaker.OPEN and quota.opened_at:
        minutes = int((timezone.now() - quota.opened_at).total_seconds() // 60)
        return f"open for {minutes} min"
    return "closed"


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


def _tested(row: Connection) -> str:
    if row.tested_at is None:
        return "never tested"
    minutes = int((timezone.now() - row.tested_at).total_seconds() // 60)
    passed = "passed" if row.test_passed else "failed"
    return f"{passed} {minutes} min ago" if minutes < 120 else f"{passed} {row.tested_at:%Y-%m-%d}"
