"""Connections: a form built from the connector's settings, a test in words, pause and resume."""

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import Q
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
from hub.breaker import probe_now
from hub.models import AuditEntry, Connection, Flow, Message, Quota
from hub.pausing import pause, resume
from hub.people import pairs_of
from hub.secrets import decrypt, encrypt
from hub.webhook_secrets import renew

ENDS = "pairs_as_source pairs_as_target"
WEBHOOK_SECRETS = ((SIGNING, "signing secret"), (TOKEN, "secret address"))
# What is done by a POST, and the right that it needs.
ACTS = {
    "test": "hub.test_connection",
    "probe": "hub.test_connection",
    "pause": "hub.pause_connection",
    "resume": "hub.pause_connection",
    "webhook-secret": "hub.change_connection",
    "faults": "hub.test_connection",
}


@admin.register(Connection)
class ConnectionPage(Page):
    pair_path = ENDS
    list_display = ("shown_label", "shown_system", "shown_health", "opened", "breaker", "pace", "tested")
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
            return self.render(request, "connection_system.html", "Add a connection", systems=_choices())
        form = ConnectionForm(systems()[system], None, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            told = form.told()
            connection = form.save()
            if connection:
                self.note(request, "added", connection, None, told)
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
            if not after:
                notices.info(request, "Nothing was changed.")
                return redirect("admin:hub_connection_change", connection.pk)
            if form.save():
                self.note(request, "changed", connection, before, after)
                if "name" in after:
                    notices.warning(request, "Its webhooks come to another address now (see below): tell the sender.")
                return self._tested(request, connection, "Saved.")
        return self.render(request, "connection.html", connection.label, **self._context(request, connection, form))

    def _context(self, request: HttpRequest, connection: Connection, form: ConnectionForm) -> dict[str, Any]:
        may = request.user.has_perm
        ours = Q(record__startswith=f"Connection {connection.pk}:") | Q(record=f"Connection {connection.name}")
        return {
            "connection": connection,
            "form": form,
            "health": health.health_of(connection),
            "room": health.room_words(connection),
            "answer": connection.test_answer.splitlines(),
            "waiting": open_messages(connection),
            "may_change": may("hub.change_connection"),
            "may_test": may("hub.test_connection"),
            "may_pause": may("hub.pause_connection"),
            "may_delete": self.has_delete_permission(request, connection),
            "webhook": request.build_absolute_uri(reverse("webhooks", args=[connection.name])),
            "secrets": [(name, label, self._made_at(connection, name)) for name, label in WEBHOOK_SECRETS],
            "faults": faults.switches(connection) if may("hub.test_connection") else [],
            "history": AuditEntry.objects.filter(ours).select_related("who").order_by("-pk")[:20],
            "new_secret": self._new_secret(request, connection),
        }

    def _made_at(self, connection: Connection, name: str) -> list[Any]:
        valid = connection.credentials.filter(name=name, retired_at=None).order_by("-pk")
        return list(valid.values_list("created_at", flat=True))

    def _new_secret(self, request: HttpRequest, connection: Connection) -> list[str] | None:
        """The one that was just made, shown by this page alone."""
        kept = request.session.pop(f"webhook secret {connection.pk}", None)
        return [kept[0], decrypt(kept[1].encode())] if kept else None

    def _act(self, act: str) -> Any:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            connection = self.row(request, pk)
            if not request.user.has_perm(ACTS[act]):
                raise PermissionDenied
            return getattr(self, f"_{act.replace('-', '_')}")(request, connection)

        return view

    def _test(self, request: HttpRequest, connection: Connection) -> HttpResponse:
        result = self._tested(request, connection, "")
        self.note(request, "tested", connection)
        return result

    def _tested(self, request: HttpRequest, connection: Connection, before: str) -> HttpResponse:
        result = testing.test(connection)
        told = notices.success if result.ok else notices.error
        told(request, f"{before} {result.summary}".strip())
        return redirect("admin:hub_connection_change", connection.pk)

    def _probe(self, request: HttpRequest, connection: Connection) -> HttpResponse:
        """Asks now whether a system that is away has come back, and goes on with its messages where it has."""
        quota = connection.quota
        if connection.paused or quota is None or quota.breaker != Quota.Breaker.OPEN:
            notices.info(request, "Nothing to ask: its breaker is not open, or it is paused.")
        elif probe_now(quota.pk):
            notices.success(request, f"{connection} answers again: what has waited goes on.")
        else:
            quota.refresh_from_db()
            notices.error(request, f"Still away. {quota.because}" if quota.because else "It is being asked already.")
        self.note(request, "asked whether it is back", connection)
        return redirect("admin:hub_connection_change", connection.pk)

    def _pause(self, request: Any, connection: Connection) -> HttpResponse:
        because = " ".join(request.POST.get("because", "").split())[:500]
        if not because:
            notices.error(request, "Say why: whoever finds its messages waiting reads it. Nothing was changed.")
        elif pause(connection, because, request.user):
            waiting = words.count(open_messages(connection), "open message")
            notices.success(request, f"{connection} is paused. It takes webhooks all the same; {waiting} wait now.")
        else:
            notices.info(request, f"{connection} is paused already: {connection.paused_because}")
        return redirect("admin:hub_connection_change", connection.pk)

    def _resume(self, request: Any, connection: Connection) -> HttpResponse:
        if resume(connection, request.user):
            waiting = words.count(open_messages(connection), "open message")
            notices.success(request, f"{connection} goes on: {waiting} go on with it.")
        else:
            notices.info(request, f"{connection} was not paused.")
        return redirect("admin:hub_connection_change", connection.pk)

    def _webhook_secret(self, request: HttpRequest, connection: Connection) -> HttpResponse:
        """Made here and shown once; the one before stays valid until the next is made."""
        name = request.POST.get("name", "")
        if name not in (SIGNING, TOKEN):
            raise Http404("There is no such secret.")
        # Sessions are rows: until the page is shown it stands there encrypted, as everywhere.
        request.session[f"webhook secret {connection.pk}"] = [name, encrypt(renew(connection, name)).decode()]
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

    @admin.display(description="Open messages")
    def opened(self, row: Connection) -> SafeString | str:
        pairs = [*row.pairs_as_source.all(), *row.pairs_as_target.all()]
        number = open_messages(row)
        if len(pairs) != 1:
            return str(number)
        address = f"{reverse('admin:hub_message_changelist')}?state=open&pair={pairs[0].pk}"
        return format_html('<a class="hub-link" href="{}">{}</a>', address, number)


def _choices() -> list[tuple[str, str, int]]:
    """Name, label and number of entities of each system: a template would call a class."""
    return [(name, one.label, len(one.entities)) for name, one in sorted(systems().items())]


def open_messages(connection: Connection) -> int:
    """Of all pairs that it is in: those that a pause of it holds up."""
    flows = Flow.objects.filter(Q(pair__source=connection) | Q(pair__target=connection)).values_list("pk", flat=True)
    return Message.objects.filter(flow__in=list(flows)).exclude(state=Message.State.FINISHED).count()
