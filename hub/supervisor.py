"""Keeps django-q2's cluster at work: wakes it for what is due, and replaces it where it has stalled.

Measured: a cluster whose idle worker was killed stalls in silence. It has stalled when there are lanes that are due and
nobody's for STALLED, and in that time no lane was claimed or kept. Age alone says nothing: a backlog or a paused
connection ages too.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from hub.lanes import LEASE, claimable
from hub.models import Lane
from hub.tasks import wake

TICK = 0.25
PATIENCE = 180.0  # seconds for a cluster to finish what it has claimed
STALLED = timedelta(seconds=20)


class Supervisor:
    def __init__(self) -> None:
        self._cluster: subprocess.Popen[bytes] | None = None
        self._started = timezone.now()
        self._ends = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT: the cluster then ends with what it has claimed."""
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: setattr(self, "_ends", True))
        try:
            while not self._ends:
                close_old_connections()
                self.tick()
                time.sleep(TICK)
        finally:
            self._stop(signal.SIGTERM)

    def tick(self) -> None:
        if self._cluster is None or self._cluster.poll() is not None:
            self._start()
        elif timezone.now() - self._started > STALLED and stalled():
            self._stop(signal.SIGKILL)
            self._start()
        wake(settings.WORKERS)

    def _start(self) -> None:
        command = [sys.executable, "manage.py", "qcluster"]
        self._cluster = subprocess.Popen(command, cwd=settings.BASE_DIR, start_new_session=True)  # noqa: S603
        self._started = timezone.now()

    def _stop(self, how: signal.Signals) -> None:
        """Asks the cluster's first process, which lets its workers finish; then ends the whole group, since a first
        process that is gone leaves its workers behind."""
        if self._cluster is None:
            return
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            self._cluster.send_signal(how)
            self._cluster.wait(timeout=PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(self._cluster.pid, signal.SIGKILL)
        self._cluster.wait(timeout=10)


def stalled() -> bool:
    now = timezone.now()
    left_alone = claimable(now).filter(due_at__lt=now - STALLED).exists()
    return left_alone and not Lane.objects.filter(claimed_until__gt=now + LEASE - STALLED).exists()
