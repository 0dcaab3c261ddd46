"""Connections: a form built from the connector's settings, a test in words, pause and resume."""

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors import folder_of, systems
from hub import faults, health, testing
from hub.admin import words
from hub.admin.base import Page
from hub.admin.connection_form import ConnectionForm
from hub.admin.markdown import as_html
from hub.api.doors import SIGNING, TOKEN
from hub.models import AuditEntry, Connection, Message
from hub.pausing import pause, resume
from hub.people import pairs_of
from hub.webhook_secrets import renew

ENDS = "pairs_as_source pairs_as_target"
ACTS = ("test", "pause", "resume", "webhook-secret", "faults")


@admin.register(Connection)
class ConnectionPage(Page):
    pair_path = ENDS
    list_display = ("shown_label", "shown_system", "shown_health", "breaker", "pace", "tested", "opened")
    list_display_links = None
    list_select_related = ("quota",)
    list_filter = ("system", "paused")
    search_fields = ("label", "name")
    ordering = ("label",)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [path("<int:pk>/set-up/", wrap(self.set_up), name="hub_connection_set_up")]
        own += [path(f"<int:pk>/{act}/", wrap(self._act(act)), name=f"hub_connection_{act}") for act in ACTS]
        return own + super().get_urls()

    def row(self, request: HttpRequest, pk: int | str) -> Connection:
        rows = self.get_queryset(request).select_related("quota")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such connection.")
        return found

    def pair_of(self, row: Any) -> Any:
        return row.pairs_as_source.first() or row.pairs_as_target.first()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """One that is in no pair yet is seen only by those whom no pair limits."""
        return super().has_add_permission(request) and pairs_of(request.user) is None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only one that nothing was ever sent over."""
        unused = obj is None or not (obj.pairs_as_source.exists() or obj.pairs_as_target.exists())
        return request.user.has_perm("hub.delete_connection") and unused

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        system = request.POST.get("system") or request.GET.get("system", "")
        if system not in systems():
            return self.render(request, "connection_system.html", "Add a connection", systems=systems().values())
        form = ConnectionForm(systems()[system], None, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            connection = form.save()
            self.note(request, "added", connection, None, form.told())
            return self._tested(request, connection, f"{connection} is added.")
        return self.render(
            request, "connection.html", f"Add a connection to {form.system.label}", form=form, may_change=True
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        connection = self.row(request, object_id)
        if connection.system not in systems():
            notices.error(request, f"The system {connection.system!r} is not installed here.")
            return redirect("admin:hub_connection_changelist")
        may_change = request.user.has_perm("hub.change_connection")
        if request.method == "POST" and not may_change:
            raise PermissionDenied
        form = ConnectionForm(
            systems()[connection.system], connection, request.POST if request.method == "POST" else None
        )
        if request.method == "POST" and form.is_valid():
            before, after = form.before(), form.told()
            if after:
                form.save()
                self.note(request, "changed", connection, before, after)
                return self._tested(request, connection, "Saved.")
            notices.info(request, "Nothing was changed.")
            return redirect("admin:hub_connection_change", connection.pk)
        return self.render(request, "connection.html", connection.label, **self._context(request, connection, form))

    def _context(self, request: HttpRequest, connection: Connection, form: ConnectionForm) -> dict[str, Any]:
        may = request.user.has_perm
        waiting = Message.objects.filter(flow__pair__source=connection).exclude(state="finished").count()
        waiting += Message.objects.filter(flow__pair__target=connection).exclude(state="finished").count()
        return {
            "connection": connection,
            "form": form,
            "health": health.health_of(connection),
            "waiting": waiting,
            "may_change": may("hub.change_connection"),
            "may_test": may("hub.test_connection"),
            "may_pause": may("hub.pause_connection"),
            "may_delete": self.has_delete_permission(request, connection),
            "webhook": request.build_absolute_uri(reverse("webhooks", args=[connection.name])),
            "secrets": [(SIGNING, len(connection.secret(SIGNING))), (TOKEN, len(connection.secret(TOKEN)))],
            "faults": faults.switches(connection) if may("hub.test_connection") else [],
            "history": AuditEntry.objects.filter(record__startswith=f"Connection {connection.pk}:").order_by("-pk")[
                :20
            ],
            "new_secret": request.session.pop(f"webhook secret {connection.pk}", None),
        }

    def _act(self, act: str) -> Any:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            connection = self.row(request, pk)
            right = {"webhook-secret": "hub.change_connection", "test": "hub.test_connection"}
            right["faults"] = "hub.test_connection"
            if not request.user.has_perm(right.get(act, "hub.pause_connection")):
                raise PermissionDenied
            return getattr(self, f"_{act.replace('-', '_')}")(request, connection)

        return view

    def _test(self, request: HttpRequest, connection: Connection) -> HttpResponse:
        return self._tested(request, connection, "")

    def _tested(self, request: HttpRequest, connection: Connection, before: str) -> HttpResponse:
        result = testing.test(connection)
        told = notices.success if result.ok else notices.error
        told(request, f"{before} {result.words}".strip())
        return redirect("admin:hub_connection_change", connection.pk)

    def _pause(self, request: Any, connection: Connection) -> HttpResponse:
        because = " ".join(request.POST.get("because", "").split())[:500]
        if not because:
            notices.error(request, "Say why: whoever finds its messages waiting reads it. Nothing was changed.")
        elif pause(connection, because, request.user):
            notices.success(request, f"{connection} is paused. It takes webhooks all the same; its messages wait.")
        else:
            notices.info(request, f"{connection} is paused already: {connection.paused_because}")
        return redirect("admin:hub_connection_change", connection.pk)

    def _resume(self, request: Any, connection: Connection) -> HttpResponse:
        if resume(connection, request.user):
            notices.success(request, f"{connection} goes on: what has waited is sent now.")
        return redirect("admin:hub_connection_change", connection.pk)

    def _webhook_secret(self, request: HttpRequest, connection: Connection) -> HttpResponse:
        """Made here and shown once; the one before stays valid until the next is made."""
        name = request.POST.get("name", "")
        if name not in (SIGNING, TOKEN):
            raise Http404("There is no such secret.")
        request.session[f"webhook secret {connection.pk}"] = [name, renew(connection, name)]
        self.note(request, f"made a new secret: {name}", connection)
        return redirect("admin:hub_connection_change", connection.pk)

    def _faults(self, request: HttpRequest, connection: Connection) -> HttpResponse:
        name = request.POST.get("fault", "")
        told = faults.switch(connection, name)
        self.note(request, f"switched a sandbox's fault: {name or 'none'}", connection)
        notices.success(request, told)
        return redirect("admin:hub_connection_change", connection.pk)

    def set_up(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The system's own page on how to make the account."""
        connection = self.row(request, pk)
        text = (folder_of(connection.system) / "README.md").read_text(encoding="utf-8")
        title = f"Set-up of {systems()[connection.system].label}"
        return self.render(request, "set_up.html", title, connection=connection, text=as_html(text))

    @admin.display(description="Connection", ordering="label")
    def shown_label(self, row: Connection) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, row.label)

    @admin.display(description="System")
    def shown_system(self, row: Connection) -> str:
        system = systems().get(row.system)
        return system.label if system else row.system

    @admin.display(description="Health")
    def shown_health(self, row: Connection) -> SafeString:
        found = health.health_of(row)
        return format_html("{} {}", words.badge(found.state, found.look), found.why[:160])

    @admin.display(description="Breaker")
    def breaker(self, row: Connection) -> str:
        return health.health_of(row).breaker

    @admin.display(description="Pace")
    def pace(self, row: Connection) -> str:
        return health.pace_words(row)

    @admin.display(description="Test")
    def tested(self, row: Connection) -> str:
        return health.health_of(row).tested

    @admin.display(description="Added")
    def opened(self, row: Connection) -> str:
        return words.moment(row.created_at)
