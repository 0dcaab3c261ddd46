"""Sync jobs: what is pulled from where and how often, and backfills with their progress."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub import audit
from hub.admin import words
from hub.admin.base import ReadPage
from hub.admin.keyset import KeysetMixin
from hub.models import Flow, Run, SyncJob
from hub.people import limited

ENDS = "connection__pairs_as_source connection__pairs_as_target"
RUNS = 20


@admin.register(SyncJob)
class SyncJobPage(ReadPage):
    pair_path = ENDS
    list_display = ("shown_label", "schedule", "reached", "last_run", "shown_on")
    list_display_links = None
    list_select_related = ("connection",)
    list_filter = ("kind", "on", "connection")
    ordering = ("-on", "connection__label", "entity", "-pk")
    list_before_template = "console/sync_job_list_top.html"

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [path("backfill/", wrap(self.backfill), name="hub_syncjob_backfill")]
        own += [path("<int:pk>/progress/", wrap(self.progress), name="hub_syncjob_progress")]
        own += [
            path(f"<int:pk>/{act}/", wrap(self._act(act)), name=f"hub_syncjob_{act}") for act in ("switch", "run-now")
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"may_backfill": request.user.has_perm("hub.add_syncjob")}
        return super().changelist_view(request, {**(extra_context or {}), **may})

    def row(self, request: HttpRequest, pk: int | str) -> SyncJob:
        rows = self.get_queryset(request).select_related("connection")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such sync job.")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self.row(request, object_id)
        return self.render(request, "sync_job.html", label_of(job), **self._context(request, job))

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that is fetched anew while the job is at work."""
        return self.render(request, "sync_job_progress.html", "", **self._context(request, self.row(request, pk)))

    def _context(self, request: HttpRequest, job: SyncJob) -> dict[str, Any]:
        runs = list(job.runs.order_by("-started_at")[:RUNS])
        may = request.user.has_perm("hub.change_syncjob")
        own = job.kind == SyncJob.Kind.BACKFILL and request.user.has_perm("hub.add_syncjob")
        return {
            "job": job,
            "schedule": schedule(job),
            "reached": reached(job),
            "percent": None if job.progress is None else int(job.progress * 100),
            "runs": runs,
            "received": sum(one.received for one in runs),
            "may_change": may or own,
        }

    def _act(self, act: str) -> Any:
        def view(request: Any, pk: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            job = self.row(request, pk)
            if not self._context(request, job)["may_change"]:
                raise PermissionDenied
            if act == "switch":
                on = not job.on
                SyncJob.objects.filter(pk=job.pk).update(on=on, next_at=None)
                audit.note(request.user, "switched on" if on else "switched off", job, {"on": job.on}, {"on": on})
                notices.success(request, "It goes on where it stopped." if on else "It is off; its place is kept.")
            else:
                SyncJob.objects.filter(pk=job.pk, on=True).update(next_at=None)
                audit.note(request.user, "asked to run now", job)
                notices.success(request, "The next free worker runs it.")
            return redirect("admin:hub_syncjob_change", job.pk)

        return view

    def backfill(self, request: Any) -> HttpResponse:
        """Every record that changed in a range of dates becomes a message."""
        if not request.user.has_perm("hub.add_syncjob"):
            raise PermissionDenied
        flows = limited(Flow.objects.filter(on=True).select_related("pair__source"), request.user, "pair")
        choices = {f"{one.pair.source_id}:{one.source_entity}": one for one in flows}
        problem = ""
        if request.method == "POST":
            try:
                job = _backfill(request.POST, choices)
            except ValueError as error:
                problem = str(error)
            else:
                told = {"from": str(job.since), "until": str(job.until)}
                audit.note(request.user, "started a backfill", job, None, told)
                return redirect("admin:hub_syncjob_change", job.pk)
        offered = [
            (name, f"{words.entity_words(one)} of {one.pair.source.label}") for name, one in sorted(choices.items())
        ]
        today = timezone.localtime()
        return self.render(
            request,
            "backfill.html",
            "Backfill",
            offered=offered,
            problem=problem,
            chosen=request.POST.get("what", ""),
            since=request.POST.get("since") or f"{today - timedelta(days=7):%Y-%m-%dT00:00}",
            until=request.POST.get("until") or f"{today:%Y-%m-%dT%H:%M}",
            zone=timezone.get_current_timezone_name(),
        )

    @admin.display(description="Sync job")
    def shown_label(self, row: SyncJob) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, label_of(row))

    @admin.display(description="Schedule")
    def schedule(self, row: SyncJob) -> str:
        return schedule(row)

    @admin.display(description="Reached")
    def reached(self, row: SyncJob) -> str:
        return reached(row)

    @admin.display(description="Last run")
    def last_run(self, row: SyncJob) -> SafeString | str:
        run = row.runs.order_by("-started_at").first()
        if run is None:
            return "never"
        told = f"{words.moment(run.started_at)}: {run.read} read, {run.received} received"
        return format_html("{} {}", told, words.badge("Problem", "bad")) if run.problem else told

    @admin.display(description="On")
    def shown_on(self, row: SyncJob) -> SafeString:
        if row.kind == SyncJob.Kind.BACKFILL and not row.on:
            return words.badge("Ended", "good")
        return words.badge("On", "good") if row.on else words.badge("Off", "warn")


def label_of(job: SyncJob) -> str:
    entity = words.entity_label(job.connection.system, job.entity)
    return f"{job.get_kind_display()} of {entity.lower()} records from {job.connection}"


def schedule(job: SyncJob) -> str:
    """In words: "every 60 seconds, next in 12 s"."""
    if job.kind == SyncJob.Kind.BACKFILL:
        return f"once: what changed from {words.moment(job.since)} to {words.moment(job.until)}"
    every = f"every {job.connection.poll_seconds} seconds"
    if not job.on:
        return f"{every}; switched off"
    if job.connection.paused:
        return f"{every}; its connection is paused"
    left = (job.next_at - timezone.now()).total_seconds() if job.next_at else 0
    return f"{every}, next in {words.age(left)}" if left > 0 else f"{every}, next now"


def reached(job: SyncJob) -> str:
    """How far the feed was read."""
    if job.cursor_at is None:
        return "nothing yet"
    return f"everything up to {words.moment(job.cursor_at)}"


def _backfill(data: Any, choices: dict[str, Flow]) -> SyncJob:
    """Raises ValueError in words. Dates are in the console's zone."""
    flow = choices.get(data.get("what", ""))
    if flow is None:
        raise ValueError("Choose what to fetch.")
    since, until = _moment(data.get("since", ""), "From"), _moment(data.get("until", ""), "Until")
    if until <= since:
        raise ValueError("'Until' must be later than 'From'.")
    return SyncJob.objects.create(
        connection=flow.pair.source, entity=flow.source_entity, kind=SyncJob.Kind.BACKFILL, since=since, until=until
    )


def _moment(text: str, label: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"'{label}' is no date with a time: {text!r}.")
    return timezone.make_aware(found) if timezone.is_naive(found) else found


@admin.register(Run)
class RunPage(KeysetMixin, ReadPage):
    pair_path = "job__connection__pairs_as_source job__connection__pairs_as_target"
    list_display = ("started", "shown_job", "took", "read", "received", "shown_problem")
    list_display_links = None
    list_select_related = ("job__connection",)
    list_filter = (("problem", admin.EmptyFieldListFilter),)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        run = self.get_queryset(request).filter(pk=number).first()
        if run is None or not self.has_view_permission(request):
            raise Http404("There is no such run.")
        return redirect("admin:hub_syncjob_change", run.job_id)

    @admin.display(description="Started")
    def started(self, row: Run) -> str:
        return words.moment(row.started_at)

    @admin.display(description="Sync job")
    def shown_job(self, row: Run) -> SafeString:
        address = f"/admin/hub/syncjob/{row.job_id}/change/"
        return format_html('<a class="hub-link" href="{}">{}</a>', address, label_of(row.job))

    @admin.display(description="Took")
    def took(self, row: Run) -> str:
        if row.finished_at is None:
            return "at work, or its worker died"
        return f"{(row.finished_at - row.started_at).total_seconds():.1f} s"

    @admin.display(description="Problem")
    def shown_problem(self, row: Run) -> str:
        return row.problem[:200] or "-"
