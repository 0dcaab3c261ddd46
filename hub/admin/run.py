"""Runs: each execution of a sync job, with what it read and what stopped it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.admin import words
from hub.admin.base import ReadPage
from hub.admin.filters import NumberFilter
from hub.admin.keyset import KeysetMixin
from hub.admin.sync_job import ENDS, label_of
from hub.models import Run, SyncJob
from hub.people import limited
from hub.polling import is_at_work


class JobFilter(NumberFilter):
    title = "sync job"
    parameter_name = "job"
    field = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """The polls, and what else was chosen on a job's page: backfills grow many."""
        chosen = request.GET.get(self.parameter_name, "")
        number = int(chosen) if chosen.isdecimal() and len(chosen) < 19 else 0
        jobs = limited(SyncJob.objects.select_related("connection"), request.user, ENDS)
        shown = jobs.filter(kind=SyncJob.Kind.POLL) | jobs.filter(pk=number)
        return [(one.pk, label_of(one)) for one in shown.order_by("connection__label", "entity", "pk")]


class EndFilter(admin.SimpleListFilter):
    title = "end"
    parameter_name = "end"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("problem", "With a problem"), ("well", "Well"), ("none", "At work")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        value = self.value()
        if value == "problem":
            return queryset.exclude(problem="")
        if value == "well":
            return queryset.filter(problem="", finished_at__isnull=False)
        return queryset.filter(finished_at=None) if value == "none" else queryset


@admin.register(Run)
class RunPage(KeysetMixin, ReadPage):
    pair_path = "job__connection__pairs_as_source job__connection__pairs_as_target"
    list_display = ("started", "shown_job", "took", "read", "received", "shown_problem")
    list_display_links = None
    list_select_related = ("job__connection",)
    list_filter = (EndFilter, JobFilter)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A run has no page of its own: it stands on its job's."""
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        run = self.get_queryset(request).filter(pk=number).first()
        if run is None or not self.has_view_permission(request):
            raise Http404("There is no such run.")
        return redirect("admin:hub_syncjob_change", run.job_id)

    @admin.display(description="Started")
    def started(self, row: Run) -> str:
        return words.second(row.started_at)

    @admin.display(description="Sync job")
    def shown_job(self, row: Run) -> SafeString:
        address = f"/admin/hub/syncjob/{row.job_id}/change/"
        return format_html('<a class="hub-link" href="{}">{}</a>', address, label_of(row.job))

    @admin.display(description="Took")
    def took(self, row: Run) -> str:
        if row.finished_at is None:
            return "at work" if is_at_work(row) else "never ended: its worker died"
        return f"{(row.finished_at - row.started_at).total_seconds():.1f} s"

    @admin.display(description="Problem")
    def shown_problem(self, row: Run) -> str:
        return row.problem or "-"
