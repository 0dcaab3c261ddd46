"""Open breakers, and who can be worked for meanwhile. hub.limits opens one when a system fails again and again; from
then on nobody asks it but a probe, which closes the breaker or lets it rest for longer."""

import logging
from datetime import datetime, timedelta

from django.db.models import Min, Q
from django.utils import timezone

from connectors.errors import ConnectorError, SignInRefused, TryLater
from hub import limits
from hub.connecting import connector_of
from hub.models import Connection, Pair, Quota
from hub.pausing import pause
from hub.quotas import rest

PROBED = timedelta(seconds=60)  # after which the probe of a process that was killed is anybody's
LONGEST_ASKED = timedelta(hours=1)

logger = logging.getLogger(__name__)
clock = timezone.now


def workable(connection: str, now: datetime) -> Q:
    """For queries over what has a connection of this name (`pair__source`): it is not paused, and may be asked."""
    quota = f"{connection}__quota"
    past = Q(**{f"{quota}__blocked_until": None}) | Q(**{f"{quota}__blocked_until__lte": now})
    free = Q(**{quota: None}) | Q(**{f"{quota}__breaker": Quota.Breaker.CLOSED}) & past
    return Q(**{f"{connection}__paused": False}) & free


def workable_pairs(now: datetime) -> list[int]:
    """The ids of pairs both of whose connections may be asked."""
    return list(Pair.objects.filter(workable("source", now), workable("target", now)).values_list("pk", flat=True))


def next_unblocking(now: datetime) -> datetime | None:
    """When the next quota may be asked or probed again, of those that may not be now."""
    blocked = Quota.objects.filter(blocked_until__gt=now, connections__paused=False)
    found: datetime | None = blocked.aggregate(at=Min("blocked_until"))["at"]
    return found


def due_probes(now: datetime) -> list[int]:
    """The ids of quotas whose breaker is open, has rested, and is nobody's to probe."""
    due = Quota.objects.filter(_due(now), connections__paused=False).order_by("blocked_until")
    return list(dict.fromkeys(due.values_list("pk", flat=True)))


def _due(now: datetime) -> Q:
    rested = Q(blocked_until=None) | Q(blocked_until__lte=now)
    nobodys = Q(probed_until=None) | Q(probed_until__lte=now)
    return rested & nobodys & Q(breaker=Quota.Breaker.OPEN)


def probe(quota: int) -> bool:
    """Asks one of the quota's connections whether its system answers again, each time another one. True where the
    breaker is closed now; False also where somebody else has taken the probe. A connection whose sign-in is refused is
    paused: its system answers."""
    now = clock()
    until = now + PROBED
    if not Quota.objects.filter(_due(now), pk=quota).update(probed_until=until):
        return False
    row = Quota.objects.get(pk=quota)
    ours = Quota.objects.filter(pk=quota, breaker=Quota.Breaker.OPEN, probed_until=until)
    connections = list(Connection.objects.filter(quota=quota, paused=False).order_by("pk"))
    if not connections:
        return False
    problem = _still_away(connections[row.openings % len(connections)])
    if problem:
        now = clock()
        at = now + rest(row.openings + 1)
        if isinstance(problem, TryLater) and problem.after:
            at = max(at, min(problem.after, now + LONGEST_ASKED))
        ours.update(openings=row.openings + 1, blocked_until=at, because=str(problem), probed_until=None)
    else:
        closed = {"breaker": Quota.Breaker.CLOSED, "openings": 0, "blocked_until": None, "because": ""}
        ours.update(**closed, opened_at=None, probed_until=None)
    limits.look_again(quota)
    return problem is None


def probe_now(quota: int) -> bool:
    """The same at a person's word, however long it was to rest."""
    Quota.objects.filter(pk=quota, breaker=Quota.Breaker.OPEN).update(blocked_until=clock())
    return probe(quota)


def _still_away(connection: Connection) -> Exception | None:
    """What says so; None where the system has answered, be it with a refusal."""
    with limits.probing() as calls:
        try:
            connector_of(connection).check()
        except SignInRefused as error:
            pause(connection, f"{error.message} {error.hint}".strip())
        except Exception as error:  # a check that fails for a reason of its own must not keep the breaker open
            answered = any(call.status and call.status < 500 and call.status != 429 for call in calls)
            if not answered or (isinstance(error, TryLater) and error.outage):
                return error
            if not isinstance(error, ConnectorError):
                logger.exception("The check of connection %s failed.", connection.name)
    return None
