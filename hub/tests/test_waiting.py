"""Messages that wait for another record: who waits for whom, and what becomes of them when that ends, in any way."""

import pytest
from django.utils import timezone

from connectors.base import Event
from connectors.sandbox import Fault
from hub.again import send_again, skip
from hub.conservation import breaches
from hub.inbox import receive
from hub.lanes import claim
from hub.models import Flow, Lane, Message, Problem, Waiting
from hub.problems import weight
from hub.tests.seeing import attempts, back, fresh, stands_as
from hub.waiting import sweep, wait_for

pytestmark = pytest.mark.django_db
UNKNOWN = 10  # a product that the ERP does not know


class Family:
    """Two orders of one new customer, who lacks a name, each with its message; and the customer's, which stopped."""

    def __init__(self, running):
        self.joined = running.joined
        self.customer = self.joined.customer(lastname="")
        self.orders = [self.joined.order(customer=self.customer) for _ in range(2)]
        self.waiters = [running.receive(one) for one in self.orders]
        running.work()

    @property
    def message(self):
        return customers_message(self.customer)

    def mend(self):
        change(self.joined, self.customer, lastname="Dvořák")


@pytest.fixture
def family(running):
    return Family(running)


def change(joined, customer, **values):
    (row,) = joined.shop.store.find("customers", id=str(customer))
    joined.shop.store.change("customers", row, **values)


def customers_message(customer):
    return Message.objects.filter(lane__entity="customers", lane__key=str(customer)).latest("pk")


def received(running, customer, event_id=""):
    (message,) = receive(running.shop, [Event("customers", str(customer), event_id)], Message.Origin.WEBHOOK)
    return message


def edges():
    return sorted(Waiting.objects.values_list("waiter", "awaited"))


def outcomes(messages):
    return [fresh(one).outcome for one in messages]


# ---- how it ends ----


def test_orders_of_one_new_customer_wait_for_one_message_and_go_through_when_it_is_done(running):
    customer = running.joined.customer()
    orders = [running.joined.order(customer=customer) for _ in range(2)]
    waiters = [running.receive(one) for one in orders]
    running.work()
    assert Message.objects.filter(lane__entity="customers").count() == 1
    assert customers_message(customer).origin == "message"
    assert outcomes(waiters) == ["done", "done"]
    assert [attempts(one) for one in waiters] == [[(1, "waiting", "record"), (2, "done", "")]] * 2
    assert edges() == []
    contacts = {running.standing(one)[0]["customerid_contact"] for one in orders}
    assert contacts == {customers_message(customer).target_key}


def test_orders_of_a_customer_who_is_a_dead_letter_stay_waiting_and_are_counted_under_that_problem(running, family):
    assert stands_as(family.message) == ("dead letter", "", "mapping", 0)
    assert [stands_as(one) for one in family.waiters] == [("waiting", "", "record", 0)] * 2
    assert {one.reason for one in family.waiters} == {f"Waiting for customer {family.customer}."}
    assert edges() == [(one.pk, family.message.pk) for one in family.waiters]
    running.later()
    running.work()
    assert [one.attempts.count() for one in family.waiters] == [1, 1]
    found = weight(Problem.objects.get())
    assert (found["messages"], found["waiting"]) == (1, 2)
    assert found["money"] == {"EUR": sum(one.amount for one in family.waiters)}
    assert breaches() == []


def test_when_the_customer_is_mended_and_sent_again_all_orders_go_through(running, family):
    family.mend()
    send_again(family.message)
    running.work()
    assert outcomes([family.message, *family.waiters]) == ["done", "done", "done"]
    assert all(running.exact(one) for one in family.orders)
    assert Problem.objects.get().state == "closed"
    assert edges() == []


def test_when_a_newer_change_of_the_customer_is_done_the_dead_letter_is_overtaken_and_the_orders_go_through(
    running, family
):
    dead = family.message
    family.mend()
    newer = received(running, family.customer, "corrected")
    running.work()
    assert outcomes([dead, newer, *family.waiters]) == ["overtaken", "done", "done", "done"]
    assert dead.reason == "A newer change of the same record was sent since."
    assert (dead.problem, Problem.objects.get().state) == (None, "closed")


def test_when_the_customer_is_skipped_by_a_person_its_orders_stop_and_say_so(running, family):
    skip(family.message, "A test customer.")
    for one in family.waiters:
        assert stands_as(one) == ("dead letter", "", "record", 0)
        assert one.reason == (
            f"It needs customers {family.customer}, which was skipped: Skipped: A test customer. "
            "Let it through, then send this again."
        )
        assert one.problem.state == "open"
    assert (edges(), len({one.problem for one in family.waiters})) == ([], 1)
    assert weight(family.waiters[0].problem)["messages"] == 2
    family.mend()
    for one in family.waiters:
        send_again(one)
    running.work()
    assert outcomes(family.waiters) == ["done", "done"]
    assert set(Problem.objects.values_list("state", flat=True)) == {"closed"}


def test_when_the_customer_is_skipped_by_a_rule_its_orders_stop_under_one_problem_with_the_rule(running):
    customer = running.joined.customer(deleted="1")
    waiters = [running.receive(running.joined.order(customer=customer)) for _ in range(2)]
    running.work()
    assert {stands_as(one) for one in waiters} == {("dead letter", "", "record", 0)}
    assert "which was skipped: Deleted in the shop: rule 'Skip deleted customers'." in waiters[0].reason
    assert {one.problem for one in waiters} == {Problem.objects.get()}
    change(running.joined, customer, deleted="0")
    for one in waiters:
        send_again(one)
    running.work()
    assert outcomes(waiters) == ["done", "done"]


def test_an_order_whose_customer_is_in_the_erp_by_the_time_that_it_stops_needs_nothing_more(running, family):
    """The customer's message is skipped, the customer itself arrives by another one."""
    skip(family.message, "By hand.")
    family.mend()
    received(running, family.customer)
    running.work()
    assert {stands_as(one)[0] for one in family.waiters} == {"dead letter"}
    send_again(family.waiters[0])
    running.work()
    assert outcomes(family.waiters) == ["done", ""]


def test_an_order_that_comes_while_its_customer_is_a_dead_letter_joins_the_others(running, family):
    late = running.receive(running.joined.order(customer=family.customer))
    running.work()
    assert stands_as(late)[:3] == ("waiting", "", "record")
    assert Message.objects.filter(lane__entity="customers").count() == 1
    assert weight(Problem.objects.get())["waiting"] == 3


# ---- newer ones ----


def test_when_the_customers_message_is_superseded_the_orders_wait_for_the_newer_one(running):
    customer = running.joined.customer()
    waiter = running.receive(running.joined.order(customer=customer))
    running.joined.erp.faults = [Fault("error_before", path="/contacts", times=-1)]
    running.work()
    first = customers_message(customer)
    assert edges() == [(waiter.pk, first.pk)]
    newer = received(running, customer, "newer")
    running.work()
    assert (fresh(first).outcome, fresh(newer).state) == ("superseded", "waiting")
    assert edges() == [(waiter.pk, newer.pk)]
    back(running)
    assert outcomes([newer, waiter]) == ["done", "done"]


def test_a_newer_message_of_an_order_that_waits_supersedes_it_and_takes_its_place(running, family):
    older = family.waiters[0]
    newer = running.receive(family.orders[0], "newer")
    running.work()
    assert (fresh(older).outcome, stands_as(newer)[:3]) == ("superseded", ("waiting", "", "record"))
    assert edges() == [(family.waiters[1].pk, family.message.pk), (newer.pk, family.message.pk)]
    assert weight(Problem.objects.get())["waiting"] == 2
    family.mend()
    send_again(family.message)
    running.work()
    assert outcomes([older, newer]) == ["superseded", "done"]
    assert len(running.standing(family.orders[0])) == 1


def test_an_older_dead_letter_is_overtaken_when_a_newer_change_of_the_same_order_is_done(running):
    order = running.order()
    row = running.joined.shop_order(order)
    state = row["current_state"]
    running.joined.shop.store.change("orders", row, id_address_delivery="9999")
    dead = running.receive(order, "first")
    elsewhere = running.receive(running.order([(UNKNOWN,)]))
    running.work()
    assert (stands_as(dead)[0], stands_as(elsewhere)[0]) == ("dead letter", "dead letter")
    running.joined.shop.store.change("orders", row, id_address_delivery=row["id_address_invoice"], current_state=state)
    newer = running.receive(order, "second")
    running.work()
    assert outcomes([dead, newer, elsewhere]) == ["overtaken", "done", ""]
    assert (dead.problem, dead.finished_at is not None) == (None, True)
    assert Problem.objects.get(state="open") == elsewhere.problem


def test_a_record_waits_for_a_person_once_however_often_it_stops(running):
    order = running.order([(UNKNOWN,)])
    first = running.receive(order, "first")
    running.work()
    second = running.receive(order, "second")
    running.work()
    assert [stands_as(one)[:2] for one in (first, second)] == [("finished", "superseded"), ("dead letter", "")]
    assert "has stopped, too" in first.reason
    assert weight(Problem.objects.get())["messages"] == 1


# ---- a wake-up that was lost ----


def test_a_wake_up_that_was_lost_is_made_up_for(running, family):
    """Somebody has finished the awaited one without telling anybody."""
    done = {"state": "finished", "outcome": "done", "finished_at": timezone.now(), "problem": None}
    Message.objects.filter(pk=family.message.pk).update(**done)
    running.work()
    assert {one.attempts.count() for one in family.waiters} == {1}
    sweep()
    assert edges() == []
    running.work()
    assert {one.attempts.count() for one in family.waiters} == {2}


def test_a_lane_with_work_and_no_time_for_it_is_made_due(running):
    message = running.receive(running.order())
    Lane.objects.filter(pk=message.lane_id).update(due_at=None)
    running.work()
    assert stands_as(message)[0] == "waiting"
    assert sweep() == 1
    running.work()
    assert fresh(message).outcome == "done"


def test_the_sweep_leaves_alone_what_waits_stops_or_is_being_worked_on(running, family):
    running.receive(running.joined.order(), "claimed")
    assert len(claim(1)) == 1
    Lane.objects.filter(claimed_until__gt=timezone.now()).update(due_at=None)
    before = list(Lane.objects.order_by("pk").values_list("due_at", "claimed_until"))
    assert sweep() == 0
    assert list(Lane.objects.order_by("pk").values_list("due_at", "claimed_until")) == before
    assert edges() == [(one.pk, family.message.pk) for one in family.waiters]


# ---- rings ----


@pytest.fixture
def ring(running):
    """Customers that wait for an order, which waits for its customer: somebody has built it into the flow."""
    flow = Flow.objects.get(name="customers")
    wanted = {"entity": "orders", "key": "company", "to": "salesorder"}
    step = {"kind": "look up", "name": "First order", "as": "first_order", "reference": wanted}
    flow.current.steps = [{**step, "when": {"path": "company", "empty": False}}, *flow.current.steps]
    flow.current.save()
    flow.save()
    customer = running.joined.customer()
    order = running.joined.order(customer=customer)
    change(running.joined, customer, company=str(order))
    return order, customer


def test_a_ring_is_refused_by_whoever_would_close_it_and_named(running, ring):
    order, customer = ring
    message = running.receive(order)
    running.work()
    stopped = customers_message(customer)
    assert stands_as(stopped)[:3] == ("dead letter", "", "record")
    assert stopped.reason.startswith("It would wait for itself, over ")
    assert f"customers {customer} for " in stopped.reason or f" for customers {customer}" in stopped.reason
    assert f"orders {fresh(message).reference}" in stopped.reason
    assert "Break the ring: send one of them without the other." in stopped.reason
    assert stopped.problem.state == "open"
    assert attempts(stopped) == [(1, "dead letter", "record")]
    assert (stands_as(message)[0], edges()) == ("waiting", [(message.pk, stopped.pk)])
    assert breaches() == []


def test_a_ring_that_is_broken_lets_both_go(running, ring):
    order, customer = ring
    message = running.receive(order)
    running.work()
    change(running.joined, customer, company="")
    send_again(customers_message(customer))
    running.work()
    assert outcomes([message]) == ["done"]
    assert set(Problem.objects.values_list("state", flat=True)) == {"closed"}


def test_a_record_that_needs_itself_is_a_ring_too(running):
    flow = Flow.objects.get(name="orders")
    wanted = {"entity": "orders", "key": "id", "to": "salesorder"}
    step = {"kind": "look up", "name": "Itself", "as": "itself", "reference": wanted}
    flow.current.steps = [step, *flow.current.steps]
    flow.current.save()
    flow.save()
    message = running.receive(running.order())
    running.work()
    assert stands_as(message)[:3] == ("dead letter", "", "record")
    assert message.reason.startswith("It would wait for itself")
    assert edges() == []


def test_a_ring_that_came_about_at_the_same_moment_is_found_by_the_sweep(running):
    """Neither of the two saw the other's edge, which was not committed yet; a third one waits behind them."""
    one, other, behind = (running.receive(running.joined.order()) for _ in range(3))
    Waiting.objects.bulk_create(
        Waiting(waiter=waiter, awaited=awaited) for waiter, awaited in ((one, other), (other, one), (behind, one))
    )
    sweep()
    assert [stands_as(each)[0] for each in (one, other, behind)] == ["waiting", "dead letter", "waiting"]
    assert other.reason == (
        f"It waits for itself, over {one} for {other}. Break the ring: send one of them without the other."
    )
    assert other.problem.state == "open"
    assert edges() == [(one.pk, other.pk), (behind.pk, one.pk)]
    assert breaches() == []
    sweep()
    assert edges() == [(one.pk, other.pk), (behind.pk, one.pk)]


def test_a_ring_of_several_is_named_in_its_order(running):
    messages = [running.receive(running.joined.order()) for _ in range(3)]
    first, second, third = messages
    Waiting.objects.bulk_create(
        Waiting(waiter=waiter, awaited=awaited) for waiter, awaited in ((first, third), (third, second))
    )
    words = wait_for(second, "orders", first.lane.key)
    assert words.startswith(f"It would wait for itself, over {first} for {third} for {second}.")


def test_an_order_in_doubt_is_not_given_up_because_its_customer_is_skipped(running, family):
    """Of what may stand in the ERP nobody lets go: it goes on and finds out."""
    doubtful, plain = family.waiters
    Message.objects.filter(pk=doubtful.pk).update(state="in doubt", sent_at=timezone.now())
    skip(family.message, "By hand.")
    assert [stands_as(one)[0] for one in family.waiters] == ["in doubt", "dead letter"]
    assert fresh(doubtful.lane).due_at is not None
    assert {one.messages.count() for one in Problem.objects.filter(state="open")} == {1}
    assert plain.problem.state == "open"
