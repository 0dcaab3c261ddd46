"""Flows: on or off, their settings, and their steps in words."""

import copy
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors.errors import ConnectorError
from hub import flow_versions
from hub.admin import words
from hub.admin.base import ReadPage
from hub.finding import find
from hub.flow_versions import CONDITIONS, TEXTS
from hub.masking import Mask
from hub.models import Flow, FlowVersion, Message
from hub.preview import preview
from hub.published import published
from hub.publishing import NotPublished
from mappings.problems import BadRule
from mappings.wording import condition_text, read_condition_text

MOST_VERSIONS = 50
ACTS = ("switch", "settings", "steps", "restore")
WORDS = {
    "filter": "leaves the record out",
    "look up": "looks for {0} in the ERP",
    "map": "fills {0}",
    "check": "checks: {0}",
    "write": "writes {0} to the ERP",
    "write back": "tells the shop",
}
LABELS = {"when": "Only when", "skip": "Leaves out when", "optional": "May be missing when"}


@admin.register(Flow)
class FlowPage(ReadPage):
    list_display = ("shown_label", "pair", "goes", "shown_on", "version", "opened", "dead")
    list_display_links = None
    list_filter = ("pair", "on")
    list_select_related = ("pair__source", "pair__target", "current")
    ordering = ("pair__label", "label")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Beside the rows their open messages and dead letters, in one statement each."""
        rows = super().get_queryset(request)
        counts = Message.objects.exclude(state=Message.State.FINISHED).order_by().values("flow").annotate(n=Count("pk"))
        self._open = {one["flow"]: one["n"] for one in counts}
        stopped = (
            Message.objects.filter(state=Message.State.DEAD_LETTER).order_by().values("flow").annotate(n=Count("pk"))
        )
        self._dead = {one["flow"]: one["n"] for one in stopped}
        return rows

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [path(f"<int:pk>/{act}/", wrap(self._act(act)), name=f"hub_flow_{act}") for act in ACTS]
        return own + super().get_urls()

    def row(self, request: HttpRequest, pk: int | str) -> Flow:
        rows = self.get_queryset(request).select_related("pair__source", "pair__target", "current__who")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such flow.")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._page(request, self.row(request, object_id))

    def _page(self, request: HttpRequest, flow: Flow, **more: Any) -> HttpResponse:
        versions = list(flow.versions.select_related("who").order_by("-number")[:MOST_VERSIONS])
        chosen = next((one for one in versions if str(one.number) == request.GET.get("from", "")), None)
        now = flow.current
        told = flow_versions.difference(chosen.steps, now.steps) if chosen and now else []
        context = {
            "flow": flow,
            "settings": [
                {
                    **one,
                    "value": flow.settings.get(one["name"], one["default"]),
                    "switch": isinstance(one["default"], bool),
                }
                for one in flow_versions.declared(flow)
            ],
            "steps": _steps(flow.current.steps if flow.current else []),
            "versions": versions,
            "chosen": chosen,
            "difference": told,
            "open": self._open.get(flow.pk, 0),
            "dead": self._dead.get(flow.pk, 0),
            "may_change": request.user.has_perm("hub.change_flow"),
            "wrong": {},
        }
        return self.render(request, "flow.html", flow.label, **{**context, **more})

    def _act(self, act: str) -> Any:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            flow = self.row(request, pk)
            if not request.user.has_perm("hub.change_flow"):
                raise PermissionDenied
            return getattr(self, f"_{act}")(request, flow)

        return view

    def _switch(self, request: Any, flow: Flow) -> HttpResponse:
        on = request.POST.get("on") == "yes"
        if flow_versions.switch(flow, on, request.user):
            does = (
                "is on: changes are received again" if on else "is off: nothing new is received; what is open goes on"
            )
            notices.success(request, f"{flow.label} {does}.")
        return redirect("admin:hub_flow_change", flow.pk)

    def _settings(self, request: Any, flow: Flow) -> HttpResponse:
        values, wrong = {}, {}
        for one in flow_versions.declared(flow):
            try:
                values[one["name"]] = flow_versions.value_of(one, request.POST.get(f"setting-{one['name']}"))
            except ValueError as error:
                wrong[one["name"]] = str(error)
        if wrong:
            notices.error(request, "Not saved: see below.")
            return self._page(request, flow, wrong=wrong)
        changed = flow_versions.save_settings(flow, values, request.user)
        told = f"Saved: {', '.join(changed)}." if changed else "Nothing was changed."
        notices.success(request, told)
        return redirect("admin:hub_flow_change", flow.pk)

    def _steps(self, request: Any, flow: Flow) -> HttpResponse:
        """Texts and conditions of the steps, published as a new version."""
        steps = copy.deepcopy(flow.current.steps) if flow.current else []
        wrong: dict[str, str] = {}
        for number, step in enumerate(steps):
            _typed(step, number, request.POST, wrong)
        if request.POST.get("version") != str(flow.current.number if flow.current else 0):
            wrong["all"] = "Another version was published since you opened this page: look at it first."
        told = flow_versions.difference(flow.current.steps if flow.current else [], steps)
        if request.POST.get("act") == "try" and not wrong:
            tried = _tried(flow, steps, request.POST.get("record", ""))
            return self._page(request, flow, steps=_steps(steps, request.POST), tried=tried, typed=told)
        if wrong or not told:
            notices.error(
                request, wrong.get("all") or ("Not published: see below." if wrong else "Nothing was changed.")
            )
            return self._page(request, flow, wrong=wrong, steps=_steps(steps, request.POST))
        try:
            report = flow.current.report if flow.current else {}
            made = flow_versions.publish(flow, steps, report, request.user, request.POST.get("note", ""))
        except NotPublished as error:
            notices.error(request, f"Not published. {error}")
            return self._page(request, flow, steps=_steps(steps, request.POST))
        notices.success(request, f"Version {made.number} is published: messages take it from now on.")
        return redirect("admin:hub_flow_change", flow.pk)

    def _restore(self, request: Any, flow: Flow) -> HttpResponse:
        number = request.POST.get("version", "")
        old: FlowVersion | None = flow.versions.filter(number=int(number)).first() if number.isdecimal() else None
        if old is None:
            raise Http404("There is no such version.")
        try:
            note = f"Version {old.number} restored"
            made = flow_versions.publish(flow, old.steps, old.report, request.user, note)
        except NotPublished as error:
            notices.error(request, f"Not restored. {error}")
        else:
            notices.success(request, f"Version {old.number} is restored, as version {made.number}.")
        return redirect("admin:hub_flow_change", flow.pk)

    @admin.display(description="Flow", ordering="label")
    def shown_label(self, row: Flow) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, row.label)

    @admin.display(description="From and to")
    def goes(self, row: Flow) -> str:
        left = words.entity_label(row.pair.source.system, row.source_entity)
        return f"{left} to {words.entity_label(row.pair.target.system, row.target_entity)}"

    @admin.display(description="On")
    def shown_on(self, row: Flow) -> SafeString:
        return words.badge("On", "good") if row.on else words.badge("Off", "warn")

    @admin.display(description="Version")
    def version(self, row: Flow) -> str:
        return str(row.current.number) if row.current else "none"

    @admin.display(description="Open messages")
    def opened(self, row: Flow) -> SafeString:
        address = f"/admin/hub/message/?flow={row.pk}&state=open"
        return format_html('<a class="hub-link" href="{}">{}</a>', address, self._open.get(row.pk, 0))

    @admin.display(description="Dead letters")
    def dead(self, row: Flow) -> SafeString:
        address = f"/admin/hub/deadletter/?flow={row.pk}"
        return format_html('<a class="hub-link" href="{}">{}</a>', address, self._dead.get(row.pk, 0))


def _tried(flow: Flow, steps: list[dict[str, Any]], asked: str) -> dict[str, Any]:
    """What the steps as they are typed would make of a record, by the shop's id or what people know it by; of the
    newest one where none is named. Both systems are read, and nothing is written."""
    rows = Message.objects.filter(flow=flow).select_related("lane")
    found = (find(rows, asked) if asked.strip() else rows).order_by("-pk").first()
    key = found.lane.key if found else asked.strip()
    if not key:
        return {"key": "", "words": "No record has come yet: name one by its id in the shop.", "good": False}
    try:
        shown = preview(replace(published(flow), steps=tuple(steps)), flow.pair, key)
    except (ConnectorError, BadRule) as error:
        return {"key": key, "words": f"It cannot be tried now: {error}", "good": False}
    outcome = shown.outcome
    mask = Mask(shown.work.record if shown.work else {})
    state = "would be sent" if outcome.state == "done" else f"would be {outcome.state}"
    return {"key": key, "words": f"It {state}. {mask.text(outcome.reason)}".strip(), "good": outcome.state == "done"}


def _steps(steps: list[dict[str, Any]], data: Any = None) -> list[dict[str, Any]]:
    """Each step in words, with its texts and conditions as they are edited."""
    found = []
    for number, one in enumerate(steps):
        about = (
            one.get("mapping")
            or one.get("entity")
            or one.get("check")
            or (one.get("reference") or {}).get("entity", "")
        )
        texts = [(f"{number}-{name}", name.capitalize(), one[name]) for name in TEXTS if isinstance(one.get(name), str)]
        conditions = []
        for name in CONDITIONS:
            if name in one or (name == "when" and one["kind"] in ("map", "write", "write back", "check", "look up")):
                key = f"{number}-{name}"
                typed = data.get(key) if data is not None else None
                conditions.append((key, LABELS[name], typed if typed is not None else condition_text(one.get(name))))
        does = WORDS.get(one["kind"], one["kind"]).format(about)
        found.append({"step": one, "number": number, "does": does, "texts": texts, "conditions": conditions})
    return found


def _typed(step: dict[str, Any], number: int, data: Any, wrong: dict[str, str]) -> None:
    for name in TEXTS:
        text = data.get(f"{number}-{name}")
        if text is not None and isinstance(step.get(name), str):
            step[name] = " ".join(text.split())[:500]
            if not step[name]:
                wrong[f"{number}-{name}"] = "It cannot be empty: operators read it."
    for name in CONDITIONS:
        text = data.get(f"{number}-{name}")
        if text is None:
            continue
        try:
            found = read_condition_text(text)
        except BadRule as error:
            wrong[f"{number}-{name}"] = f"{error}."
            continue
        if found is None:
            step.pop(name, None)
        else:
            step[name] = found
