"""Sync job: "pull what changed since", as a poll for ever or a backfill of a date range. Run: one execution of it."""

from decimal import Decimal

from django.db import models

from hub.models.connection import Connection


class SyncJob(models.Model):
    """The cursor is where the feed goes on; it moves only in the transaction that keeps a page's messages. `seen` are
    the changes of the overlap that were received already, by key, so that a window which is read twice is not worked on
    twice. A backfill takes what changed from `since` to `until`; `ended_at` is when it was through, while one that was
    stopped is off without it."""

    class Kind(models.TextChoices):
        POLL = "poll", "Poll"
        BACKFILL = "backfill", "Backfill"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="sync_jobs")
    entity = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.POLL)
    on = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True)
    cursor_at = models.DateTimeField(null=True, blank=True)
    cursor_key = models.CharField(max_length=200, blank=True)
    seen = models.JSONField(default=dict, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("connection", "entity"), condition=models.Q(kind="poll"), name="one_poll_of_an_entity"
            ),
        )

    @property
    def progress(self) -> Decimal | None:
        """How far a backfill is along its dates, from 0 to 1; None where it has no beginning, and for a poll."""
        if self.since is None or self.until is None or self.until <= self.since:
            return None
        if self.ended_at:
            return Decimal(1)
        reached = (self.cursor_at or self.since) - self.since
        return min(Decimal(1), max(Decimal(0), Decimal(str(reached / (self.until - self.since)))))

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.entity} from {self.connection}"


class Run(models.Model):
    """`received` counts messages, `read` changes. Without `finished_at` it is at work, or its worker died."""

    job = models.ForeignKey(SyncJob, models.CASCADE, related_name="runs")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    read = models.PositiveIntegerField(default=0)
    received = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        indexes = (models.Index(fields=("job", "-started_at")),)

    def __str__(self) -> str:
        return f"{self.job}, {self.started_at:%Y-%m-%d %H:%M}"
