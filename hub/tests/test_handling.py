"""Messages in their lanes: one at a time, each to its next state, and taken over without harm."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.sandbox import Fault
from hub.ageing import end_the_aged
from hub.drain import drain
from hub.handling import handle
from hub.lanes import LEASE, claim
from hub.models import CrossReference, Lane, Message, Rule

pytestmark = pytest.mark.django_db


# The ERP fails at one question; it is not away, and answers everything else.
FAILS = Fault("error_before", times=-1, path="/products")


def lane_of(message):
    return Lane.objects.get(pk=message.lane_id)


def fresh(message):
    message.refresh_from_db()
    return message


def test_an_order_is_done_and_known_by_its_number(running):
    order = running.joined.order()
    message = running.receive(order)
    running.work()
    assert (fresh(message).state, message.outcome, message.reason) == ("finished", "done", "")
    assert message.reference == running.joined.shop_order(order)["reference"]
    assert str(message.amount) == running.joined.shop_order(order)["total_paid_tax_incl"].ljust(0)
    assert running.exact(order)
    assert lane_of(message).due_at is None
    reference = CrossReference.objects.get(target_entity="salesorder")
    assert (reference.source_key, reference.target_key) == (str(order), message.target_key)


def test_a_newer_change_supersedes_one_that_was_not_sent(running):
    order = running.joined.order()
    first, second = running.receive(order, "a"), running.receive(order, "b")
    running.work()
    assert (fresh(first).outcome, fresh(second).outcome) == ("superseded", "done")
    assert len(running.standing(order)) == 1


def test_a_system_that_fails_makes_the_message_wait_longer_each_time(running):
    message = running.receive(running.joined.order())
    running.joined.erp.faults = [FAILS]
    pauses = []
    for number in range(1, 4):
        before = timezone.now()
        running.work()
        assert (fresh(message).state, message.kind, message.tries) == ("waiting", "temporary", number)
        pauses.append((message.not_before - before).total_seconds())
        assert lane_of(message).due_at == message.not_before
        running.later()
    assert pauses[0] < pauses[1] < pauses[2]
    running.joined.erp.faults = []
    running.work()
    assert fresh(message).outcome == "done"


def test_the_last_try_is_a_dead_letter(running):
    message = running.receive(running.joined.order())
    running.joined.erp.faults = [FAILS]
    for _ in range(10):
        running.work()
        running.later()
    assert (fresh(message).state, message.tries) == ("dead letter", 10)
    assert "Tried 10 times since" in message.reason
    assert lane_of(message).due_at is None


def test_an_outage_uses_up_no_tries_and_ends_after_three_days(running):
    message = running.receive(running.order())
    running.joined.erp.faults = [Fault("refused", times=-1)]
    for _ in range(12):
        running.work()
        running.later()
    assert (fresh(message).state, message.kind, message.tries) == ("waiting", "temporary", 0)
    Message.objects.update(first_tried_at=timezone.now() - timedelta(days=3, minutes=1))
    assert end_the_aged() == 1
    assert fresh(message).state == "dead letter"
    assert "for three days" in message.reason
    assert end_the_aged() == 0


def test_a_limit_is_waited_for_as_long_as_the_system_says(running):
    message = running.receive(running.order())
    running.joined.erp.faults = [Fault("status", status=429, retry_after=600)]
    running.work()
    assert fresh(message).not_before > timezone.now() + 9 * LEASE


def test_a_problem_is_a_dead_letter_with_its_remedy(running):
    message = running.receive(running.joined.order([(10,)]))
    running.work()
    assert (fresh(message).state, message.kind) == ("dead letter", "mapping")
    assert "Add a product with this number" in message.reason
    assert message.reference


def test_a_lane_is_claimed_once_and_again_when_its_worker_is_gone(running):
    order = running.joined.order()
    message = running.receive(order)
    (first,) = claim(5)
    assert claim(5) == []
    Lane.objects.update(claimed_until=timezone.now() - LEASE)
    (second,) = claim(5)
    handle(first)
    assert fresh(message).state == "waiting"
    assert running.standing(order) == []
    handle(second)
    assert fresh(message).kind == "record"
    running.work()
    assert fresh(message).outcome == "done"


def test_a_worker_that_lost_its_lane_before_the_write_writes_nothing(running):
    order = running.joined.order()
    message = running.receive(order)
    (one,) = claim(1)
    reads = running.joined.shop.respond

    def taken_over_meanwhile(request):
        Lane.objects.update(token=None)
        return reads(request)

    running.joined.shop.respond = taken_over_meanwhile
    handle(one)
    assert fresh(message).state == "running"
    assert running.standing(order) == []


def test_a_worker_that_died_after_the_write_leaves_one_order(running):
    order = running.joined.order()
    message = running.receive(order)
    running.work()
    Message.objects.update(state="running", outcome="", finished_at=None, sent_at=timezone.now())
    Lane.objects.update(due_at=timezone.now())
    running.work()
    assert fresh(message).outcome == "done"
    assert len(running.standing(order)) == 1


def test_a_message_that_kills_its_workers_ends(running):
    message = running.receive(running.joined.order())
    Message.objects.update(state="running", deaths=2)
    running.work()
    assert (fresh(message).state, message.kind) == ("dead letter", "internal")
    assert "3 workers died" in message.reason


def test_what_is_received_while_a_message_is_worked_on_is_not_forgotten(running):
    order = running.joined.order()
    first = running.receive(order)
    respond, later = running.joined.shop.respond, []

    def meanwhile(request):
        if not later:
            later.append(running.receive(order, "later"))
        return respond(request)

    running.joined.shop.respond = meanwhile
    running.work()
    assert (fresh(first).outcome, fresh(later[0]).outcome) == ("superseded", "done")
    assert len(running.standing(order)) == 1


def test_messages_of_a_paused_connection_wait(running):
    running.shop.paused = True
    running.shop.save()
    message = running.receive(running.joined.order())
    running.work()
    assert (fresh(message).state, message.tries) == ("waiting", 0)
    running.shop.paused = False
    running.shop.save()
    running.work()
    assert fresh(message).outcome == "done"


def test_a_rule_that_is_deleted_leaves_its_field_out_of_the_request_and_one_that_is_added_arrives(running):
    first, second = running.joined.order(), running.joined.order()
    running.receive(first)
    running.work()
    rule = Rule.objects.get(version__mapping__name="order", to="emailaddress")
    Rule.objects.create(version=rule.version, position=99, to="billto_fax", source="customer.email")
    rule.delete()
    running.receive(second)
    running.work()
    ((before,), (after,)) = running.standing(first), running.standing(second)
    assert (bool(before["emailaddress"]), before["billto_fax"]) == (True, None)
    assert (after["emailaddress"], bool(after["billto_fax"])) == (None, True)


@pytest.mark.django_db(transaction=True)
def test_many_orders_are_drained_in_threads_each_once(running):
    orders = [running.joined.order() for _ in range(24)]
    for order in orders:
        running.receive(order)
        running.receive(order, f"again {order}")
    drain()
    assert all(running.exact(order) for order in orders)
    assert set(Message.objects.values_list("outcome", flat=True)) == {"done", "superseded"}


def test_a_setting_that_is_missing_ends_the_message_in_words_and_not_the_worker(running):
    message = running.receive(running.joined.order())
    running.erp.settings = {}
    running.erp.save()
    running.work()
    assert (fresh(message).state, message.deaths) == ("dead letter", 0)
    assert "is missing" in message.reason


def test_a_rule_that_cannot_be_read_ends_the_message_in_words(running):
    message = running.receive(running.joined.order())
    rule = Rule.objects.get(version__mapping__name="order", to="emailaddress")
    rule.transform = [{"name": "explode"}]
    rule.save()
    running.work()
    assert (fresh(message).state, message.kind) == ("dead letter", "mapping")
    assert "there is no transform" in message.reason
