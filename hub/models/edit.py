"""Edit: what a person changed in a message before it was sent, and why."""

from django.conf import settings
from django.db import models

from hub.models.message import Message


class Edit(models.Model):
    """`changes` are [{"mapping", "path", "label", "before", "after"}]: the mapped value, and what is sent in its
    place."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="edited")
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=500)
    changes = models.JSONField()

    def __str__(self) -> str:
        return f"Edit of {self.message}: {self.reason}"
