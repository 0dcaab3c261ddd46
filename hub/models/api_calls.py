"""How often somebody has asked the API in the minute that runs."""

from django.db import models


class ApiCalls(models.Model):
    """`minute` is counted from 1970."""

    caller = models.CharField(max_length=100, unique=True)
    minute = models.PositiveBigIntegerField()
    calls = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "API calls"

    def __str__(self) -> str:
        return f"{self.caller}: {self.calls}"
