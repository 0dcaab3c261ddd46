"""Lookup table: their code to our code."""

from django.conf import settings
from django.db import models

from hub.models.exact import EXACT
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
    ours = models.JSONField(null=True, blank=True, **EXACT)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("table", "theirs"), name="one_entry_of_a_code_in_a_table"),)

    def __str__(self) -> str:
        return f"{self.theirs} is {self.ours}"


class LookupVersion(models.Model):
    """What a table held at some time: {their code: our code}. Every change of a table adds one, the first included."""

    table = models.ForeignKey(LookupTable, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    entries = models.JSONField(default=dict, **EXACT)
    created_at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=500, blank=True)
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("table", "number"), name="one_lookup_version_of_a_number"),)

    def __str__(self) -> str:
        return f"{self.table.label}, version {self.number}"
