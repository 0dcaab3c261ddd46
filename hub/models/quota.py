"""Quota: what one owner may ask of a system, shared by every worker of every connection that asks in its name."""

from django.db import models


class Quota(models.Model):
    """`owner` is the connector's `quota_owner()`: a tenant with its application user, a shop's host. Until
    `blocked_until` nobody calls, `because` of what the operator reads. An open breaker is probed once it is due;
    whoever probes has taken it until `probed_until`. What may still be leased is `calls_left`, as counted at
    `refilled_at`."""

    class Breaker(models.TextChoices):
        CLOSED = "closed", "Closed"
        OPEN = "open", "Open"

    owner = models.CharField(max_length=300, unique=True)
    breaker = models.CharField(max_length=10, choices=Breaker.choices, default=Breaker.CLOSED)
    opened_at = models.DateTimeField(null=True, blank=True)
    openings = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True, blank=True)
    because = models.TextField(blank=True)
    probed_until = models.DateTimeField(null=True, blank=True)
    calls_left = models.FloatField(default=0)
    refilled_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.owner


class Slice(models.Model):
    """What one worker process may use of a quota until it expires: this many calls at once."""

    quota = models.ForeignKey(Quota, models.CASCADE, related_name="slices")
    holder = models.UUIDField()
    process = models.CharField(max_length=100, blank=True)
    slots = models.PositiveIntegerField(default=0)
    until = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("quota", "holder"), name="one_slice_of_a_holder"),)

    def __str__(self) -> str:
        return f"{self.slots} of {self.quota}"


class Token(models.Model):
    """An access token, shared by all workers and only ever stored encrypted. `name` is a digest of what it is for.
    Whoever renews it has taken that until `renewing_until`."""

    name = models.CharField(max_length=64, unique=True)
    encrypted = models.BinaryField(default=b"")
    expires_at = models.DateTimeField(null=True, blank=True)
    renewing_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name[:12]
