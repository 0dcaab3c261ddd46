"""Lookup table: their code to our code."""

from django.db import models

from hub.models.pair import Pair


class LookupTable(models.Model):
    pair = models.ForeignKey(Pair, models.CASCADE, related_name="lookup_tables")
    name = models.SlugField()
    label = models.CharField(max_length=200)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("pair", "name"), name="one_lookup_table_of_a_name_in_a_pair"),)

    def __str__(self) -> str:
        return f"{self.label} ({self.pair})"


class LookupEntry(models.Model):
    """`ours` is a JSON value: a text, a number or nothing."""

    table = models.ForeignKey(LookupTable, models.CASCADE, related_name="entries")
    theirs = models.CharField(max_length=500)
    ours = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("table", "theirs"), name="one_entry_of_a_code_in_a_table"),)

    def __str__(self) -> str:
        return f"{self.theirs} is {self.ours}"
