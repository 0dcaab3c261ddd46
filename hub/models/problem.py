"""Problem: all messages that stopped for one cause."""

from django.conf import settings
from django.db import models

from hub.models.pair import Pair


class Problem(models.Model):
    """`cause` is a digest of class, system, code, field and the words without what differs from record to record. It
    closes by itself when none of its messages is open, and opens again when the cause comes back."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="problems")
    cause = models.CharField(max_length=64)
    kind = models.CharField(max_length=30)
    words = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("pair", "cause"), name="one_problem_of_a_cause_in_a_pair"),)

    def __str__(self) -> str:
        return self.words[:80]
