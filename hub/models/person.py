"""Person: for which pairs a user may act. API token: a program that acts with one role of a person."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from hub.models.pair import Pair


class Person(models.Model):
    """What a user may do say the user's groups, one a role (see `hub.people`); for which pairs says this row. Without
    it a user sees nothing of any pair."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="person")
    every_pair = models.BooleanField(default=False, help_text="All pairs, those that come later too.")
    pairs = models.ManyToManyField(Pair, blank=True, related_name="people")

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return str(self.user)


class ApiToken(models.Model):
    """A program that acts for a person with one of that person's roles. The token itself is shown once and never
    stored: `digest` is its SHA-256, `beginning` is what people know it by."""

    name = models.CharField(max_length=100)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    role = models.ForeignKey(Group, models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    beginning = models.CharField(max_length=12)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"
