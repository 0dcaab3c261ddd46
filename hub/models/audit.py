"""Audit entry: who changed or saw what."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """Never changed and never deleted through the hub. `who` is empty for what the hub did by itself."""

    at = models.DateTimeField(auto_now_add=True)
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    what = models.CharField(max_length=200)
    record = models.CharField(max_length=300, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.what} {self.record}".strip()
