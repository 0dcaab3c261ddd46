"""Flow: from an entity of one connection to an entity of the other, versioned."""

from django.conf import settings
from django.db import models

from hub.models.exact import EXACT
from hub.models.pair import Pair


class Flow(models.Model):
    """`current` is the version that new messages take; switched off, nothing new is received for it."""

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="flows")
    name = models.SlugField()
    label = models.CharField(max_length=200)
    source_entity = models.CharField(max_length=100)
    target_entity = models.CharField(max_length=100)
    settings = models.JSONField(default=dict, blank=True)
    on = models.BooleanField(default=True)
    current = models.ForeignKey("FlowVersion", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("pair", "name"), name="one_flow_of_a_name_in_a_pair"),)

    def __str__(self) -> str:
        return f"{self.label} ({self.pair})"


class FlowVersion(models.Model):
    """A graph of steps. `report` are the paths that identify a record for people. Without `published_at` it is a draft:
    no message takes it."""

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    steps = models.JSONField(**EXACT)
    report = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=500, blank=True)
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("flow", "number"), name="one_flow_version_of_a_number"),)

    def __str__(self) -> str:
        return f"{self.flow.label}, version {self.number}"
