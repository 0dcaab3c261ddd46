"""Sync jobs, backfills and runs in the console: what is pulled, how far it is, and stopping it."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.utils import timezone

from connectors.sandbox import Fault
from hub import polling
from hub.models import AuditEntry, Connection, Message, Run, SyncJob
from hub.pairing import poll
from hub.polling import run
from hub.tasks import due_jobs
from hub.tests.browsing import PASSWORD
from hub.tests.console import console, somebody, text_of
from hub.tests.joined import NOW

pytestmark = pytest.mark.django_db
LIST, RUNS = "/admin/hub/syncjob/", "/admin/hub/run/"
ALL = {"since": "2026-03-01T00:00", "until": "2026-04-01T00:00"}


@pytest.fixture
def job(running):
    """The poll of the shop's orders."""
    poll(running.pair)
    return SyncJob.objects.get(entity="orders")


def page_of(job):
    return f"{LIST}{job.pk}/change/"


def run_beside(job):
    """In a thread of its own: a browser's event loop is in this one."""

    def run_it():
        run(job)
        connections.close_all()

    thread = threading.Thread(target=run_it)
    thread.start()
    thread.join()


def what(running):
    return f"{running.shop.pk}:orders"


def backfill(running, **fields):
    march = {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 4, 1, tzinfo=UTC)}
    return SyncJob.objects.create(connection=running.shop, entity="orders", kind="backfill", **{**march, **fields})


# ---- polls ----


def test_the_list_says_schedule_place_and_last_run_in_words(running, job):
    client = console("manager")
    assert "Poll of order records from prestashop every 60 seconds, next now nothing yet never On" in text_of(
        client.get(LIST)
    )
    running.joined.order()
    run(job)
    said = text_of(client.get(LIST))
    assert re.search(r"every 60 seconds, next in (59|60) s everything up to 4 Mar 2026 09:15:00", said)
    assert "1 read, 1 received" in said


def test_a_run_at_work_is_told_from_one_whose_worker_died(running, job):
    client = console("manager")
    at_work = Run.objects.create(job=job)
    assert "every 60 seconds; at work now" in text_of(client.get(page_of(job)))
    Run.objects.filter(pk=at_work.pk).update(started_at=timezone.now() - polling.LONGEST)
    said = text_of(client.get(page_of(job)))
    assert "at work now" not in said
    assert "never: its worker died" in said
    assert "never ended: its worker died" in text_of(client.get(RUNS))


def test_a_poll_is_run_now_and_switched_off_and_on(running, job):
    client = console("integrator")
    run(job)
    assert job.pk not in due_jobs().values_list("pk", flat=True)
    assert "The next free worker runs it." in text_of(client.post(f"{LIST}{job.pk}/run-now/", follow=True))
    assert job.pk in due_jobs().values_list("pk", flat=True)
    said = text_of(client.post(f"{LIST}{job.pk}/switch/", {"on": "no"}, follow=True))
    assert "It is off." in said
    assert "every 60 seconds; switched off" in said
    assert job.pk not in due_jobs().values_list("pk", flat=True)
    assert "switch it on first" in text_of(client.post(f"{LIST}{job.pk}/run-now/", follow=True))
    assert "Nothing was changed: off." in text_of(client.post(f"{LIST}{job.pk}/switch/", {"on": "no"}, follow=True))
    assert "It goes on" in text_of(client.post(f"{LIST}{job.pk}/switch/", {"on": "yes"}, follow=True))
    found = list(AuditEntry.objects.order_by("pk").values_list("what", "pair", "before", "after"))
    assert found == [
        ("asked to run now", running.pair.pk, None, None),
        ("switched off", running.pair.pk, {"on": True}, {"on": False}),
        ("switched on", running.pair.pk, {"on": False}, {"on": True}),
    ]


def test_a_paused_connection_is_said_wherever_it_holds_a_job_up(running, job):
    Connection.objects.filter(pk=running.shop.pk).update(paused=True, paused_because="Rest.")
    client = console("integrator")
    said = text_of(client.get(page_of(job)))
    assert "Waits: its connection is paused" in said
    assert "every 60 seconds; its connection is paused" in said
    assert "It runs as soon as prestashop is resumed." in text_of(client.post(f"{LIST}{job.pk}/run-now/", follow=True))
    assert "Paused now, so a backfill waits until it is resumed: prestashop." in text_of(client.get(f"{LIST}backfill/"))


def test_an_operator_stops_backfills_and_no_poll(running, job):
    client, own = console("operator"), backfill(running)
    assert client.post(f"{LIST}{job.pk}/switch/", {"on": "no"}).status_code == 403
    assert ">Stop<" not in client.get(page_of(job)).content.decode()
    assert ">Stop<" in client.get(page_of(own)).content.decode()
    assert client.post(f"{LIST}{own.pk}/switch/", {"on": "no"}).status_code == 302
    assert not SyncJob.objects.get(pk=own.pk).on
    assert SyncJob.objects.get(pk=job.pk).on


# ---- backfills ----


def test_a_backfill_is_started_watched_and_ends(running):
    orders = [running.joined.order() for _ in range(3)]
    client = console("operator")
    form = text_of(client.get(f"{LIST}backfill/"))
    assert "Every record that changed between the two dates becomes a message." in form
    assert "updated, not doubled" in form
    page = client.post(f"{LIST}backfill/", {"what": what(running), **ALL}, follow=True)
    said, body = text_of(page), page.content.decode()
    assert "once: what changed from 1 Mar 2026 00:00 to 1 Apr 2026 00:00" in said
    assert "It has not run yet." in said
    assert "0 % of its dates" in said
    (job,) = SyncJob.objects.filter(kind="backfill")
    assert f'hx-get="{LIST}{job.pk}/progress/"' in body
    run(job)
    fragment = client.get(f"{LIST}{job.pk}/progress/")
    said, body = text_of(fragment), fragment.content.decode()
    assert body.lstrip().startswith('<div id="job"')
    assert "hx-get" not in body  # it has ended: nothing more is asked for
    assert "100 % of its dates" in said
    assert "Ended" in said
    assert "3 read, 3 received as messages" in said
    assert ">Go on<" not in body
    assert sorted(int(one) for one in Message.objects.values_list("lane__key", flat=True)) == orders
    entry = AuditEntry.objects.get(what="started a backfill")
    assert (entry.who.username, entry.pair) == ("operator", running.pair)
    assert entry.after == {"from": "1 Mar 2026 00:00:00", "until": "1 Apr 2026 00:00:00"}


def test_a_stopped_backfill_keeps_its_place_and_goes_on(running):
    client = console("operator")
    job = backfill(running, cursor_at=datetime(2026, 3, 16, 12, tzinfo=UTC))
    said = text_of(client.post(f"{LIST}{job.pk}/switch/", {"on": "no"}, follow=True))
    assert "State Stopped" in said
    assert "50 % of its dates" in said
    assert "Go on" in said
    assert "hx-get" not in client.get(f"{LIST}{job.pk}/progress/").content.decode()
    assert "Stopped" in text_of(client.get(f"{LIST}?kind__exact=backfill"))
    said = text_of(client.post(f"{LIST}{job.pk}/switch/", {"on": "yes"}, follow=True))
    assert "State On" in said
    run(SyncJob.objects.get(pk=job.pk))
    assert SyncJob.objects.get(pk=job.pk).ended_at
    said = text_of(client.post(f"{LIST}{job.pk}/switch/", {"on": "yes"}, follow=True))
    assert "Nothing was changed: ended." in said
    assert not SyncJob.objects.get(pk=job.pk).on


def test_one_that_is_stopped_while_a_worker_reads_stays_stopped(running):
    running.joined.order()
    job = backfill(running)
    running.joined.shop.faults = [Fault("refused")]
    at_work = SyncJob.objects.get(pk=job.pk)
    console("operator").post(f"{LIST}{job.pk}/switch/", {"on": "no"})
    assert run(at_work).problem
    job.refresh_from_db()
    assert (job.on, job.ended_at) == (False, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"what": "1:nothing"}, "Choose what to fetch."),
        ({"what": ""}, "Choose what to fetch."),
        ({"since": "yesterday"}, "'From' is no date with a time: 'yesterday'."),
        ({"since": ""}, "'From' is no date with a time: ''."),
        ({"until": "2026-02-30T00:00"}, "'Until' is no date with a time"),
        ({"since": "0001-01-01T00:00+14:00"}, "'From' is no date with a time"),
        ({"since": "0001-01-02T00:00"}, "'From' must lie between 1990 and a year from now."),
        ({"until": "9999-12-31T23:59"}, "'Until' must lie between 1990 and a year from now."),
        ({"until": "2026-03-01T00:00"}, "'Until' must be later than 'From'."),
        ({"since": "x" * 5000}, "'From' is no date with a time"),
    ],
)
def test_a_backfill_that_cannot_be_is_refused_in_words(running, changes, words):
    page = console("operator").post(f"{LIST}backfill/", {"what": what(running), **ALL, **changes})
    assert page.status_code == 200
    assert words in text_of(page)
    assert not SyncJob.objects.exists()
    assert not AuditEntry.objects.exists()


def test_one_that_begins_in_the_future_is_refused(running):
    soon = timezone.now() + timedelta(days=2)
    dates = {"since": f"{soon:%Y-%m-%dT%H:%M}", "until": f"{soon + timedelta(days=1):%Y-%m-%dT%H:%M}"}
    page = console("operator").post(f"{LIST}backfill/", {"what": what(running), **dates})
    assert "'From' lies in the future: nothing has changed there yet." in text_of(page)


def test_pressed_twice_it_is_one_backfill(running):
    client = console("operator")
    client.post(f"{LIST}backfill/", {"what": what(running), **ALL})
    assert "at work already" in text_of(client.post(f"{LIST}backfill/", {"what": what(running), **ALL}))
    assert SyncJob.objects.filter(kind="backfill").count() == 1


def test_dates_are_in_the_consoles_zone(running, settings):
    settings.TIME_ZONE = "Europe/Paris"
    client = console("operator")
    assert "Europe/Paris" in text_of(client.get(f"{LIST}backfill/"))
    client.post(f"{LIST}backfill/", {"what": what(running), **ALL})
    job = SyncJob.objects.get()
    assert job.since == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert job.until == datetime(2026, 3, 31, 22, tzinfo=UTC)


def test_only_what_a_flow_that_is_on_starts_at_and_the_own_pairs_can_be_fetched(running):
    other = console("operator", pairs=[])
    page = other.post(f"{LIST}backfill/", {"what": what(running), **ALL})
    assert "Choose what to fetch." in text_of(page)
    running.pair.flows.update(on=False)
    page = console("integrator").get(f"{LIST}backfill/")
    assert "No flow is on, so nothing could be received." in text_of(page)
    assert "Start the backfill" not in text_of(page)
    assert console("manager").get(f"{LIST}backfill/").status_code == 403
    assert not SyncJob.objects.exists()


# ---- runs ----


def test_runs_are_listed_by_pages_and_narrowed_by_job_and_problem(running, job):
    client = console("manager")
    Run.objects.bulk_create(Run(job=job, finished_at=NOW) for _ in range(60))
    running.joined.shop.faults = [Fault("refused", times=-1)]
    run(job)
    page = client.get(RUNS)
    said = text_of(page)
    assert "PrestaShop gave no complete answer" in said
    assert len(page.context["cl"].result_list) == 50
    older = client.get(RUNS + page.context["cl"].older_url)
    assert len(older.context["cl"].result_list) == 11
    assert len(client.get(f"{RUNS}?end=problem").context["cl"].result_list) == 1
    assert len(client.get(f"{RUNS}?end=none").context["cl"].result_list) == 0
    other = SyncJob.objects.exclude(pk=job.pk).first()
    assert len(client.get(f"{RUNS}?job={other.pk}").context["cl"].result_list) == 0
    assert len(client.get(f"{RUNS}?job={job.pk}&end=well").context["cl"].result_list) == 50
    assert client.get(f"{RUNS}?job=rubbish&end=rubbish").status_code == 200
    assert f'href="{RUNS}?job={job.pk}"' in client.get(page_of(job)).content.decode()


def test_what_is_no_job_and_no_run_is_not_found(running, job):
    client = console("integrator")
    for number in ("0", "999999", "99999999999999999999", "x"):
        assert client.get(f"{LIST}{number}/change/").status_code == 404
        assert client.get(f"{RUNS}{number}/change/").status_code == 404
    limited = console("operator", pairs=[])
    assert limited.get(page_of(job)).status_code == 404
    assert limited.get(f"{LIST}{job.pk}/progress/").status_code == 404
    assert limited.post(f"{LIST}{backfill(running).pk}/switch/").status_code == 404


@pytest.mark.needs("chromium")
@pytest.mark.django_db(transaction=True)
def test_the_progress_refreshes_by_itself_until_it_has_ended(running, live_server, chromium):
    running.joined.order()
    somebody("operator")
    job = backfill(running)
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{live_server.url}/admin/login/?next={page_of(job)}")
        page.fill("input[name=username]", "operator")
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.get_by_text("0 % of its dates").wait_for()
        run_beside(job)
        page.get_by_text("100 % of its dates").wait_for(timeout=10_000)
        assert page.locator("#job[hx-get]").count() == 0
        assert page.get_by_role("button", name="Stop").count() == 0
