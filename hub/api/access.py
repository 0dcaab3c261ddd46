"""Who asks: a token with one role, or a session of the console; and how often it may ask."""

import time
from typing import Any

from django.conf import settings
from django.db.models import F
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from hub.addresses import client_address
from hub.api import tokens
from hub.models import ApiCalls

MINUTE = 60


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`. The person acts with the token's role alone."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        parts = get_authorization_header(request).decode("latin-1").split()
        if not parts or parts[0].lower() != self.keyword.lower():
            return None
        token = tokens.found(parts[1]) if len(parts) == 2 else None
        if token is None:
            raise AuthenticationFailed("This token is not valid: it is wrong, revoked or expired.")
        user: Any = token.user
        user._roles = {token.role.name}
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


class Session(SessionAuthentication):
    """Of the console, so that its pages may ask, too. Answers 401 like the other."""

    def authenticate_header(self, request: Request) -> str:
        return TokenAuthentication.keyword


class HasRight(BasePermission):
    """A view names the right that reading needs, and one for each act: `rights = {"GET": "hub.view_message"}`."""

    message = "Your role may not do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        rights: dict[str, str] = getattr(view, "rights", {})
        right = rights.get(str(request.method), rights.get("POST" if request.method != "HEAD" else "GET", ""))
        return bool(request.user and request.user.is_authenticated and right and request.user.has_perm(right))


class PerMinute(BaseThrottle):
    """Counted in a row, since the processes of the console share nothing else. Only the API asks it: webhooks are never
    refused for coming often."""

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        minute = int(time.time() // MINUTE)
        caller = f"token {request.auth.pk}" if request.auth else f"user {request.user.pk}"
        if not request.user or not request.user.is_authenticated:
            caller = f"address {client_address(request)}"[:100]
        row, made = ApiCalls.objects.get_or_create(caller=caller, defaults={"minute": minute, "calls": 1})
        if made:
            return True
        same = ApiCalls.objects.filter(pk=row.pk, minute=minute)
        if same.filter(calls__lt=settings.API_CALLS_A_MINUTE).update(calls=F("calls") + 1):
            return True
        if row.minute != minute and ApiCalls.objects.filter(pk=row.pk).exclude(minute=minute).update(
            minute=minute, calls=1
        ):
            return True
        self._wait = MINUTE - time.time() % MINUTE
        return False

    def wait(self) -> float:
        return self._wait
