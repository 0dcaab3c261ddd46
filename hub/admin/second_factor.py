"""The second factor: set up with an app's code, asked for when somebody signs in, and required of every page after."""

from typing import Any

import segno
from django.contrib import messages as notices
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString, mark_safe
from django_otp import devices_for_user, login, match_token, user_has_device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from hub import audit
from hub.admin.base import frame

RECOVERY_CODES = 10
NAME, RECOVERY = "app", "recovery codes"


def second_factor(request: Any) -> HttpResponse:
    """The person's own page."""
    user: User = request.user
    if user_has_device(user):
        return _on(request, user)
    device, _ = TOTPDevice.objects.get_or_create(user=user, name=NAME, confirmed=False)
    if request.method == "POST":
        if device.verify_token(_code(request)):
            codes = _confirmed(request, user, device)
            return frame(request, "second_factor_codes.html", "Recovery codes", codes=codes)
        notices.error(request, "This code is not right, or too old. Type the one that the app shows now.")
    return frame(
        request, "second_factor_set_up.html", "Second factor", image=_image(device.config_url), secret=_secret(device)
    )


def _on(request: Any, user: User) -> HttpResponse:
    if request.method == "POST":
        if match_token(user, _code(request)) is None:
            notices.error(request, "This code is not right. Nothing was changed.")
        else:
            for one in devices_for_user(user, confirmed=None):
                one.delete()
            audit.note(user, "switched the second factor off", f"User {user}")
            notices.success(request, "The second factor is off.")
        return redirect("admin:second_factor")
    left = StaticToken.objects.filter(device__user=user).count()
    return frame(request, "second_factor_on.html", "Second factor", left=left)


def _confirmed(request: Any, user: User, device: TOTPDevice) -> list[str]:
    """The recovery codes, each good for once."""
    device.confirmed = True
    device.save()
    recovery = StaticDevice.objects.create(user=user, name=RECOVERY)
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=recovery, token=one) for one in codes)
    login(request, device)
    audit.note(user, "switched the second factor on", f"User {user}")
    return codes


def verify(request: Any) -> HttpResponse:
    """Between the password and the console, for who has a second factor. Wrong codes have to wait longer each time."""
    user = request.user
    if not user_has_device(user) or user.is_verified():
        return redirect("admin:index")
    problem = ""
    if request.method == "POST":
        device = match_token(user, _code(request))
        if device is not None:
            login(request, device)
            return redirect("admin:index")
        problem = "This code is not right, or too old. After several wrong ones the right one has to wait, too."
    return frame(request, "second_factor_verify.html", "One more thing", problem=problem)


def _code(request: HttpRequest) -> str:
    return "".join(request.POST.get("code", "").split())[:32]


def _image(address: str) -> SafeString:
    """Drawn here: the secret in it goes nowhere else."""
    return mark_safe(segno.make(address).svg_inline(scale=4, dark="#000", light="#fff"))  # noqa: S308  made by us


def _secret(device: TOTPDevice) -> str:
    """For apps that cannot see: the key as it is typed."""
    _, _, after = device.config_url.partition("secret=")
    return after.partition("&")[0]
