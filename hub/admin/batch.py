"""Batches: how far each is, what it left as it was and why, and its Cancel."""

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub import batches
from hub.admin.base import ReadPage
from hub.admin.keyset import KeysetMixin
from hub.admin.words import badge
from hub.models import Batch, Message
from hub.people import pairs_of

SHOWN_LEFT = 200


@admin.register(Batch)
class BatchPage(KeysetMixin, ReadPage):
    list_display = ("shown_title", "shown_progress", "done", "shown_left", "who", "created_at", "shown_state")
    list_display_links = None
    list_select_related = ("who",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        """Those of the person's pairs, and the person's own."""
        rows = Batch.objects.all()
        pairs = pairs_of(request.user)
        return rows if pairs is None else rows.filter(Q(pair__in=pairs) | Q(who=request.user.pk))

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/cancel/", wrap(self.cancel), name="hub_batch_cancel"),
            path("<int:pk>/progress/", wrap(self.progress), name="hub_batch_progress"),
        ]
        return own + super().get_urls()

    def row(self, request: HttpRequest, pk: int | str) -> Batch:
        found = self.get_queryset(request).filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such batch.")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        batch = self.row(request, object_id)
        return self.render(request, "batch.html", batch.title, **self._context(request, batch))

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that is fetched anew while the batch is at work."""
        return self.render(request, "batch_progress.html", "", **self._context(request, self.row(request, pk)))

    def cancel(self, request: Any, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        batch = self.row(request, pk)
        if not request.user.has_perm("hub.change_batch"):
            raise PermissionDenied
        if batches.cancel(batch, request.user):
            notices.success(request, f"Cancelled: {batch.done} were done and stay so, the others were not touched.")
        else:
            notices.info(request, "It had ended already.")
        return redirect("admin:hub_batch_change", batch.pk)

    def _context(self, request: HttpRequest, batch: Batch) -> dict[str, Any]:
        left = batch.left[:SHOWN_LEFT]
        rows = Message.objects.select_related("lane").in_bulk([one["message"] for one in left])
        return {
            "batch": batch,
            "percent": int(batch.progress * 100),
            "at_work": batch.finished_at is None,
            "left": [{"row": rows.get(one["message"]), **one} for one in left],
            "may_cancel": batch.finished_at is None
            and batch.cancelled_at is None
            and request.user.has_perm("hub.change_batch"),
        }

    @admin.display(description="Batch")
    def shown_title(self, row: Batch) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, row.title)

    @admin.display(description="Progress")
    def shown_progress(self, row: Batch) -> str:
        return f"{row.position} of {row.total}"

    @admin.display(description="Left as they were")
    def shown_left(self, row: Batch) -> int:
        return row.position - row.done

    @admin.display(description="State")
    def shown_state(self, row: Batch) -> SafeString:
        if row.cancelled_at:
            return badge("Cancelled", "warn")
        return badge("Finished", "good") if row.finished_at else badge("At work")
