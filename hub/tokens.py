"""Access tokens in rows, encrypted: shared by every worker process, and renewed by one of them.

A token that has been seen is kept in memory until it expires, so that a call costs no statement. One that a system
refuses is dropped by whoever is refused, who then looks at the row again: somebody may have renewed it.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from hub.models import Token
from hub.secrets import CannotDecrypt, decrypt, encrypt

LEASE = timedelta(seconds=30)  # for which a renewer has the token to itself; whoever was killed holds it no longer
LOOK = 0.2  # seconds between two looks at a token that somebody else renews


@dataclass
class _Kept:
    """What this process knows of one token. `changes` counts puts and drops, so that a row that was read before one
    of them is not kept after it."""

    token: tuple[str, datetime] | None = None
    changes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    renewing: threading.Lock = field(default_factory=threading.Lock)


class DatabaseTokens:
    """A connector's token store; one in each process."""

    def __init__(
        self, clock: Callable[[], datetime] = timezone.now, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._kept: dict[str, _Kept] = {}

    def get(self, name: str) -> tuple[str, datetime] | None:
        """The token and when it expires, which may be past."""
        digest, kept = self._of(name)
        with kept.lock:
            if kept.token and kept.token[1] > self._clock():
                return kept.token
            changes = kept.changes
        found = _stored(digest)
        with kept.lock:
            if kept.changes == changes:
                kept.token = found
        return found

    def put(self, name: str, token: str, expires_at: datetime) -> None:
        digest, kept = self._of(name)
        with kept.lock:
            kept.token, kept.changes = (token, expires_at), kept.changes + 1
        values = {"encrypted": encrypt(token), "expires_at": expires_at}
        if not Token.objects.filter(name=digest).update(**values):
            Token.objects.update_or_create(name=digest, defaults=values)

    def drop(self, name: str, token: str) -> None:
        """Forgets the token, here and in the row, where it is still the one: a renewed one stays."""
        digest, kept = self._of(name)
        with kept.lock:
            kept.changes += 1
            if kept.token and kept.token[0] == token:
                kept.token = None
        row = Token.objects.filter(name=digest).first()
        if row and (found := _read(row)) and found[0] == token:
            Token.objects.filter(pk=row.pk, encrypted=bytes(row.encrypted)).update(encrypted=b"", expires_at=None)

    @contextmanager
    def renewing(self, name: str) -> Iterator[None]:
        """For one renewer at a time, among threads and processes. Whoever has waited finds the new token by `get`.
        No transaction is open meanwhile."""
        digest, kept = self._of(name)
        with kept.renewing:
            until = self._taken(digest)
            try:
                yield
            finally:
                if until:
                    Token.objects.filter(name=digest, renewing_until=until).update(renewing_until=None)

    def _taken(self, digest: str) -> datetime | None:
        """Waits until the renewal is ours, and returns until when; None where somebody else has renewed meanwhile."""
        while True:
            now = self._clock()
            found = _read(Token.objects.get_or_create(name=digest)[0])
            if found and found[1] > now:
                return None
            free = Q(renewing_until=None) | Q(renewing_until__lte=now)
            if Token.objects.filter(free, name=digest).update(renewing_until=now + LEASE):
                return now + LEASE
            self._sleep(LOOK)

    def _of(self, name: str) -> tuple[str, _Kept]:
        digest = hashlib.sha256(name.encode()).hexdigest()
        return digest, self._kept.setdefault(digest, _Kept())


def _stored(digest: str) -> tuple[str, datetime] | None:
    row = Token.objects.filter(name=digest).first()
    return _read(row) if row else None


def _read(row: Token) -> tuple[str, datetime] | None:
    """None also for one that was encrypted under a key which is gone: a new one is got instead."""
    if not row.encrypted or row.expires_at is None:
        return None
    try:
        return decrypt(bytes(row.encrypted)), row.expires_at
    except CannotDecrypt:
        return None
