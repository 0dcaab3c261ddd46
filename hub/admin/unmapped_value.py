"""Unmapped values: one row a value, one entry for all the messages that wait for it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path

from hub.admin import words
from hub.admin.base import ReadPage
from hub.admin.message_acts import add_for
from hub.lookups import offered
from hub.models import Block, Message, UnmappedValue

SIZE = 50
DEAD = Q(blocks__message__state=Message.State.DEAD_LETTER)


@admin.register(UnmappedValue)
class UnmappedValuePage(ReadPage):
    pair_path = "table__pair"

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [path("<int:pk>/add-entry/", wrap(self.add_entry), name="hub_unmappedvalue_add_entry")]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related("table__pair").annotate(waiting=Count("blocks", filter=DEAD))
        below = request.GET.get("below", "")
        closed = request.GET.get("closed") == "yes"
        rows = rows.exclude(closed_at=None) if closed else rows.filter(closed_at=None)
        if below.isdecimal() and len(below) < 19:
            rows = rows.filter(pk__lt=int(below))
        page = list(rows.order_by("-pk")[: SIZE + 1])
        choices: dict[int, Any] = {}
        return self.render(
            request,
            "unmapped_values.html",
            "Unmapped values",
            values=[self._line(one, choices) for one in page[:SIZE]],
            older=page[SIZE - 1].pk if len(page) > SIZE else None,
            closed=closed,
            may_add=request.user.has_perm("hub.change_lookuptable") and not closed,
        )

    def _line(self, value: Any, choices: dict[int, Any]) -> dict[str, Any]:
        if value.table_id not in choices:
            choices[value.table_id] = offered(value.table)
        return {"value": value, "waiting": value.waiting, "choices": choices[value.table_id]}

    def row(self, request: HttpRequest, pk: int | str) -> UnmappedValue:
        rows: QuerySet[UnmappedValue] = self.get_queryset(request).select_related("table__pair")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such value.")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        value = self.row(request, object_id)
        blocks = Block.objects.filter(value=value, message__state=Message.State.DEAD_LETTER)
        messages = [one.message for one in blocks.select_related("message__lane").order_by("-message")[:SIZE]]
        told = [(one, words.state_badge(one), words.money(one.amount, one.currency)) for one in messages]
        return self.render(
            request,
            "unmapped_value.html",
            f"{value.code} is in no entry of {value.table.label}",
            value=value,
            choices=offered(value.table),
            waiting=blocks.count(),
            messages=told,
            may_add=request.user.has_perm("hub.change_lookuptable") and value.closed_at is None,
        )

    def add_entry(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("hub.change_lookuptable"):
            raise PermissionDenied
        add_for(request, self.row(request, pk), request.POST.get("ours", ""))
        return redirect("admin:hub_unmappedvalue_changelist")
