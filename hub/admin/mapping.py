"""Mappings: which field of the ERP is filled from what. Edited as a draft, compared, tried on a record, published."""

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub import publishing, rules
from hub.admin import mapping_form, words
from hub.admin.base import ReadPage
from hub.admin.mapping_form import FIELD, Line
from hub.admin.mapping_preview import preview_context
from hub.models import Mapping, MappingVersion
from hub.publishing import NotPublished
from hub.records import digest
from hub.sources import paths_of
from mappings.transforms import LISTED

MOST_VERSIONS = 50
ACTS = ("start", "discard", "publish", "restore")


@admin.register(Mapping)
class MappingPage(ReadPage):
    list_display = ("shown_label", "pair", "target_entity", "version", "published", "draft")
    list_display_links = None
    list_filter = ("pair",)
    list_select_related = ("pair", "current__who")
    search_fields = ("label", "name")
    ordering = ("pair__label", "label")

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [path(f"<int:pk>/{act}/", wrap(self._act(act)), name=f"hub_mapping_{act}") for act in ACTS]
        own += [
            path("<int:pk>/edit/", wrap(self.edit), name="hub_mapping_edit"),
            path("<int:pk>/versions/", wrap(self.versions), name="hub_mapping_versions"),
            path("<int:pk>/preview/", wrap(self.preview), name="hub_mapping_preview"),
        ]
        return own + super().get_urls()

    def row(self, request: HttpRequest, pk: int | str) -> Mapping:
        rows = self.get_queryset(request).select_related("pair__source", "pair__target", "current__who")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such mapping.")
        return found

    def _page(self, request: HttpRequest, mapping: Mapping, template: str, title: str, **more: Any) -> HttpResponse:
        may = request.user.has_perm("hub.change_mapping")
        draft = publishing.draft_of(mapping)
        return self.render(request, template, title, mapping=mapping, draft=draft, may_change=may, **more)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        mapping = self.row(request, object_id)
        data = rules.data_of(mapping.current) if mapping.current else {"rules": []}
        return self._page(
            request, mapping, "mapping.html", mapping.label, lines=_labelled(mapping, mapping_form.lines_of(data))
        )

    def _act(self, act: str) -> Any:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            mapping = self.row(request, pk)
            if not request.user.has_perm("hub.change_mapping"):
                raise PermissionDenied
            return getattr(self, f"_{act}")(request, mapping)

        return view

    def _start(self, request: Any, mapping: Mapping) -> HttpResponse:
        publishing.start_draft(mapping, request.user)
        return redirect("admin:hub_mapping_edit", mapping.pk)

    def _discard(self, request: Any, mapping: Mapping) -> HttpResponse:
        draft = publishing.draft_of(mapping)
        if draft:
            publishing.discard(draft, request.user)
            notices.success(request, "The draft is gone. The published version stays as it was.")
        return redirect("admin:hub_mapping_change", mapping.pk)

    def _publish(self, request: Any, mapping: Mapping) -> HttpResponse:
        draft = publishing.draft_of(mapping)
        if draft is None:
            notices.error(request, "There is no draft any more: somebody has published or discarded it.")
            return redirect("admin:hub_mapping_change", mapping.pk)
        try:
            anyway = request.POST.get("anyway") == "yes"
            made = publishing.publish(draft, request.user, request.POST.get("note", ""), anyway=anyway)
        except NotPublished as error:
            notices.error(request, f"Not published. {error}")
            return redirect("admin:hub_mapping_versions", mapping.pk)
        notices.success(
            request,
            f"Version {made.number} is published: new messages take it, and dead letters when they are sent again.",
        )
        return redirect("admin:hub_mapping_change", mapping.pk)

    def _restore(self, request: Any, mapping: Mapping) -> HttpResponse:
        old = _version(mapping, request.POST.get("version", ""))
        if old is None or old.published_at is None:
            raise Http404("There is no such version.")
        made = publishing.restore(mapping, old, request.user)
        notices.success(request, f"Version {old.number} is restored, as version {made.number}.")
        return redirect("admin:hub_mapping_change", mapping.pk)

    def edit(self, request: Any, pk: int) -> HttpResponse:
        """The draft's lines. Buttons that move or add lines answer with the same form and save nothing."""
        mapping = self.row(request, pk)
        if not request.user.has_perm("hub.change_mapping"):
            raise PermissionDenied
        draft = publishing.draft_of(mapping)
        if draft is None:
            return redirect("admin:hub_mapping_change", mapping.pk)
        stands = digest(rules.data_of(draft))
        if request.method != "POST":
            return self._form(request, mapping, mapping_form.lines_of(rules.data_of(draft)), stands)
        lines = mapping_form.typed(request.POST)
        if act := request.POST.get("act", ""):
            return self._form(request, mapping, _arranged(lines, act), request.POST.get("stands", ""))
        data = mapping_form.read(lines, mapping.target_entity)
        left = []
        if not any(one.wrong for one in lines):
            left = mapping_form.placed(lines, list(publishing.faults(mapping, data)))
        if left or any(one.wrong for one in lines):
            return self._form(request, mapping, lines, request.POST.get("stands", ""), left=left)
        if request.POST.get("stands") != stands and request.POST.get("sure") != "yes":
            told = rules.difference(rules.data_of(draft), data)
            return self._form(request, mapping, lines, stands, clash=told, by=draft.who)
        publishing.save_draft(draft, data, request.user)
        notices.success(request, "The draft is saved. Compare it, try it on a record, then publish it.")
        return redirect("admin:hub_mapping_versions", mapping.pk)

    def _form(
        self, request: HttpRequest, mapping: Mapping, lines: list[Line], stands: str, **more: Any
    ) -> HttpResponse:
        entity, rows = publishing.target_of(mapping), ""
        for line in lines:
            rows = line.to if line.kind == mapping_form.ROWS else rows
            line.inside = rows if line.kind == mapping_form.PART else ""
        return self._page(
            request,
            mapping,
            "mapping_edit.html",
            f"Draft of {mapping.label}",
            lines=lines,
            stands=stands,
            fields=[one for one in entity.fields if one.writable] if entity else [],
            rows=[one for one in entity.fields if one.type == "rows"] if entity else [],
            paths=paths_of(mapping),
            transforms=LISTED,
            wrong=sum(bool(one.wrong) for one in lines),
            **more,
        )

    def versions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every version; two compared: the draft with the published one, unless somebody asks for others."""
        mapping = self.row(request, pk)
        found = list(mapping.versions.select_related("who").order_by("-number")[:MOST_VERSIONS])
        draft = publishing.draft_of(mapping)
        left = _version(mapping, request.GET.get("from", "")) or mapping.current
        right = _version(mapping, request.GET.get("to", "")) or draft or mapping.current
        told = rules.difference(rules.data_of(left), rules.data_of(right)) if left and right else []
        newer = bool(draft and mapping.current and mapping.current.number > draft.number)
        return self._page(
            request,
            mapping,
            "mapping_versions.html",
            f"Versions of {mapping.label}",
            versions=found,
            left=left,
            right=right,
            difference=told,
            newer=newer,
        )

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        mapping = self.row(request, pk)
        context = preview_context(request, mapping, publishing.draft_of(mapping))
        return self._page(request, mapping, "mapping_preview.html", f"{mapping.label} on a real record", **context)

    @admin.display(description="Mapping", ordering="label")
    def shown_label(self, row: Mapping) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, row.label)

    @admin.display(description="Version")
    def version(self, row: Mapping) -> str:
        return str(row.current.number) if row.current else "none"

    @admin.display(description="Published")
    def published(self, row: Mapping) -> str:
        now = row.current
        return f"{words.moment(now.published_at)} {now.who or ''}".strip() if now else "-"

    @admin.display(description="Draft")
    def draft(self, row: Mapping) -> SafeString | str:
        return words.badge("Draft", "warn") if publishing.draft_of(row) else "-"


def _version(mapping: Mapping, number: str) -> MappingVersion | None:
    return mapping.versions.filter(number=int(number)).first() if number.isdecimal() and len(number) < 9 else None


def _arranged(lines: list[Line], act: str) -> list[Line]:
    """Buttons of a line: "up 3", "down 3", "add 3 field" (below line 3)."""
    what, *rest = act.split()
    at = int(rest[0]) if rest and rest[0].lstrip("-").isdecimal() else -1
    if what == "add":
        kind = rest[1] if len(rest) > 1 and rest[1] in mapping_form.KINDS else FIELD
        lines.insert(at + 1, Line(kind))
    elif what in ("up", "down"):
        other = at - 1 if what == "up" else at + 1
        if 0 <= at < len(lines) and 0 <= other < len(lines):
            lines[at], lines[other] = lines[other], lines[at]
    return lines


def _labelled(mapping: Mapping, lines: list[Line]) -> list[tuple[Line, str]]:
    """Each line with its target's label."""
    entity = publishing.target_of(mapping)
    fields = {one.name: one for one in entity.fields} if entity else {}
    found, inside = [], {}
    for line in lines:
        if line.kind == mapping_form.ROWS:
            inside = {one.name: one for one in fields[line.to].fields} if line.to in fields else {}
        known = (inside if line.kind == mapping_form.PART else fields).get(line.to)
        found.append((line, known.label if known and line.kind != mapping_form.VALUE else ""))
    return found
