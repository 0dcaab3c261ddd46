"""Lets nobody who has a second factor, or must have one, further than to its page before it was given."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_otp import user_has_device

from hub.people import roles_of

OPEN = ("admin:login", "admin:logout", "admin:jsi18n", "admin:second_factor_verify")


class SecondFactorWall:
    """Before every page of the console and of the API that a session opens. API tokens are no sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        user = request.user
        if user.is_authenticated and not user.is_verified() and self._walled(request.path):
            if user_has_device(user):
                return redirect("admin:second_factor_verify")
            required = set(settings.REQUIRE_SECOND_FACTOR)
            if required & roles_of(user) and request.path != reverse("admin:second_factor"):
                return redirect("admin:second_factor")
        return self.get_response(request)

    def _walled(self, path: str) -> bool:
        console = path.startswith((reverse("admin:index"), "/api/v1/"))
        return console and path not in [reverse(one) for one in OPEN]
