"""Batch: what a person does to many messages at once, with its progress."""

from decimal import Decimal

from django.conf import settings
from django.db import models

from hub.models.pair import Pair


class Batch(models.Model):
    """`messages` are ids in their order, of which `position` are done with; `left` are those that stayed as they were:
    [{"message": id, "why": words}]. `taken_until` is until when a worker is at it."""

    class Action(models.TextChoices):
        SEND_AGAIN = "send again", "Send again"
        SKIP = "skip", "Skip"

    action = models.CharField(max_length=12, choices=Action.choices, default=Action.SEND_AGAIN)
    title = models.CharField(max_length=300)
    pair = models.ForeignKey(Pair, models.SET_NULL, null=True, blank=True, related_name="+")
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    taken_until = models.DateTimeField(null=True, blank=True)
    messages = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    left = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name_plural = "batches"

    @property
    def total(self) -> int:
        return len(self.messages)

    @property
    def progress(self) -> Decimal:
        """From 0 to 1."""
        return Decimal(self.position) / self.total if self.total else Decimal(1)

    def __str__(self) -> str:
        return self.title
