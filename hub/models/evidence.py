"""Attempt: one try of a message. Evidence: what came in, was mapped, was sent and was answered."""

from django.db import models

from hub.models.message import Message
from hub.models.pair import Pair


class Attempt(models.Model):
    """`ended_in` is the state or outcome that the message was left in. `steps` are [{"name", "kind", "seconds"}],
    `versions` the numbers of the flow's and the mappings' versions: {"flow": 1, "order": 3}. What
    came in, what was mapped and the calls are digests of evidence, which may be gone before the attempt is."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    ended_in = models.CharField(max_length=20)
    kind = models.CharField(max_length=30, blank=True)
    reason = models.TextField(blank=True)
    steps = models.JSONField(default=list, blank=True)
    versions = models.JSONField(default=dict, blank=True)
    came_in = models.CharField(max_length=64, blank=True)
    mapped = models.CharField(max_length=64, blank=True)
    calls = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = (models.Index(fields=("message", "number")),)

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.message}"


class Evidence(models.Model):
    """Compressed and encrypted content under its digest, so that attempts share what is the same."""

    digest = models.CharField(max_length=64, primary_key=True)
    pair = models.ForeignKey(Pair, models.CASCADE, related_name="evidence")
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "evidence"
        indexes = (models.Index(fields=("pair", "stored_at")),)

    def __str__(self) -> str:
        return self.digest[:12]
