"""The form by which a person starts a backfill."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from hub.admin import words
from hub.models import Flow, SyncJob
from hub.people import limited

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # before there were shops on the web
Choices = dict[str, Flow]


def choices(user: Any) -> Choices:
    """What this person may fetch: where a flow that is on begins, nothing else would become a message."""
    flows = limited(Flow.objects.filter(on=True).select_related("pair__source"), user, "pair")
    return {f"{one.pair.source_id}:{one.source_entity}": one for one in flows.order_by("pk")}


def shown(data: Any, found: Choices) -> dict[str, Any]:
    """What the form's template needs; without data the last seven days."""
    today = timezone.localtime()
    return {
        "offered": [
            (name, f"{words.entity_words(one)} of {one.pair.source.label}") for name, one in sorted(found.items())
        ],
        "paused": sorted({str(one.pair.source) for one in found.values() if one.pair.source.paused}),
        "chosen": data.get("what", ""),
        "since": data.get("since") or f"{today - timedelta(days=7):%Y-%m-%dT00:00}",
        "until": data.get("until") or f"{today:%Y-%m-%dT%H:%M}",
        "zone": timezone.get_current_timezone_name(),
    }


def start(data: Any, found: Choices) -> SyncJob:
    """Raises ValueError in words. Dates are in the console's zone."""
    flow = found.get(data.get("what", ""))
    if flow is None:
        raise ValueError("Choose what to fetch.")
    since, until = _moment(data.get("since", ""), "From"), _moment(data.get("until", ""), "Until")
    if until <= since:
        raise ValueError("'Until' must be later than 'From'.")
    if since > timezone.now():
        raise ValueError("'From' lies in the future: nothing has changed there yet.")
    wanted = {"connection": flow.pair.source, "entity": flow.source_entity, "since": since, "until": until}
    if SyncJob.objects.filter(**wanted, kind=SyncJob.Kind.BACKFILL, on=True).exists():
        raise ValueError("This very backfill is at work already: see the sync jobs.")
    return SyncJob.objects.create(**wanted, kind=SyncJob.Kind.BACKFILL)


def _moment(text: str, label: str) -> datetime:
    try:
        found = parse_datetime(text)
        if found is None:
            raise ValueError
        aware: datetime = timezone.make_aware(found) if timezone.is_naive(found) else found
        at = aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"'{label}' is no date with a time: {text[:40]!r}.") from None
    if not EARLIEST <= at <= timezone.now() + timedelta(days=366):
        raise ValueError(f"'{label}' must lie between {EARLIEST:%Y} and a year from now.")
    return at
