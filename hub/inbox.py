"""The one way in: a webhook, a poll, a backfill or a person names a record, and a message row waits for it."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from connectors.base import Event
from hub.models import Connection, Flow, Lane, Message
from hub.published import starting_at

Origin = Message.Origin
LONGEST_ID = 200


@transaction.atomic
def receive(connection: Connection, events: Iterable[Event], origin: Message.Origin) -> list[Message]:
    """One message for each event and each flow that starts at its entity; committed when this returns. An event that
    came before (the same id from its sender) gives the message that stands."""
    flows = starting_at(connection.pk)
    now = timezone.now()
    return [
        _message(flow, event, origin, now)
        for event in sorted(set(events), key=lambda one: (one.entity, one.key, one.id))
        for flow in flows
        if flow.source_entity == event.entity
    ]


def receive_for(flow: Flow, event: Event, origin: Message.Origin = Origin.MESSAGE) -> Message:
    """One message for one flow, inside the caller's transaction: what another message needs, or a person asks for."""
    return _message(flow, event, origin, timezone.now())


def _message(flow: Flow, event: Event, origin: Message.Origin, now: datetime) -> Message:
    """1. The lane is made or made due, and so locked until the end: whoever releases it meanwhile waits, and sees us.
    2. The message is added, unless its event id stands already.
    """
    event_id = event.id if len(event.id) <= LONGEST_ID else sha256(event.id.encode()).hexdigest()
    if event_id:
        known = Message.objects.filter(flow=flow, event_id=event_id).first()
        if known:
            return known
    (lane,) = Lane.objects.bulk_create(
        [Lane(pair_id=flow.pair_id, entity=event.entity, key=event.key, due_at=now)],
        update_conflicts=True,
        unique_fields=["pair", "entity", "key"],
        update_fields=["due_at"],
    )
    message = Message(flow=flow, lane=lane, origin=origin, event_id=event_id)
    if not event_id:
        message.save(force_insert=True)
        return message
    Message.objects.bulk_create([message], ignore_conflicts=True)
    return Message.objects.get(flow=flow, event_id=event_id)
