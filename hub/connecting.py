"""Connectors of a pair, one of each connection for every worker thread: an HTTP client belongs to one thread.

What the rows of a connection say is kept for two seconds; a change made in the same process is seen at once.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from connectors import systems
from connectors.base import Connector
from connectors.errors import NeedsPerson, TryLater
from connectors.session import Call, Session
from hub import limits, models
from hub.evidence import note_call
from hub.fresh import Fresh
from hub.secrets import CannotDecrypt
from hub.tokens import DatabaseTokens


@dataclass
class _Kept:
    """A connector of this thread, and what it was made from."""

    age: int
    system: str
    answers: dict[str, str]
    connector: Connector
    limiter: limits.Limiter


_mine = threading.local()
_tokens = DatabaseTokens()
_age = 0  # connectors of an earlier age are not used again
# Tests put a sandbox's transport here, by the connection's name.
transports: dict[str, Callable[[], httpx.BaseTransport]] = {}


def connectors_of(pair: models.Pair) -> tuple[Connector, Connector]:
    """As the rows say it. Raises NeedsPerson where a setting is missing."""
    return _connector(pair.source_id), _connector(pair.target_id)


def connector_of(connection: models.Connection) -> Connector:
    """As its rows say it. Raises NeedsPerson where a setting is missing."""
    return _connector(connection.pk)


@contextmanager
def once(connection: models.Connection, longest: float, until: datetime) -> Iterator[Connector]:
    """A connector for one question of a person: it signs in with a token of its own, waits `longest` seconds for an
    answer at most, and calls nobody after `until`. Limits neither hold it back nor count it. Raises NeedsPerson where a
    setting is missing."""
    row, answers = _read(connection.pk)
    transport = transports.get(row.name)

    def before(call: Call) -> None:
        if timezone.now() > until:
            raise TryLater(f"{made.label} answers too slowly: this has taken too long, and was ended.", outage=True)

    session = Session(transport=transport() if transport else None, longest=longest)
    made = systems()[row.system](answers, session)
    session.before = before
    try:
        yield made
    finally:
        made.close()


def connection_row(pk: int) -> models.Connection:
    """The connection, read two seconds ago at most."""
    return _rows.get(pk)[0]


def _connector(pk: int) -> Connector:
    row, answers = _rows.get(pk)
    mine: dict[int, _Kept] = _mine.__dict__.setdefault("kept", {})
    kept = mine.get(pk)
    if kept is None or (kept.age, kept.system, kept.answers) != (_age, row.system, answers):
        if kept:
            del mine[pk]
            kept.connector.close()
        kept = mine[pk] = _made(row, answers)
    if row.quota_id is None:  # it has had no call yet, or the quota was deleted
        kept.limiter.look_again()
    if row.quota_id != kept.limiter.quota:
        row.quota_id = kept.limiter.quota
        models.Connection.objects.filter(pk=pk).update(quota=row.quota_id)
    return kept.connector


def _made(row: models.Connection, answers: dict[str, str]) -> _Kept:
    """Whose quota it is says the connector itself, so its session is told afterwards. Making one calls nobody."""
    transport = transports.get(row.name)
    session = Session(transport=transport() if transport else None, tokens=_tokens)
    made = systems()[row.system](answers, session)
    limiter = limits.limiter(made.quota_owner(), made.label)
    limiter.keep_to(row.pk, made.own_pace())

    def after(call: Call) -> None:
        limiter.after(call)
        note_call(call)

    session.before, session.after = limiter.before, after
    return _Kept(_age, row.system, answers, made, limiter)


def _read(pk: int) -> tuple[models.Connection, dict[str, str]]:
    """Raises NeedsPerson where a secret cannot be read."""
    row = models.Connection.objects.get(pk=pk)
    try:
        return row, row.answers()
    except CannotDecrypt as error:
        raise NeedsPerson(f"A secret of {row.label} cannot be read.", f"{error} Or enter it anew.") from error


_rows = Fresh(_read)


def close_all() -> None:
    """Gives this thread's connections back, and makes the process forget what it knows of any: for tests, whose rows
    have the same ids again."""
    for one in _mine.__dict__.pop("kept", {}).values():
        one.connector.close()
    _forget()


def _forget() -> None:
    global _tokens, _age
    _rows.forget()
    _tokens = DatabaseTokens()
    _age += 1
    limits.forget()


def _changed(**signal: Any) -> None:
    _rows.forget()


for _model in (models.Connection, models.Credential):
    post_save.connect(_changed, sender=_model, dispatch_uid=f"connecting {_model.__name__}")
    post_delete.connect(_changed, sender=_model, dispatch_uid=f"connected {_model.__name__}")
# A worker process is forked: its parent's sockets, leases and locks are not its own.
os.register_at_fork(after_in_child=_forget)
