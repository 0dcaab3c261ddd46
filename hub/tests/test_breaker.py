"""The breaker: a system that is away is left alone until a probe has found it again."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import InDoubt, NotFound, TryLater
from connectors.sandbox import Fault
from connectors.session import Call
from hub import breaker, connecting, limits
from hub.breaker import due_probes, next_unblocking, probe, workable_pairs
from hub.limits import Limiter
from hub.models import AuditEntry, Connection, Credential, Pair, Quota
from hub.pausing import pause, resume
from hub.quotas import LONGEST_OPEN, rest

pytestmark = pytest.mark.django_db


class Time:
    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now

    def forward(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time(monkeypatch):
    time = Time()
    monkeypatch.setattr(limits, "clock", time)
    monkeypatch.setattr(breaker, "clock", time)
    monkeypatch.setattr(limits, "wait", lambda change, seconds: time.forward(seconds))
    return time


@pytest.fixture
def hub(running, time):
    """A running pair whose ERP's token is there already, so that every ask is one call."""
    ask(running)
    return running


def ask(hub):
    return connecting.connector_of(hub.erp).find("salesorder", ordernumber="none")


def quota(hub):
    return Connection.objects.get(pk=hub.erp.pk).quota


def fail(hub, *faults, times=limits.MOST_FAILURES):
    hub.joined.erp.faults = list(faults or [Fault("refused", times=-1)])
    for _ in range(times):
        with pytest.raises(TryLater):
            ask(hub)


def opened(hub):
    fail(hub)
    assert quota(hub).breaker == "open"
    return quota(hub)


def counted(hub):
    """The requests that the ERP gets from now on."""
    requests, take = [], hub.joined.erp.handle

    def handle(request):
        requests.append(request.path)
        return take(request)

    hub.joined.erp.handle = handle
    return requests


@pytest.mark.parametrize(
    "fault",
    [
        Fault("refused", times=-1),
        Fault("status", status=500, times=-1),
        Fault("status", status=502, times=-1),
        Fault("maintenance", times=-1),
        Fault("error_before", times=-1),
    ],
)
def test_failures_in_a_row_open_it_and_nobody_asks_any_more(hub, time, fault):
    fail(hub, fault, times=limits.MOST_FAILURES - 1)
    assert quota(hub).breaker == "closed"
    with pytest.raises(TryLater):
        ask(hub)
    row = quota(hub)
    assert (row.breaker, row.opened_at, row.openings) == ("open", time.now, 1)
    assert timedelta(seconds=13) < row.blocked_until - time.now < timedelta(seconds=17)
    assert row.because.startswith("Dynamics 365 failed 5 times in a row, lastly: ")
    requests = counted(hub)
    with pytest.raises(TryLater, match="Dynamics 365 failed 5 times in a row") as told:
        ask(hub)
    assert (told.value.outage, requests) == (True, [])
    time.now = row.blocked_until + timedelta(seconds=1)
    with pytest.raises(TryLater) as told:
        ask(hub)
    assert told.value.after > time.now
    assert requests == []
    connecting.connector_of(hub.shop).find("currencies")


def test_an_open_breaker_is_known_to_every_process_within_a_second(hub, time):
    other = Limiter(quota(hub).owner)
    call = Call("GET", "", {}, b"")
    other.before(call)
    other.after(call)
    opened(hub)
    time.forward(1)
    with pytest.raises(TryLater):
        other.before(call)


def test_lost_answers_of_writes_count_as_well(hub):
    connector = connecting.connector_of(hub.erp)
    record = {"name": "Somebody"}
    hub.joined.erp.faults = [Fault("lost", times=-1, method="POST"), Fault("refused", times=-1)]
    with pytest.raises((InDoubt, TryLater)):
        connector.write("account", record, idempotency_key="5b2d7a52-7c1e-4f4e-9a63-0f6d1f3c2b11")
    fail(hub, times=limits.MOST_FAILURES - 1)
    assert quota(hub).breaker == "open"


def test_one_record_that_fails_while_others_are_answered_never_opens_it(hub):
    for _ in range(3 * limits.MOST_FAILURES):
        fail(hub, Fault("status", status=500, times=1), times=1)
        ask(hub)
    assert quota(hub).breaker == "closed"


def test_refusals_of_a_record_and_of_a_sign_in_are_answers(hub):
    for _ in range(limits.MOST_FAILURES):
        fail(hub, Fault("refused", times=1), times=1)
        with pytest.raises(NotFound):
            connecting.connector_of(hub.erp).read("salesorder", "5b2d7a52-7c1e-4f4e-9a63-0f6d1f3c2b11")
    assert quota(hub).breaker == "closed"


def test_failures_that_are_far_apart_never_open_it(hub, time):
    for _ in range(3 * limits.MOST_FAILURES):
        time.forward(16)
        fail(hub, times=1)
    assert quota(hub).breaker == "closed"


def test_limits_are_no_failures(hub, time):
    for _ in range(2 * limits.MOST_FAILURES):
        fail(hub, Fault("status", status=429, retry_after=1), times=1)
        fail(hub, Fault("status", status=503, retry_after=1), times=1)
        time.forward(2)
    assert quota(hub).breaker == "closed"


def test_calls_that_were_under_way_when_it_opened_change_nothing(hub, time):
    limiter = limits.limiter(quota(hub).owner)
    late = [Call("GET", "", {}, b"", error="Connection refused.") for _ in range(10)]
    for call in late:
        limiter.before(call)
    opened(hub)
    before = quota(hub)
    for call in late:
        limiter.after(call)
    after = quota(hub)
    assert (after.openings, after.blocked_until, after.opened_at) == (1, before.blocked_until, before.opened_at)


def test_a_probe_that_is_answered_closes_it(hub, time):
    row = opened(hub)
    assert due_probes(time.now) == []
    assert not probe(row.pk)
    assert due_probes(row.blocked_until) == [row.pk]
    time.now = row.blocked_until
    hub.joined.erp.faults = []
    assert probe(row.pk)
    row = quota(hub)
    assert (row.breaker, row.openings, row.blocked_until, row.because) == ("closed", 0, None, "")
    assert (row.opened_at, row.probed_until) == (None, None)
    assert ask(hub) == []


def test_a_probe_without_an_answer_lets_it_rest_for_longer_each_time(hub, time):
    row, rests = opened(hub), []
    for _ in range(8):
        time.now = row.blocked_until
        requests = counted(hub)
        assert not probe(row.pk)
        assert requests
        row = quota(hub)
        rests.append((row.blocked_until - time.now).total_seconds())
        assert (row.breaker, row.probed_until) == ("open", None)
    assert rests[0] < rests[1] < rests[2] < rests[3] < LONGEST_OPEN.total_seconds() * 1.125
    assert row.openings == 9
    assert "Microsoft Entra" in row.because or "Dynamics 365" in row.because


def test_the_longest_rest_is_some_minutes_however_often_it_has_opened():
    for openings in (6, 20, 10**6):
        assert LONGEST_OPEN * 0.8 < rest(openings) < LONGEST_OPEN * 1.2
    assert timedelta(seconds=10) < rest(0) < timedelta(seconds=20)


def test_a_probe_is_taken_by_one_and_by_another_once_it_was_killed(hub, time, monkeypatch):
    row = opened(hub)
    time.now = row.blocked_until

    class Killed(BaseException):
        pass

    def die(connection):
        assert due_probes(time.now) == []
        assert not probe(row.pk)
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(breaker, "connector_of", die)
        with pytest.raises(Killed):
            probe(row.pk)
    assert not probe(row.pk)
    time.forward(breaker.PROBED.total_seconds())
    assert due_probes(time.now) == [row.pk]
    hub.joined.erp.faults = []
    assert probe(row.pk)


def test_a_late_probe_does_not_undo_what_another_has_found(hub, time, monkeypatch):
    row = opened(hub)
    time.now = row.blocked_until

    def closed_meanwhile(connection):
        monkeypatch.undo()
        monkeypatch.setattr(breaker, "clock", time)
        Quota.objects.filter(pk=row.pk).update(breaker="closed", openings=0, blocked_until=None, probed_until=None)
        return connecting.connector_of(connection)

    monkeypatch.setattr(breaker, "connector_of", closed_meanwhile)
    assert not probe(row.pk)
    assert (quota(hub).breaker, quota(hub).blocked_until) == ("closed", None)


def test_a_limit_that_the_probe_meets_is_kept(hub, time):
    row = opened(hub)
    time.now = row.blocked_until
    hub.joined.erp.faults = [Fault("status", status=429, retry_after=900, times=-1, path="WhoAmI")]
    assert not probe(row.pk)
    assert timedelta(seconds=860) < quota(hub).blocked_until - time.now < timedelta(seconds=960)


def test_a_sign_in_that_the_probe_finds_refused_closes_it_and_pauses_the_connection(hub, time):
    row = opened(hub)
    time.now = row.blocked_until
    Credential.objects.filter(connection=hub.erp).delete()
    wrong = Credential(connection=hub.erp, name="client_secret")
    wrong.value = "kY8~not-the-secret"
    wrong.save()
    hub.joined.erp.faults = []
    assert probe(row.pk)
    assert quota(hub).breaker == "closed"
    erp = Connection.objects.get(pk=hub.erp.pk)
    assert erp.paused
    assert "refuses the sign-in" in erp.paused_because
    assert "kY8~not-the-secret" not in erp.paused_because
    assert AuditEntry.objects.get().who is None


def test_a_check_that_cannot_ask_at_all_leaves_it_open(hub, time):
    row = opened(hub)
    time.now = row.blocked_until
    hub.joined.erp.faults = []
    hub.erp.refresh_from_db()
    hub.erp.settings = {}
    hub.erp.save()
    requests = counted(hub)
    assert not probe(row.pk)
    assert requests == []
    assert (quota(hub).breaker, "is missing" in quota(hub).because) == ("open", True)


def test_a_check_that_fails_for_a_reason_of_its_own_closes_it(hub, time, caplog):
    row = opened(hub)
    time.now = row.blocked_until
    hub.joined.erp.faults = []
    connector = connecting.connector_of(hub.erp)

    def check():
        connector.find("salesorder", ordernumber="none")
        raise ZeroDivisionError

    connector.check = check
    assert probe(row.pk)
    assert quota(hub).breaker == "closed"
    assert "The check of connection dynamics365 failed." in caplog.text


def test_each_probe_asks_another_connection_and_none_that_is_paused(hub, time):
    second = Connection.objects.create(name="second", label="Second", system="dynamics365", quota=quota(hub))
    row = opened(hub)
    hub.joined.erp.faults = []
    time.now = row.blocked_until
    assert not probe(row.pk)
    row = quota(hub)
    assert "is missing" in row.because
    time.now = row.blocked_until
    pause(hub.erp, "Migration.")
    assert not probe(row.pk)
    pause(second, "Not ready.")
    row = quota(hub)
    assert due_probes(row.blocked_until) == []
    resume(hub.erp)
    assert due_probes(row.blocked_until) == [row.pk]
    time.now = row.blocked_until
    assert probe(row.pk)


def test_a_corrected_address_is_another_quota_and_the_pair_is_workable_again(hub, time):
    row = opened(hub)
    assert workable_pairs(time.now) == []
    hub.joined.erp.faults = []
    hub.erp.refresh_from_db()
    hub.erp.settings["client_id"] = hub.erp.settings["client_id"].swapcase() + "0"
    hub.erp.save()
    time.now = row.blocked_until
    probe(row.pk)
    assert quota(hub).pk != row.pk
    resume(hub.erp)
    assert workable_pairs(time.now) == [hub.pair.pk]


def test_pairs_are_workable_unless_a_connection_is_paused_or_blocked(hub, time, django_assert_num_queries):
    other = Connection.objects.create(name="other", label="Other", system="dynamics365")
    second = Pair.objects.create(name="two", label="Two", source=hub.shop, target=other)
    with django_assert_num_queries(1):
        assert workable_pairs(time.now) == [hub.pair.pk, second.pk]
    assert next_unblocking(time.now) is None
    row = quota(hub)
    Quota.objects.filter(pk=row.pk).update(blocked_until=time.now + timedelta(seconds=30))
    assert workable_pairs(time.now) == [second.pk]
    assert next_unblocking(time.now) == time.now + timedelta(seconds=30)
    time.forward(30)
    assert workable_pairs(time.now) == [hub.pair.pk, second.pk]
    Quota.objects.filter(pk=row.pk).update(breaker="open")
    assert workable_pairs(time.now) == [second.pk]
    pause(other, "Not ready.")
    assert workable_pairs(time.now) == []
    resume(other)
    pause(hub.shop, "Migration.")
    assert workable_pairs(time.now) == []
