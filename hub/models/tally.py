"""Tally: finished messages whose rows were tidied away, counted by day."""

from django.db import models

from hub.models.flow import Flow
from hub.models.message import Message


class Tally(models.Model):
    flow = models.ForeignKey(Flow, models.CASCADE, related_name="tallies")
    day = models.DateField()
    outcome = models.CharField(max_length=12, choices=Message.Outcome.choices)
    messages = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = (models.UniqueConstraint(fields=("flow", "day", "outcome"), name="one_tally_of_a_day"),)

    def __str__(self) -> str:
        return f"{self.messages} {self.outcome} on {self.day}"
