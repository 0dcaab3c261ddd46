"""Mapping and Rule: which field of the target is filled from what, versioned."""

from typing import Any

from django.conf import settings
from django.db import models

from hub.models.exact import EXACT
from hub.models.pair import Pair


class Mapping(models.Model):
    """From an entity of the source to an entity of the target."""

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="mappings")
    name = models.SlugField()
    label = models.CharField(max_length=200)
    target_entity = models.CharField(max_length=100)
    current = models.ForeignKey("MappingVersion", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("pair", "name"), name="one_mapping_of_a_name_in_a_pair"),)

    def __str__(self) -> str:
        return f"{self.label} ({self.pair})"


class MappingVersion(models.Model):
    """Without `published_at` it is a draft: no message takes it."""

    mapping = models.ForeignKey(Mapping, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=500, blank=True)
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("mapping", "number"), name="one_mapping_version_of_a_number"),)

    def __str__(self) -> str:
        return f"{self.mapping.label}, version {self.number}"


class Rule(models.Model):
    """One line of a mapping. A rule for rows has its origins as parts, and an origin has the rules of its row."""

    class Kind(models.TextChoices):
        VALUE = "value", "Value that other rules read"
        FIELD = "field", "Field"
        ROWS = "rows", "Rows"
        ORIGIN = "origin", "Where rows come from"

    version = models.ForeignKey(MappingVersion, models.CASCADE, related_name="rules")
    part_of = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="parts")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.FIELD)
    to = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=500, blank=True)
    transform = models.JSONField(default=list, blank=True, **EXACT)
    when = models.JSONField(null=True, blank=True, **EXACT)
    default = models.JSONField(null=True, blank=True, **EXACT)
    label = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return self.label or f"{self.to} from {self.source or 'rules of its own'}"

    def as_data(self, parts: dict[int | None, list["Rule"]]) -> dict[str, Any]:
        """The rule as `mappings.rules` reads it; `parts` are all rules of the version by what they are part of."""
        below = [one.as_data(parts) for one in parts.get(self.pk, [])]
        data: dict[str, Any] = {"to": self.to} if self.to else {}
        if self.kind == self.Kind.ROWS:
            return data | {"rows": below}
        if self.kind == self.Kind.ORIGIN:
            data = {"rules": below, "label": self.label} | ({"each": self.source} if self.source else {})
        else:
            data |= {"transform": self.transform} | ({"from": self.source} if self.source else {})
            data |= {} if self.default is None else {"default": self.default}
        return data | ({} if self.when is None else {"when": self.when})
