"""Unmapped value: a code that no lookup table knows, and the messages that it blocks."""

from django.db import models

from hub.models.lookup_table import LookupTable
from hub.models.message import Message


class UnmappedValue(models.Model):
    """One row a value: `code` is as it was first met, `folded` without regard to case and surrounding blanks, as tables
    compare. An entry closes it and releases its messages; it opens again when it is met without one."""

    table = models.ForeignKey(LookupTable, models.CASCADE, related_name="unmapped_values")
    code = models.CharField(max_length=500)
    folded = models.CharField(max_length=500)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("table", "folded"), name="one_unmapped_value_of_a_table"),)

    def __str__(self) -> str:
        return f"{self.code} in {self.table.label}"


class Block(models.Model):
    """This value stops that message."""

    value = models.ForeignKey(UnmappedValue, models.CASCADE, related_name="blocks")
    message = models.ForeignKey(Message, models.CASCADE, related_name="blocked_by")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("value", "message"), name="one_block_of_a_message"),)

    def __str__(self) -> str:
        return f"{self.value} stops {self.message}"
