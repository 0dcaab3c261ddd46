"""API tokens: made for a program, shown once, revoked."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.admin import words
from hub.admin.base import ReadPage
from hub.api import tokens
from hub.models import ApiToken
from hub.people import ROLES
from hub.secrets import decrypt, encrypt

DAYS = ("30", "90", "365", "never")


@admin.register(ApiToken)
class ApiTokenPage(ReadPage):
    pair_path = ""
    list_display = ("shown_name", "user", "role", "created", "expires", "used", "shown_state")
    list_display_links = None
    list_select_related = ("user", "role")
    ordering = ("-pk",)
    list_before_template = "console/api_token_list_top.html"

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [path("new/", wrap(self.new), name="hub_apitoken_new")]
        own += [path("<int:pk>/revoke/", wrap(self.revoke), name="hub_apitoken_revoke")]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"may_add": request.user.has_perm("hub.add_apitoken")}
        return super().changelist_view(request, {**(extra_context or {}), **may})

    def row(self, request: HttpRequest, pk: int | str) -> ApiToken:
        rows = self.get_queryset(request).select_related("user", "role")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such token.")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        token = self.row(request, object_id)
        kept = request.session.pop(f"api token {token.pk}", "")
        plain = decrypt(kept.encode()) if kept else ""
        may = request.user.has_perm("hub.change_apitoken") and token.revoked_at is None
        return self.render(request, "api_token.html", token.name, token=token, plain=plain, may_revoke=may)

    def new(self, request: Any) -> HttpResponse:
        if not request.user.has_perm("hub.add_apitoken"):
            raise PermissionDenied
        problem = ""
        if request.method == "POST":
            try:
                token, plain = _made(request.POST)
            except ValueError as error:
                problem = str(error)
            else:
                told = {"for": str(token.user), "role": token.role.name, "expires": str(token.expires_at or "never")}
                self.note(request, "made", token, None, told)
                # Until it is shown once it lies in the session's row, where nobody is to read it.
                request.session[f"api token {token.pk}"] = encrypt(plain).decode()
                return redirect("admin:hub_apitoken_change", token.pk)
        people = User.objects.filter(is_active=True, is_staff=True).order_by("username")
        return self.render(
            request,
            "api_token_new.html",
            "Make an API token",
            people=people,
            roles=ROLES,
            days=DAYS,
            problem=problem,
            data=request.POST,
        )

    def revoke(self, request: Any, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        token = self.row(request, pk)
        if not request.user.has_perm("hub.change_apitoken"):
            raise PermissionDenied
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            self.note(request, "revoked", token)
        notices.success(request, "Revoked: whoever uses it is refused from now on.")
        return redirect("admin:hub_apitoken_changelist")

    @admin.display(description="API token")
    def shown_name(self, row: ApiToken) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a> {}…', row.pk, row.name, row.beginning)

    @admin.display(description="Made")
    def created(self, row: ApiToken) -> str:
        return words.moment(row.created_at)

    @admin.display(description="Expires")
    def expires(self, row: ApiToken) -> str:
        return words.moment(row.expires_at) or "never"

    @admin.display(description="Last used")
    def used(self, row: ApiToken) -> str:
        return words.moment(row.last_used_at) or "never"

    @admin.display(description="State")
    def shown_state(self, row: ApiToken) -> SafeString:
        if row.revoked_at:
            return words.badge("Revoked", "warn")
        expired = row.expires_at is not None and row.expires_at < timezone.now()
        return words.badge("Expired", "warn") if expired else words.badge("Valid", "good")


def _made(data: Any) -> tuple[ApiToken, str]:
    """Raises ValueError in words."""
    name = " ".join(data.get("name", "").split())
    if not name:
        raise ValueError("Say what the token is for.")
    number, days = data.get("user", ""), data.get("days", "")
    user = User.objects.filter(pk=int(number), is_active=True).first() if number.isdecimal() else None
    if user is None or days not in DAYS:
        raise ValueError("Choose a person, and for how long.")
    expires = None if days == "never" else timezone.now() + timedelta(days=int(days))
    return tokens.make(name, user, data.get("role", ""), expires)
