"""Connectors of a pair, one of each connection for every worker thread: an HTTP client belongs to one thread."""

import threading
from collections.abc import Callable

import httpx

from connectors import systems
from connectors.base import Connector
from connectors.session import MemoryTokens, Session
from hub import models

_mine = threading.local()
_tokens: dict[int, MemoryTokens] = {}  # shared by the threads of this process
# Tests put a sandbox's transport here, by the connection's name.
transports: dict[str, Callable[[], httpx.BaseTransport]] = {}


def connectors_of(pair: models.Pair) -> tuple[Connector, Connector]:
    return connector_of(pair.source), connector_of(pair.target)


def connector_of(connection: models.Connection) -> Connector:
    """Raises NeedsPerson where a setting is missing."""
    kept: dict[int, tuple[object, Connector]] = _mine.__dict__.setdefault("kept", {})
    answers = connection.answers()
    stamp = (connection.system, tuple(sorted(answers.items())))
    if connection.pk in kept and kept[connection.pk][0] == stamp:
        return kept[connection.pk][1]
    if connection.pk in kept:
        kept[connection.pk][1].close()
    transport = transports.get(connection.name)
    session = Session(
        transport=transport() if transport else None, tokens=_tokens.setdefault(connection.pk, MemoryTokens())
    )
    made = systems()[connection.system](answers, session)
    kept[connection.pk] = (stamp, made)
    return made


def close_all() -> None:
    """Gives this thread's connections back."""
    for _, one in _mine.__dict__.pop("kept", {}).values():
        one.close()
