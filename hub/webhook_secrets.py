"""Secrets that prove a webhook: made here, shown once, the one before valid until the next is made."""

import base64
import secrets

from django.db import transaction
from django.utils import timezone

from hub.api.doors import SIGNING
from hub.models import Connection, Credential

VALID = 2  # at once: the newest, and the one that senders still use


@transaction.atomic
def renew(connection: Connection, name: str) -> str:
    """A new secret of this name, as the sender takes it: for signing as Standard Webhooks writes it ("whsec_…")."""
    plain = (
        f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}" if name == SIGNING else secrets.token_urlsafe(32)
    )
    credential = Credential(connection=connection, name=name)
    credential.value = plain
    credential.save()
    valid = list(connection.credentials.filter(name=name, retired_at=None).order_by("-pk").values_list("pk", flat=True))
    Credential.objects.filter(pk__in=valid[VALID:]).update(retired_at=timezone.now())
    return plain
