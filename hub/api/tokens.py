"""API tokens: made once, kept as a digest, found by it."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import Group, User
from django.db.models import Q
from django.utils import timezone

from hub.models import ApiToken
from hub.people import roles_of

BEGINNING = "tb_"
SEEN_EVERY = timedelta(minutes=1)  # `last_used_at` is not written more often


def make(name: str, user: User, role: str, expires_at: datetime | None) -> tuple[ApiToken, str]:
    """The row, and the token itself, which nobody sees again. Raises ValueError where the user lacks the role."""
    if role not in roles_of(user):
        raise ValueError(f"{user} does not have the role {role!r}, so no token of theirs can.")
    plain = BEGINNING + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        name=name[:100],
        user=user,
        role=Group.objects.get(name=role),
        digest=_digest(plain),
        beginning=plain[: len(BEGINNING) + 6],
        expires_at=expires_at,
    )
    return row, plain


def found(plain: str) -> ApiToken | None:
    """The token's row, where it is valid and its person still has its role."""
    valid = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    rows = ApiToken.objects.filter(valid, digest=_digest(plain), revoked_at=None, user__is_active=True)
    row = rows.select_related("user", "role").first()
    if row is None or row.role.name not in roles_of(row.user):
        return None
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > SEEN_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()
