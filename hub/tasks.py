"""The only file that names django-q2. It wakes workers and knows nothing: a task that is lost or doubled is harmless,
since what there is to do stands in the rows of lanes and sync jobs."""

from django.db.models import Q
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from hub import polling
from hub.drain import drain
from hub.lanes import claimable
from hub.models import SyncJob


def wake(most: int) -> None:
    """Queues what is due, unless as many wake-ups wait already as there are workers."""
    waiting = OrmQ.objects.count()
    if waiting < most:
        for job in due_jobs()[: most - waiting]:
            async_task("hub.tasks.poll", job.pk)
            waiting += 1
    if waiting < most and claimable(timezone.now()).exists():
        async_task("hub.tasks.drain_lanes")


def due_jobs() -> list[SyncJob]:
    due = Q(next_at=None) | Q(next_at__lte=timezone.now())
    return list(SyncJob.objects.filter(due, on=True, connection__paused=False).order_by("next_at"))


def drain_lanes() -> int:
    return drain()


def poll(job: int) -> int:
    """Takes the job before it runs, so that a doubled wake-up finds it taken."""
    due = Q(next_at=None) | Q(next_at__lte=timezone.now())
    later = timezone.now() + polling.LONGEST
    if not SyncJob.objects.filter(due, pk=job, on=True).update(next_at=later):
        return 0
    return polling.run(SyncJob.objects.select_related("connection").get(pk=job)).received
