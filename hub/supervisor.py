"""Keeps django-q2's clusters at work: one a worker process. It wakes them for what is due, and replaces one that lost
its worker or has stalled.

Measured: a cluster whose idle worker was killed stalls in silence, since the dead one holds the queue's lock. With one
worker a cluster, replacing it harms nobody else. All of them have stalled when there are lanes that are due and
nobody's for a while, and in that time no lane was claimed or kept. Age alone says nothing: a backlog or a paused
connection ages too.
"""

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from hub.lanes import LEASE, claimable, free_what_the_dead_hold
from hub.models import Lane
from hub.outcomes import AWAY
from hub.tasks import PROCESSES, STOP, SUPERVISOR, sweep, wake

TICK = 0.25
PATIENCE = 180.0  # seconds for a cluster to finish what it has claimed
GRACE = 5.0  # seconds for it to end once its worker has
FREE, SWEEP = 1.0, 60.0  # seconds between two
PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl
log = logging.getLogger(__name__)


@dataclass
class Cluster:
    """`folder` holds a file for each worker process of it, named by its id."""

    process: subprocess.Popen[bytes]
    folder: Path

    def lost(self) -> bool:
        """Whether a worker process of it is gone."""
        return any(not alive(int(file.name)) for file in self.folder.iterdir() if file.name != STOP)


class Supervisor:
    def __init__(self) -> None:
        self._clusters: list[Cluster] = []
        self._started = timezone.now()
        self._ends = False
        self._freed = self._swept = time.monotonic()
        self._above = Path(tempfile.mkdtemp(prefix="tillbridge-worker-"))

    def run(self) -> None:
        """Until SIGTERM or SIGINT: the clusters then end with what they have claimed."""
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: setattr(self, "_ends", True))
        try:
            while not self._ends:
                self._tick()
                time.sleep(TICK)
        finally:
            for one in self._clusters:
                (one.folder / STOP).touch()
                with suppress(ProcessLookupError):
                    one.process.send_signal(signal.SIGTERM)
            for one in self._clusters:
                self._stop(one, signal.SIGTERM)
            shutil.rmtree(self._above, ignore_errors=True)

    def _tick(self) -> None:
        while len(self._clusters) < settings.WORKERS:
            self._clusters.append(self._start())
        try:
            close_old_connections()
            for one in list(self._clusters):
                self._look_after(one)
            if timezone.now() - self._started > settings.STALLED and stalled():
                log.warning(
                    "No lane was claimed for %s though some are due: the workers are replaced.", settings.STALLED
                )
                for one in list(self._clusters):
                    self._replace(one)
            wake()
            self._now_and_then()
        except AWAY as error:
            log.warning("The database is away: %s", error)
            time.sleep(1)
        except Exception:  # one bad row must not end all workers
            log.exception("A look of the supervisor failed")
            time.sleep(1)

    def _look_after(self, one: Cluster) -> None:
        if one.process.poll() is None and not one.lost():
            return
        log.warning("A worker process is gone: its cluster is replaced.")
        self._replace(one)

    def _now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._freed > FREE:
            self._freed = now
            free_what_the_dead_hold()
        if now - self._swept > SWEEP:
            self._swept = now
            sweep()

    def _replace(self, one: Cluster) -> None:
        self._stop(one, signal.SIGKILL)
        self._clusters.remove(one)
        free_what_the_dead_hold()
        self._clusters.append(self._start())

    def _start(self) -> Cluster:
        folder = Path(tempfile.mkdtemp(dir=self._above))
        process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=settings.BASE_DIR,
            env={**os.environ, PROCESSES: str(folder), SUPERVISOR: str(os.getpid())},
            start_new_session=True,
            preexec_fn=end_with_the_parent,
        )
        self._started = timezone.now()
        return Cluster(process, folder)

    def _stop(self, one: Cluster, how: signal.Signals) -> None:
        """Asks the cluster's first process, which lets its worker finish; then ends the whole group, since a first
        process that is gone leaves its worker behind, and one whose worker is gone waits for it in vain."""
        end = time.monotonic() + PATIENCE
        while how is signal.SIGTERM and one.process.poll() is None and time.monotonic() < end:
            if one.lost():
                end = min(end, time.monotonic() + GRACE)
            time.sleep(TICK)
        with suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait(timeout=10)


def end_with_the_parent() -> None:
    """Where the system can (Linux): a cluster whose supervisor is killed is asked to end, too."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGTERM)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def stalled() -> bool:
    now = timezone.now()
    left_alone = claimable(now).filter(due_at__lt=now - settings.STALLED).exists()
    return left_alone and not Lane.objects.filter(claimed_until__gt=now + LEASE - settings.STALLED).exists()
