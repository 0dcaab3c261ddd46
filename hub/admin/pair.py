"""Pairs: a shop joined to an ERP, with the flows that the ERP's folder brings."""

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_slug
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors import systems
from hub.admin.base import ReadPage
from hub.flows import default_names, defaults_of
from hub.models import Connection, Message, Pair, Person
from hub.pairing import CannotJoin, join, missing_flows
from hub.people import pairs_of


@admin.register(Pair)
class PairPage(ReadPage):
    pair_path = "pk"
    list_display = ("shown_label", "source", "target", "flows_on", "opened", "dead")
    list_display_links = None
    list_select_related = ("source", "target")
    ordering = ("label",)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [path("join/", wrap(self.join), name="hub_pair_join"), *super().get_urls()]

    def may_join(self, request: HttpRequest) -> bool:
        return request.user.has_perm("hub.add_pair") and pairs_of(request.user) is None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_join": self.may_join(request), **(extra_context or {})})

    list_before_template = "console/pair_list_top.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rows = self.get_queryset(request).select_related("source", "target")
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        pair = rows.filter(pk=number).first()
        if pair is None or not self.has_view_permission(request):
            raise Http404("There is no such pair.")
        may_change = request.user.has_perm("hub.change_pair")
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            return self._changed(request, pair)
        people = Person.objects.filter(pairs=pair).select_related("user")
        everywhere = Person.objects.filter(every_pair=True, user__is_active=True).select_related("user")
        return self.render(
            request,
            "pair.html",
            pair.label,
            pair=pair,
            flows=pair.flows.order_by("label"),
            mappings=pair.mappings.order_by("label"),
            tables=pair.lookup_tables.order_by("label"),
            missing=[(name, defaults_of(pair.target.system, name).flow["label"]) for name in missing_flows(pair)],
            people=people,
            everywhere=everywhere,
            may_change=may_change,
        )

    def _changed(self, request: Any, pair: Pair) -> HttpResponse:
        """Another label, or flows that the pair does not have yet."""
        if name := request.POST.get("flow", ""):
            if name not in missing_flows(pair):
                raise Http404("There is no such flow to add.")
            join(pair, [name], request.user)
            notices.success(request, f"The flow is added: {defaults_of(pair.target.system, name).flow['label']}.")
        elif (label := " ".join(request.POST.get("label", "").split())[:200]) and label != pair.label:
            self.note(request, "changed", pair, {"label": pair.label}, {"label": label})
            pair.label = label
            pair.save(update_fields=["label"])
            notices.success(request, "Saved.")
        return redirect("admin:hub_pair_change", pair.pk)

    def join(self, request: Any) -> HttpResponse:
        if not self.may_join(request):
            raise PermissionDenied
        sources = Connection.objects.order_by("label")
        erps = [one for one in sources if one.system in systems() and default_names(one.system)]
        shops = [one for one in sources if one not in erps]
        data, problem = request.POST, ""
        if request.method == "POST":
            try:
                pair = _made(data, {str(one.pk): one for one in sources})
                flows = join(pair, default_names(pair.target.system), request.user)
            except (CannotJoin, ValidationError) as error:
                problem = " ".join(getattr(error, "messages", [str(error)]))
            else:
                notices.success(request, f"{pair} is joined, with {', '.join(one.label for one in flows)}.")
                return redirect("admin:hub_pair_change", pair.pk)
        return self.render(
            request, "pair_join.html", "Join a shop and an ERP", shops=shops, erps=erps, data=data, problem=problem
        )

    @admin.display(description="Pair", ordering="label")
    def shown_label(self, row: Pair) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, row.label)

    @admin.display(description="Flows on")
    def flows_on(self, row: Pair) -> str:
        return f"{row.flows.filter(on=True).count()} of {row.flows.count()}"

    @admin.display(description="Open messages")
    def opened(self, row: Pair) -> int:
        return Message.objects.filter(flow__pair=row).exclude(state=Message.State.FINISHED).count()

    @admin.display(description="Dead letters")
    def dead(self, row: Pair) -> int:
        return Message.objects.filter(flow__pair=row, state=Message.State.DEAD_LETTER).count()


def _made(data: Any, connections: dict[str, Connection]) -> Pair:
    """An unsaved pair. Raises CannotJoin and ValidationError in words."""
    source, target = (connections.get(data.get(name, "")) for name in ("source", "target"))
    if source is None or target is None:
        raise CannotJoin("Choose a shop and an ERP.")
    name = data.get("name", "").strip()
    validate_slug(name)
    label = " ".join(data.get("label", "").split())[:200] or f"{source.label} and {target.label}"
    return Pair(name=name, label=label, source=source, target=target)
