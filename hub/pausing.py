"""Pauses a connection and resumes it: while it is paused its messages wait, and nothing is asked of its system."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from hub.models import AuditEntry, Connection


def pause(connection: Connection, because: str, who: User | None = None) -> bool:
    """`because` is what the operator reads; `who` is None for the hub itself. False where it was paused already: the
    first reason stays."""
    return _change(connection, {"paused": True, "paused_because": because}, "paused", who)


def resume(connection: Connection, who: User | None = None) -> bool:
    """What has waited is due at once. False where it was not paused."""
    return _change(connection, {"paused": False, "paused_because": ""}, "resumed", who)


@transaction.atomic
def _change(connection: Connection, after: dict[str, Any], what: str, who: User | None) -> bool:
    """The row is locked first: of two who pause it, one does, and each entry tells what stood there."""
    row = Connection.objects.select_for_update().get(pk=connection.pk)
    before = {name: getattr(row, name) for name in after}
    changed: bool = row.paused != after["paused"]
    if changed:
        for name, value in after.items():
            setattr(row, name, value)
        row.save(update_fields=list(after))
        pair = row.pairs_as_source.first() or row.pairs_as_target.first()
        record = f"Connection {row.name}"
        AuditEntry.objects.create(who=who, what=what, record=record, pair=pair, before=before, after=after)
    connection.paused, connection.paused_because = row.paused, row.paused_because
    return changed
