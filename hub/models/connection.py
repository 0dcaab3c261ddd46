"""Connection: one configured shop or ERP, with its secrets encrypted in rows of their own."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from connectors import systems
from hub.secrets import decrypt, encrypt


def is_a_system(name: str) -> None:
    if name not in systems():
        raise ValidationError(f"There is no system {name!r}; there are {', '.join(sorted(systems()))}.")


class Connection(models.Model):
    """`settings` are the answers to the connector's settings that are no secrets. A paused connection accepts
    webhooks, and its messages wait. `test_answer` is what the last test of it said, in words."""

    name = models.SlugField(unique=True, help_text="Stands in the address of its webhooks.")
    label = models.CharField(max_length=200)
    system = models.CharField(max_length=50, validators=[is_a_system])
    settings = models.JSONField(default=dict, blank=True)
    paused = models.BooleanField(default=False)
    paused_because = models.TextField(blank=True)
    quota = models.ForeignKey("Quota", models.SET_NULL, null=True, blank=True, related_name="connections")
    poll_seconds = models.PositiveIntegerField(default=60, validators=[MinValueValidator(5)])
    tested_at = models.DateTimeField(null=True, blank=True)
    test_passed = models.BooleanField(null=True, blank=True)
    test_answer = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        permissions = (
            ("pause_connection", "Pause and resume a connection"),
            ("test_connection", "Test a connection"),
        )

    def __str__(self) -> str:
        return self.label

    def answers(self) -> dict[str, str]:
        """Every setting by name, the secret ones decrypted."""
        secret = {one.name: one.value for one in self.credentials.filter(retired_at=None)}
        return {**self.settings, **secret}

    def secret(self, name: str) -> list[str]:
        """The values that are valid now under this name, newest first: two while one is being replaced."""
        return [one.value for one in self.credentials.filter(name=name, retired_at=None).order_by("-pk")]


class Credential(models.Model):
    """One secret of a connection. Only ever stored encrypted; a replaced one is retired, not overwritten."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=100)
    encrypted = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("connection", "name")),)

    def __str__(self) -> str:
        return f"{self.name} of {self.connection}"

    @property
    def value(self) -> str:
        return decrypt(bytes(self.encrypted))

    @value.setter
    def value(self, plain: str) -> None:
        self.encrypted = encrypt(plain)
