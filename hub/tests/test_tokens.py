"""Access tokens that all workers share: encrypted, renewed by one, and never stuck with whoever was killed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import close_old_connections, connection

from connectors.sandbox import Fault
from hub import connecting
from hub.models import Token
from hub.tokens import LEASE, DatabaseTokens

pytestmark = pytest.mark.django_db
NAME = "https://sign-in.example client scope"


class Time:
    def __init__(self):
        self.now = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)
        self.slept = 0
        self.meanwhile = lambda: None

    def clock(self):
        return self.now

    def sleep(self, seconds):
        """What others do meanwhile happens before whoever sleeps wakes."""
        self.slept += 1
        self.now += timedelta(seconds=seconds)
        self.meanwhile()

    def process(self):
        """The tokens of one process."""
        return DatabaseTokens(self.clock, self.sleep)

    @property
    def later(self):
        return self.now + timedelta(hours=1)


@pytest.fixture
def time():
    return Time()


def test_what_one_process_has_put_another_gets(time):
    time.process().put(NAME, "secret token", time.later)
    assert time.process().get(NAME) == ("secret token", time.later)
    assert time.process().get("another name") is None


def test_the_row_holds_neither_token_nor_name(time):
    time.process().put(NAME, "secret token", time.later)
    row = Token.objects.get()
    assert b"secret token" not in bytes(row.encrypted)
    assert "example" not in row.name
    assert len(row.name) == 64


def test_a_kept_token_costs_no_statement_until_it_expires(time, django_assert_num_queries):
    one, other = time.process(), time.process()
    one.put(NAME, "first", time.later)
    other.get(NAME)
    with django_assert_num_queries(0):
        assert one.get(NAME) == other.get(NAME) == ("first", time.later)
    time.now = time.later
    one.put(NAME, "second", time.later)
    assert other.get(NAME) == ("second", time.later)


def test_a_refused_token_is_looked_for_anew_and_a_renewed_one_survives_a_late_refusal(time):
    one, other = time.process(), time.process()
    one.put(NAME, "old", time.later)
    assert other.get(NAME)[0] == "old"
    one.drop(NAME, "old")
    assert one.get(NAME) is None
    one.put(NAME, "new", time.later)
    other.drop(NAME, "old")
    assert other.get(NAME) == one.get(NAME) == ("new", time.later)
    other.drop(NAME, "new")
    assert time.process().get(NAME) is None


def test_a_row_that_was_read_before_a_refusal_is_not_kept_after_it(time, monkeypatch):
    process = time.process()
    time.process().put(NAME, "old", time.later)
    clock = time.clock

    def refused_meanwhile():
        process._clock = clock
        monkeypatch.undo()
        process.drop(NAME, "old")
        return found

    found = ("old", time.later)
    monkeypatch.setattr("hub.tokens._stored", lambda digest: refused_meanwhile())
    process.get(NAME)
    assert process.get(NAME) is None


def test_a_token_whose_encryption_key_is_gone_is_none_and_another_takes_its_place(time, settings):
    time.process().put(NAME, "old", time.later)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    process = time.process()
    assert process.get(NAME) is None
    with process.renewing(NAME):
        process.put(NAME, "new", time.later)
    assert time.slept == 0
    assert time.process().get(NAME)[0] == "new"


def test_whoever_waits_for_a_renewal_in_another_process_finds_the_new_token(time):
    one, other = time.process(), time.process()
    with one.renewing(NAME):
        time.meanwhile = lambda: one.put(NAME, "new", time.later) if time.slept == 3 else None
        with other.renewing(NAME):
            assert other.get(NAME)[0] == "new"
    assert time.slept == 3


def test_a_renewal_that_failed_is_the_next_ones(time):
    one, other = time.process(), time.process()
    with pytest.raises(ZeroDivisionError), one.renewing(NAME):
        raise ZeroDivisionError
    with other.renewing(NAME):
        assert other.get(NAME) is None
    assert time.slept == 0


def test_a_killed_renewer_blocks_nobody_for_longer_than_its_lease(time):
    started = time.now
    killed = time.process().renewing(NAME)
    killed.__enter__()
    process = time.process()
    with process.renewing(NAME):
        assert timedelta(0) <= time.now - started - LEASE < timedelta(seconds=1)
        late = Token.objects.get().renewing_until
        killed.__exit__(None, None, None)
        assert Token.objects.get().renewing_until == late
    assert Token.objects.get().renewing_until is None


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_somebody_renews(time):
    with time.process().renewing(NAME):
        assert not connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_one_of_many_threads_in_two_processes_renews():
    processes, renewals = [DatabaseTokens(sleep=lambda seconds: None) for _ in range(2)], []
    together = threading.Barrier(8)

    def work(number):
        tokens = processes[number % 2]
        together.wait()
        with tokens.renewing(NAME):
            if tokens.get(NAME) is None:
                renewals.append(number)
                tokens.put(NAME, f"token {number}", datetime.now(UTC) + timedelta(hours=1))
        close_old_connections()
        return tokens.get(NAME)[0]

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(work, range(8)))
    assert found == {f"token {renewals[0]}"}
    assert len(renewals) == 1


def test_every_connector_of_a_process_signs_in_once_and_again_after_a_refusal(running):
    asked = []
    answers = running.joined.erp.respond

    def respond(request):
        asked.append(request.path)
        return answers(request)

    running.joined.erp.respond = respond
    connecting.connector_of(running.erp).find("salesorder", ordernumber="none")
    connecting._mine.kept.clear()
    connecting.connector_of(running.erp).find("salesorder", ordernumber="none")
    assert sum("/oauth2/" in one for one in asked) == 1
    running.joined.erp.faults = [Fault("expired", path="salesorders")]
    connecting.connector_of(running.erp).find("salesorder", ordernumber="none")
    assert sum("/oauth2/" in one for one in asked) == 2
