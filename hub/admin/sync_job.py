"""Sync jobs: what is pulled from where and how often, and backfills with their progress."""

from typing import Any

from django.contrib import admin
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.admin import backfill, words
from hub.admin.base import ReadPage
from hub.models import Run, SyncJob
from hub.polling import is_at_work

ENDS = "connection__pairs_as_source connection__pairs_as_target"
RUNS = 20
BACKFILL = SyncJob.Kind.BACKFILL


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncJob]:
        newest = Run.objects.filter(job=OuterRef("pk")).order_by("-started_at")
        rows: QuerySet[SyncJob] = super().get_queryset(request).annotate(newest=Subquery(newest.values("pk")[:1]))
        return rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"may_backfill": request.user.has_perm("hub.add_syncjob")}
        return super().changelist_view(request, {**(extra_context or {}), **may})

    def row(self, request: HttpRequest, pk: int | str) -> SyncJob:
        rows = self.get_queryset(request).select_related("connection")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such sync job.")
        return found

    def pair_of(self, row: Any) -> Any:
        return row.connection.pairs_as_source.first() or row.connection.pairs_as_target.first()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self.row(request, object_id)
        return self.render(request, "sync_job.html", label_of(job), **self._context(request, job))

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that is fetched anew while the job is at work."""
        return self.render(request, "sync_job_progress.html", "", **self._context(request, self.row(request, pk)))

    def _context(self, request: HttpRequest, job: SyncJob) -> dict[str, Any]:
        counted = job.runs.aggregate(read=Sum("read"), received=Sum("received"))
        runs = [(one, is_at_work(one)) for one in job.runs.order_by("-started_at")[:RUNS]]
        ended = job.kind == BACKFILL and job.ended_at is not None
        return {
            "job": job,
            "entity": words.entity_label(job.connection.system, job.entity),
            "schedule": schedule(job),
            "reached": reached(job),
            "state": state(job),
            "percent": None if job.progress is None else int(job.progress * 100),
            "runs": runs,
            "more": len(runs) == RUNS,
            "read": counted["read"] or 0,
            "received": counted["received"] or 0,
            "may_change": self._may_change(request, job) and not ended,
        }

    def _may_change(self, request: HttpRequest, job: SyncJob) -> bool:
        """Who starts backfills also stops them; polls belong to who builds."""
        may = request.user.has_perm
        return may("hub.change_syncjob") or (job.kind == BACKFILL and may("hub.add_syncjob"))

    def _act(self, act: str) -> Any:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            job = self.row(request, pk)
            if not self._may_change(request, job):
                raise PermissionDenied
            if act == "switch":
                self._switch(request, job, request.POST.get("on") == "yes")
            else:
                self._run_now(request, job)
            return redirect("admin:hub_syncjob_change", job.pk)

        return view

    def _switch(self, request: HttpRequest, job: SyncJob, on: bool) -> None:
        """The button says what is wanted, so that two who press it do not undo each other."""
        if not SyncJob.objects.filter(pk=job.pk, on=not on, ended_at=None).update(on=on, next_at=None):
            notices.info(request, f"Nothing was changed: {state(self.row(request, job.pk))[0].lower()}.")
            return
        self.note(request, "switched on" if on else "switched off", job, {"on": job.on}, {"on": on})
        stopped = "It is off. A page that is being read is finished; then its place is kept."
        notices.success(request, "It goes on where it stopped." if on else stopped)

    def _run_now(self, request: HttpRequest, job: SyncJob) -> None:
        if not SyncJob.objects.filter(pk=job.pk, on=True).update(next_at=None):
            notices.error(request, "It is off: switch it on first. Nothing was changed.")
            return
        self.note(request, "asked to run now", job)
        if job.connection.paused:
            notices.warning(request, f"It runs as soon as {job.connection} is resumed.")
        else:
            notices.success(request, "The next free worker runs it.")

    def backfill(self, request: Any) -> HttpResponse:
        """Every record that changed in a range of dates becomes a message."""
        if not request.user.has_perm("hub.add_syncjob"):
            raise PermissionDenied
        choices, problem = backfill.choices(request.user), ""
        if request.method == "POST":
            try:
                job = backfill.start(request.POST, choices)
            except ValueError as error:
                problem = str(error)
            else:
                told = {"from": words.second(job.since), "until": words.second(job.until)}
                self.note(request, "started a backfill", job, None, told)
                return redirect("admin:hub_syncjob_change", job.pk)
        context = backfill.shown(request.POST, choices)
        return self.render(request, "backfill.html", "Backfill", problem=problem, **context)

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
    def last_run(self, row: Any) -> SafeString | str:
        run = Run.objects.filter(pk=row.newest).first()
        if run is None:
            return "never"
        told = f"{words.second(run.started_at)}: {run.read} read, {run.received} received"
        if not run.problem:
            return told
        return format_html("{} {} {}", told, words.badge("Problem", "bad"), run.problem[:160])

    @admin.display(description="State")
    def shown_on(self, row: SyncJob) -> SafeString:
        return words.badge(*state(row))


def label_of(job: SyncJob) -> str:
    entity = words.entity_label(job.connection.system, job.entity)
    return f"{job.get_kind_display()} of {entity.lower()} records from {job.connection}"


def state(job: SyncJob) -> tuple[str, str]:
    """In words, and how a badge shows it."""
    if job.kind == BACKFILL and job.ended_at:
        return "Ended", "good"
    if not job.on:
        return ("Stopped" if job.kind == BACKFILL else "Off"), "warn"
    return ("Waits: its connection is paused", "warn") if job.connection.paused else ("On", "good")


def schedule(job: SyncJob) -> str:
    """In words: "every 60 seconds, next in 12 s"."""
    if job.kind == BACKFILL:
        if job.since is None or job.until is None:
            return "once: all that changed"
        return f"once: what changed from {words.moment(job.since)} to {words.moment(job.until)}"
    every = f"every {job.connection.poll_seconds} seconds"
    if not job.on:
        return f"{every}; switched off"
    if job.connection.paused:
        return f"{every}; its connection is paused"
    newest = job.runs.order_by("-started_at").first()
    if newest and is_at_work(newest):
        return f"{every}; at work now"
    left = (job.next_at - timezone.now()).total_seconds() if job.next_at else 0
    return f"{every}, next in {words.age(left)}" if left > 0 else f"{every}, next now"


def reached(job: SyncJob) -> str:
    """How far the feed was read."""
    if job.cursor_at is None:
        return "nothing yet"
    return f"everything up to {words.second(job.cursor_at)}"
