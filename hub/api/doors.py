"""What a webhook needs to know of its connection: kept for two seconds, so that a burst costs few statements."""

import time
from dataclasses import dataclass
from typing import Any

from django.db.models.signals import post_delete, post_save

from hub.models import Connection, Credential

SECONDS = 2.0
SIGNING, TOKEN = "webhook signing", "webhook token"
_kept: dict[str, tuple[float, "Door"]] = {}


@dataclass(frozen=True)
class Door:
    """`signing` and `tokens` are the secrets that are valid now: two of each while one is being replaced."""

    connection: Connection
    signing: tuple[str, ...]
    tokens: tuple[str, ...]


def door_of(name: str) -> Door | None:
    kept = _kept.get(name)
    if kept and time.monotonic() - kept[0] < SECONDS:
        return kept[1]
    connection = Connection.objects.filter(name=name).first()
    if connection is None:
        return None
    door = Door(connection, tuple(connection.secret(SIGNING)), tuple(connection.secret(TOKEN)))
    _kept[name] = (time.monotonic(), door)
    return door


def forget(**signal: Any) -> None:
    _kept.clear()


for _model in (Connection, Credential):
    post_save.connect(forget, sender=_model, dispatch_uid=f"door {_model.__name__}")
    post_delete.connect(forget, sender=_model, dispatch_uid=f"no door {_model.__name__}")
