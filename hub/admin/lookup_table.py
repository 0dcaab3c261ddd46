"""Lookup tables: edited in place, with versions, differences and a try-out."""

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub import lookups
from hub.admin import words
from hub.admin.base import ReadPage
from hub.lookups import Changed, Line
from hub.models import LookupTable, LookupVersion
from mappings.texts import words as as_text
from mappings.transforms import LookupTable as Table

MOST_VERSIONS = 50


@admin.register(LookupTable)
class LookupTablePage(ReadPage):
    list_display = ("shown_label", "pair", "entries_count", "waiting", "changed")
    list_display_links = None
    list_filter = ("pair",)
    search_fields = ("label", "name")
    list_select_related = ("pair",)
    ordering = ("pair__label", "label")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        dead = Q(unmapped_values__closed_at=None, unmapped_values__blocks__isnull=False)
        return rows.annotate(
            count=Count("entries", distinct=True), values_waiting=Count("unmapped_values", filter=dead, distinct=True)
        )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/versions/", wrap(self.versions), name="hub_lookuptable_versions"),
            path("<int:pk>/restore/", wrap(self.restore), name="hub_lookuptable_restore"),
        ]
        return own + super().get_urls()

    def row(self, request: HttpRequest, pk: int | str) -> LookupTable:
        rows = self.get_queryset(request).select_related("pair__source", "pair__target")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such lookup table.")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        table = self.row(request, object_id)
        if request.method == "POST":
            return self._save(request, table)
        return self._page(request, table, lookups.lines_of(table), {})

    def _save(self, request: Any, table: LookupTable) -> HttpResponse:
        """All lines of the form at once; what is wrong stands beside its line, and nothing typed is lost."""
        if not request.user.has_perm("hub.change_lookuptable"):
            raise PermissionDenied
        lines = _lines(request.POST)
        lines += lookups.pasted(request.POST.get("paste", ""), lookups.holds_numbers(table))
        seen = request.POST.get("version", "")
        note = " ".join(request.POST.get("note", "").split())
        try:
            wrong = lookups.wrong(lines)
            if wrong:
                notices.error(
                    request, f"Not saved: {len(wrong)} {'line is' if len(wrong) == 1 else 'lines are'} wrong."
                )
                return self._page(request, table, lines, wrong)
            sure = request.POST.get("sure") == "yes"
            released, told = lookups.save(table, lines, request.user, note, seen=None if sure else int(seen or 0))
        except Changed as error:
            return self._page(request, table, lines, {}, clash=error)
        if not told:
            notices.info(request, "Nothing was changed.")
        else:
            again = (
                f" {released} {'message is' if released == 1 else 'messages are'} on the way again." if released else ""
            )
            notices.success(request, f"Saved: {len(told)} {'change' if len(told) == 1 else 'changes'}.{again}")
        return redirect("admin:hub_lookuptable_change", table.pk)

    def _page(
        self, request: HttpRequest, table: LookupTable, lines: list[Line], wrong: dict[int, str], clash: Any = None
    ) -> HttpResponse:
        newest = table.versions.order_by("-number").first()
        code = request.GET.get("try", "")
        return self.render(
            request,
            "lookup_table.html",
            table.label,
            table=table,
            lines=[(number, one, wrong.get(number, "")) for number, one in enumerate(lines)],
            version=newest.number if newest else 0,
            choices=lookups.choices_of(table),
            uses=lookups.uses_of(table),
            numbers=lookups.holds_numbers(table),
            may_change=request.user.has_perm("hub.change_lookuptable"),
            clash=clash,
            tried=code,
            answer=self._try(table, code) if code else "",
            note=request.POST.get("note", ""),
        )

    def _try(self, table: LookupTable, code: str) -> str:
        plain = Table(table.name, table.label, dict(table.entries.values_list("theirs", "ours")))
        known, ours = plain.find(code)
        if not known:
            return f"“{code}” is in no entry: a message with it stops, unless its rule has a default."
        return f"“{code}” is {as_text(ours) or 'nothing'}."

    def versions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every version with what it changed; any two compared."""
        table = self.row(request, pk)
        found = list(table.versions.select_related("who").order_by("-number")[:MOST_VERSIONS])
        by_number = {str(one.number): one for one in found}
        left, right = (by_number.get(request.GET.get(name, "")) for name in ("from", "to"))
        if left is None or right is None:
            right = found[0] if found else None
            left = found[1] if len(found) > 1 else right
        difference = lookups.difference(left.entries, right.entries) if left and right else []
        return self.render(
            request,
            "lookup_versions.html",
            f"Versions of {table.label}",
            table=table,
            versions=found,
            left=left,
            right=right,
            difference=difference,
            may_change=request.user.has_perm("hub.change_lookuptable"),
        )

    def restore(self, request: Any, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("hub.change_lookuptable"):
            raise PermissionDenied
        table = self.row(request, pk)
        number = request.POST.get("version", "")
        old = LookupVersion.objects.filter(table=table, number=int(number)).first() if number.isdecimal() else None
        if old is None:
            raise Http404("There is no such version.")
        lines = [Line(theirs, as_text(ours), _type(ours)) for theirs, ours in old.entries.items()]
        released, told = lookups.save(table, lines, request.user, f"Version {old.number} restored")
        again = f" {released} messages are on the way again." if released else ""
        notices.success(request, f"Version {old.number} is restored: {len(told)} changes.{again}")
        return redirect("admin:hub_lookuptable_change", table.pk)

    @admin.display(description="Lookup table", ordering="label")
    def shown_label(self, row: LookupTable) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, row.label)

    @admin.display(description="Entries")
    def entries_count(self, row: Any) -> int:
        return row.count

    @admin.display(description="Values waiting")
    def waiting(self, row: Any) -> SafeString | str:
        return words.badge(str(row.values_waiting), "bad") if row.values_waiting else "-"

    @admin.display(description="Last change")
    def changed(self, row: LookupTable) -> str:
        newest = row.versions.select_related("who").order_by("-number").first()
        return f"{words.moment(newest.created_at)} {newest.who or ''} {newest.note}".strip() if newest else "-"


def _type(ours: Any) -> str:
    return "nothing" if ours is None else "number" if isinstance(ours, int) and not isinstance(ours, bool) else "text"


def _lines(data: Any) -> list[Line]:
    """The lines of the form that are not to be removed and are not empty."""
    theirs, ours, types = (data.getlist(name) for name in ("theirs", "ours", "type"))
    gone = set(data.getlist("remove"))
    found = []
    for number, (left, right, kind) in enumerate(zip(theirs, ours, types, strict=False)):
        if str(number) not in gone and (left.strip() or right.strip()):
            found.append(Line(left, right, kind))
    return found
