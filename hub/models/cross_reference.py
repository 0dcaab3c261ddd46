"""Cross-reference: their key to their key."""

from django.db import models

from hub.models.connection import Connection
from hub.models.pair import Pair


class CrossReference(models.Model):
    """`hash` is over the source values that the mappings read when the record was last written; `reported_at` is when
    the source was last told of it, so that a change there is known as our own."""

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="cross_references")
    source_entity = models.CharField(max_length=100)
    source_key = models.CharField(max_length=200, db_index=True)
    target_entity = models.CharField(max_length=100)
    target_key = models.CharField(max_length=200, db_index=True)
    label = models.CharField(max_length=200, blank=True)
    link = models.URLField(max_length=1000, blank=True)
    hash = models.CharField(max_length=64, blank=True)
    written_at = models.DateTimeField()
    reported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("pair", "source_entity", "source_key", "target_entity"), name="one_cross_reference_of_a_record"
            ),
        )
        indexes = (models.Index(fields=("pair", "target_entity", "target_key")),)

    def __str__(self) -> str:
        return f"{self.source_entity} {self.source_key} is {self.target_entity} {self.target_key}"


class NaturalKey(models.Model):
    """Who creates the record that people know by this key. Two shop customers with one e-mail, or two shops, make one
    contact: the first one's key is the one that both write under."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="natural_keys")
    entity = models.CharField(max_length=100)
    value = models.CharField(max_length=64)
    key = models.CharField(max_length=200)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("connection", "entity", "value"), name="one_key_of_a_value"),)

    def __str__(self) -> str:
        return f"{self.entity} {self.key}"
