"""Audit entry: who changed or saw what."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models

from hub.models.pair import Pair


class NeverChanged(Exception):
    """Somebody tried to change or delete an audit entry."""


class AuditEntry(models.Model):
    """Never changed and never deleted through the hub. `who` is empty for what the hub did by itself, `pair` for what
    belongs to no single one."""

    at = models.DateTimeField(auto_now_add=True)
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    what = models.CharField(max_length=200)
    record = models.CharField(max_length=300, blank=True, db_index=True)
    pair = models.ForeignKey(Pair, models.SET_NULL, null=True, blank=True, related_name="+")
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"

    def save(self, *args: Any, **options: Any) -> None:
        if self.pk is not None:
            raise NeverChanged(f"Audit entry {self.pk} stands as it was written.")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise NeverChanged(f"Audit entry {self.pk} stands as it was written.")

    def __str__(self) -> str:
        return f"{self.what} {self.record}".strip()
