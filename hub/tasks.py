"""The only file that names django-q2. It wakes workers and knows nothing: a task that is lost or doubled is harmless,
since what there is to do stands in the rows of lanes and sync jobs."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet
from django.dispatch import receiver
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signals import post_spawn
from django_q.tasks import async_task

from hub import batches, polling, tidying, unmapped, waiting
from hub.ageing import end_the_aged
from hub.breaker import due_probes
from hub.breaker import probe as probe_quota
from hub.drain import drain
from hub.models import SyncJob

PROCESSES = "TILLBRIDGE_PROCESSES"  # names the folder where worker processes say that they are there
TIDY, LONGEST_TIDY = 3600.0, 20.0  # seconds between two, and for one
_tidied = [time.monotonic()]  # each worker process sees to it; two at once do no harm
SUPERVISOR = "TILLBRIDGE_SUPERVISOR"  # the id of the process that looks after the workers
STOP = "stop"  # the file in it by which a worker is asked to claim nothing more


@receiver(post_spawn)
def say_that_we_are_there(sender: Any, proc_name: str, **signal: Any) -> None:
    if folder := os.environ.get(PROCESSES):
        (Path(folder) / str(os.getpid())).touch()


def wake() -> None:
    """Keeps one drain waiting for the next worker that is free. What a killed cluster had taken stays locked for long,
    and does not count."""
    if not OrmQ.objects.filter(lock__lte=timezone.now()).exists():
        async_task("hub.tasks.drain_lanes")


def drain_lanes() -> int:
    """Works on lanes, sync jobs and probes for as long as a task may claim."""
    return drain(stays=True, stops=is_to_stop, chores=due_chores)


def is_to_stop() -> bool:
    """Whether this worker is asked to claim nothing more, or nobody is left to ask it."""
    try:
        os.kill(int(os.environ.get(SUPERVISOR, os.getpid())), 0)
    except OSError:
        return True
    return (Path(os.environ.get(PROCESSES, "/nowhere")) / STOP).exists()


def due_chores() -> list[Callable[[], object]]:
    """What is due besides lanes. Each takes what it is about before it begins, so that a second one finds it taken."""
    jobs = [partial(poll, one) for one in due_jobs().values_list("pk", flat=True)]
    probes = [partial(probe, one) for one in due_probes(timezone.now())]
    started = [partial(batches.work_on, one) for one in batches.due().values_list("pk", flat=True)]
    return [*jobs, *probes, *started, *([tidy] if time.monotonic() - _tidied[0] > TIDY else [])]


def due_jobs() -> QuerySet[SyncJob]:
    due = Q(next_at=None) | Q(next_at__lte=timezone.now())
    return SyncJob.objects.filter(due, on=True, connection__paused=False).order_by("next_at")


def poll(job: int) -> int:
    """Takes the job before it runs, so that a doubled one finds it taken."""
    later = timezone.now() + polling.LONGEST
    if not due_jobs().filter(pk=job).order_by().update(next_at=later):
        return 0
    return polling.run(SyncJob.objects.select_related("connection").get(pk=job)).received


def probe(quota: int) -> bool:
    return probe_quota(quota)


def sweep() -> int:
    return waiting.sweep() + end_the_aged() + unmapped.sweep()


def tidy() -> dict[str, int]:
    _tidied[0] = time.monotonic()
    return tidying.tidy(seconds=LONGEST_TIDY)
