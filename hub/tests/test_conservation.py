"""The rule of conservation over random histories: whatever happens, every message is somewhere, every order that the
ERP takes stands there once with its total, and nothing is left over when all is quiet."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.base import Event
from connectors.sandbox import Fault
from hub import connecting, waiting
from hub.conservation import breaches, sums
from hub.inbox import receive
from hub.models import Flow, Lane, Message, SyncJob, Waiting
from hub.polling import run
from hub.tests.running import Running

pytestmark = pytest.mark.django_db
UNKNOWN = 10  # a product that the ERP does not know


class Killed(BaseException):
    """The worker is gone in the middle of a call."""


class History:
    """What may happen, each by name; `orders` are those placed so far."""

    def __init__(self):
        self.running = Running()
        self.joined = self.running.joined
        self.orders, self.unmappable, self.cancelled = [], set(), set()
        self.events = self.seconds = 0
        self.job = SyncJob.objects.create(connection=self.running.shop, entity="orders")

    def some(self, number):
        return self.orders[number % len(self.orders)] if self.orders else None

    def place(self, number):
        order = self.joined.order([(UNKNOWN,)] if number % 7 == 6 else [(1,)])
        self.changed(order)
        self.orders.append(order)
        if number % 7 == 6:
            self.unmappable.add(order)

    def webhook(self, number):
        if self.orders:
            self.events += 1
            self.told(self.some(number), f"event {self.events}")

    def webhook_again(self, number):
        """The sender repeats one of its events, late and out of order."""
        if self.orders and self.events:
            self.told(self.some(number), f"event {1 + number % self.events}")

    def told(self, order, event):
        receive(self.running.shop, [Event("orders", str(order), f"{event} of {order}")], Message.Origin.WEBHOOK)

    def edit(self, number):
        """An employee moves the order on; a date has whole seconds."""
        if self.orders:
            self.changed(self.some(number))

    def changed(self, order, **fields):
        """Each change is later than the one before, and some share a second."""
        self.seconds += len(self.orders) % 3
        date = f"2026-03-04 11:{self.seconds // 60:02}:{self.seconds % 60:02}"
        self.joined.shop.store.change("orders", self.joined.shop_order(order), date_upd=date, **fields)

    def cancel(self, number):
        order = self.some(number)
        if order and order not in self.unmappable:
            self.changed(order, current_state="6")
            self.cancelled.add(order)

    def poll(self, number):
        run(SyncJob.objects.select_related("connection").get(pk=self.job.pk))

    def away(self, number):
        self.faulty(number).faults = [Fault("refused", times=-1)]

    def back(self, number):
        for sandbox in (self.joined.shop, self.joined.erp):
            sandbox.faults = []

    def lose_an_answer(self, number):
        self.faulty(number).faults = [Fault("lost", method="POST"), Fault("error_after", method="PATCH")]

    def faulty(self, number):
        return self.joined.erp if number % 2 else self.joined.shop

    def work(self, number):
        self.running.work()

    def later(self, number):
        self.running.later()

    def sweep(self, number):
        waiting.sweep()

    def kill_a_worker(self, number):
        """In the middle of its n-th call from now, before or after the other side has done it."""
        sandbox, left = self.faulty(number), [1 + number % 5]
        respond = sandbox.respond

        def dies(request):
            left[0] -= 1
            answer = None if number % 3 and not left[0] else respond(request)
            if left[0] == 0:
                raise Killed
            return answer

        sandbox.respond = dies
        try:
            self.running.work()
        except Killed:
            pass
        finally:
            del sandbox.respond
        Lane.objects.filter(claimed_until__gt=timezone.now()).update(
            claimed_until=timezone.now() - timedelta(seconds=1)
        )

    def quiet(self):
        """Everybody is back, what was not heard of is polled, and all that is due is worked off."""
        self.back(0)
        self.running.later()
        self.poll(0)
        for _ in range(30):
            self.running.later()
            self.running.work()
            waiting.sweep()
            if not Message.objects.filter(state__in=("waiting", "running", "in doubt")).exists():
                return

    def close(self):
        connecting.close_all()
        connecting.transports.clear()


ACTIONS = (
    *("place", "webhook", "webhook", "webhook_again", "edit", "cancel", "poll", "away", "back", "lose_an_answer"),
    *("work", "work", "later", "sweep", "kill_a_worker", "kill_a_worker"),
)
histories = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 59)), min_size=8, max_size=24)


def conserved():
    return all(one.holds for one in sums())


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink such a history takes longer than to read it
)
@given(histories)
def test_nothing_is_lost_or_doubled_whatever_happens(happens):
    with transaction.atomic():
        history = History()
        try:
            for action, number in [("place", 0), ("webhook", 0), *happens]:
                getattr(history, action)(number)
                assert conserved(), action
            history.quiet()
            as_it_ought_to_be(history)
        finally:
            history.close()
        transaction.set_rollback(True)


def as_it_ought_to_be(history):
    assert breaches() == []
    assert conserved()
    states = Counter(Message.objects.values_list("state", flat=True))
    assert set(states) <= {"finished", "dead letter", "held"}, list(
        Message.objects.exclude(state="finished").values_list("lane__entity", "lane__key", "state", "reason")
    )
    for order in history.orders:
        stands = history.running.standing(order)
        if order in history.unmappable:
            assert stands == []
        elif order in history.cancelled:
            assert len(stands) <= 1
        else:
            assert len(stands) == 1, last_of(order)
            assert stands[0]["totalamount"] == Decimal(history.joined.shop_order(order)["total_paid_tax_incl"])
            assert last_of(order) in ("done", "skipped")
            assert reported(history, order) == 1


def last_of(order):
    last = Message.objects.filter(lane__entity="orders", lane__key=str(order)).order_by("-pk").first()
    return last.outcome or f"{last.state}: {last.reason}"


def reported(history, order):
    """How often the state was written back."""
    rows = history.joined.shop.store.tables["order_histories"].values()
    return sum(row["id_order"] == str(order) and row["id_order_state"] == "3" for row in rows)


def test_the_command_prints_the_rule_and_fails_where_it_is_broken(running, capsys):
    order = running.joined.order()
    message = running.receive(order)
    call_command("conserve")
    said = capsys.readouterr().out
    assert "1 received = 1 waiting" in said
    assert "Conservation holds." in said
    Lane.objects.update(due_at=None)
    Message.objects.filter(pk=message.pk).update(received_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(CommandError, match=f"in no lane that is due: message {message.pk}"):
        call_command("conserve")


def test_a_ring_of_waiting_messages_is_named(running):
    one, other = running.receive(running.joined.order()), running.receive(running.joined.order())
    Waiting.objects.bulk_create([Waiting(waiter=one, awaited=other), Waiting(waiter=other, awaited=one)])
    assert f"Waiting for one another: message {one.pk}, message {other.pk}." in breaches()


def test_messages_that_were_tidied_away_still_count(running):
    flow = Flow.objects.get(source_entity="orders")
    flow.tallies.create(day="2026-01-01", outcome="done", messages=5)
    (found,) = [one for one in sums() if one.flow == flow]
    assert (found.received, found.states["done"], found.holds) == (5, 5, True)
