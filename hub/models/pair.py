"""Pair: one shop connection joined to one ERP connection."""

import uuid

from django.db import models

from hub.models.connection import Connection


class Pair(models.Model):
    """`namespace` is made once and exported with the pair: it feeds every idempotency key, while ids and addresses may
    change."""

    name = models.SlugField(unique=True)
    label = models.CharField(max_length=200)
    source = models.ForeignKey(Connection, models.PROTECT, related_name="pairs_as_source")
    target = models.ForeignKey(Connection, models.PROTECT, related_name="pairs_as_target")
    namespace = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("source", "target"), name="one_pair_of_two_connections"),)

    def __str__(self) -> str:
        return self.label
