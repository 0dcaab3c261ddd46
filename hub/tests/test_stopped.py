"""What one record stops at: the row, the words, the problem, and that what they say to do sends it on its way."""

from dataclasses import replace

import pytest

from hub.again import send_again
from hub.conservation import sums
from hub.models import Connection, Flow, LookupEntry, Message, Problem, Rule
from hub.tests.seeing import attempts, fresh, stands_as

pytestmark = pytest.mark.django_db


def stopped(message, state, kind, words):
    """The message is stopped with these words, in a problem of its own; nothing else is."""
    assert stands_as(message) == (state, "", kind, 0)
    assert words in message.reason
    assert (message.not_before, message.lane.due_at) == (None, None)
    assert attempts(message)[-1][1:] == (state, kind)
    assert (message.problem.kind, message.problem.state) == (kind, "open")
    assert not Connection.objects.filter(paused=True).exists()
    return True


def mended(running, message):
    """It goes through when it is sent again, and its problem is closed."""
    problem, tried = message.problem, message.attempts.count()
    send_again(message)
    running.work()
    assert fresh(message).outcome == "done", message.reason
    assert [number for number, *_ in attempts(message)] == list(range(1, tried + 2))
    assert (fresh(problem).state, message.problem, message.detail) == ("closed", None, "")
    return True


def carried(running, order=None):
    message = running.receive(order or running.order())
    running.work()
    return message


def rule_of(mapping, to):
    return Rule.objects.get(version__mapping__name=mapping, to=to, part_of=None)


def change(running, resource, name, value, **values):
    for row in running.joined.shop.store.find(resource, **{name: str(value)}):
        running.joined.shop.store.change(resource, row, **values)


# ---- refused by one of the two systems ----


def test_a_field_that_the_erp_refuses_is_named(running):
    """Somebody has shortened the column there since."""
    columns = running.joined.erp.environment.tables["salesorder"].columns
    column = columns["billto_city"]
    columns["billto_city"] = replace(column, size=3)
    message = carried(running)
    assert stopped(message, "dead letter", "refused", "Dynamics 365 refused to create order PS-1: a text is too long")
    assert "(billto_city)" in message.reason
    assert "Shorten it in the mapping, or lengthen the column in Power Apps, Tables." in message.reason
    columns["billto_city"] = column
    assert mended(running, message)


def test_an_order_that_is_not_in_the_shop_any_more_says_so(running):
    order = running.order()
    row = running.joined.shop.store.tables["orders"].pop(order)
    message = carried(running, order)
    assert stopped(message, "dead letter", "not found", f"orders/{order} is not in the shop (any more).")
    assert "It was deleted there, or never completed: nothing can be carried over." in message.reason
    running.joined.shop.store.tables["orders"][order] = row
    assert mended(running, message)


def test_a_setting_that_is_missing_is_named_with_its_place(running):
    order = running.order()
    client_id = running.erp.settings.pop("client_id")
    running.erp.save()
    message = carried(running, order)
    assert stopped(message, "dead letter", "refused", "Client id")
    assert "connection" in message.reason
    running.erp.settings["client_id"] = client_id
    running.erp.save()
    assert mended(running, message)


def test_a_rule_that_names_a_field_which_the_erp_does_not_have_says_which(running):
    rule = rule_of("order", "emailaddress")
    Rule.objects.filter(pk=rule.pk).update(to="no_such_column")
    message = carried(running)
    assert stopped(message, "dead letter", "mapping", "customer.email -> no_such_column: is no field of the target")
    assert "Correct the rule's target." in message.reason
    rule.save()
    assert mended(running, message)


# ---- mapping ----


def test_a_value_that_is_in_no_table_is_named_and_an_entry_lets_the_order_go(running):
    entry = LookupEntry.objects.get(table__name="order_states", theirs="paid")
    entry.delete()
    message = carried(running)
    assert stopped(
        message,
        "dead letter",
        "mapping",
        "current_state.kind -> statuscode: is not in the lookup table 'Order states' (value: 'paid'). "
        "Add 'paid' to the table 'Order states'.",
    )
    LookupEntry.objects.create(table=entry.table, theirs="paid", ours=entry.ours)
    assert mended(running, message)


def test_all_that_is_wrong_with_an_order_is_said_at_once(running):
    """A text that is too long, a product that the ERP does not know, and a value of another type."""
    order = running.joined.order([(1,), (10,)], customer=running.joined.shop_order(running.order())["id_customer"])
    customer = running.joined.shop_order(order)["id_customer"]
    change(running, "addresses", "id_customer", customer, city="L" + "o" * 99 + "ng")
    rule = rule_of("order", "freightamount")
    Rule.objects.filter(pk=rule.pk).update(source="reference", transform=[])
    message = carried(running, order)
    assert stopped(message, "dead letter", "mapping", "delivery_address.city -> shipto_city: has 102 characters")
    assert "order_rows[1].item_number: is no active product of the ERP (value: 'PROTO-VASE')" in message.reason
    assert "reference -> freightamount: is not of the type that 'Freight' takes (money)" in message.reason
    assert len(message.reason.splitlines()) == 4
    rule.save()
    change(running, "addresses", "id_customer", customer, city="Nantes")
    product = {"number": "PROTO-VASE", "name": "Vase", "price": 0}
    running.joined.erp.seed([product], [])
    assert mended(running, message)


def test_a_customer_whose_name_is_empty_stops_with_the_field_that_is_required(running):
    customer = running.joined.customer(lastname="")
    order = carried(running, running.joined.order(customer=customer))
    message = Message.objects.get(lane__entity="customers")
    assert stopped(message, "dead letter", "mapping", "lastname: is empty, and 'Last name' is required")
    change(running, "customers", "id", customer, lastname="Dvořák")
    assert mended(running, message)
    assert fresh(order).outcome == "done"


# ---- another record first ----


def test_an_order_waits_for_its_customer_and_goes_on_by_itself(running):
    order = running.joined.order()
    message = running.receive(order)
    customer = running.joined.shop_order(order)["id_customer"]
    running.work()
    assert stands_as(message) == ("finished", "done", "", 0)
    first = message.attempts.get(number=1)
    assert (first.ended_in, first.kind, first.reason) == ("waiting", "record", f"Waiting for customer {customer}.")
    assert not Problem.objects.exists()


def test_an_order_whose_customers_nobody_sends_says_which_flow_to_switch_on(running):
    Flow.objects.filter(name="customers").update(on=False)
    order = running.joined.order()
    message = carried(running, order)
    customer = running.joined.shop_order(order)["id_customer"]
    words = f"It needs customers {customer}, and no flow of this pair that is on sends customers. Switch one on."
    assert stopped(message, "dead letter", "record", words)
    flow = Flow.objects.get(name="customers")
    flow.on = True
    flow.save()
    problem = message.problem
    send_again(message)
    running.work()
    assert (fresh(message).outcome, fresh(problem).state) == ("done", "closed")
    assert running.exact(order)


# ---- on purpose ----


def test_a_skipped_order_names_its_rule_and_is_counted(running):
    running.flow.settings["paid_only"] = True
    running.flow.save()
    message = carried(running, running.joined.order(state=10))
    assert stands_as(message) == ("finished", "skipped", "", 0)
    assert message.reason == "Not paid yet: rule 'Paid only'."
    assert message.reference
    assert attempts(message) == [(1, "skipped", "")]
    assert not Problem.objects.exists()
    (counted,) = [one for one in sums() if one.flow == running.flow]
    assert (counted.received, counted.states["skipped"], counted.holds) == (1, 1, True)


def test_an_order_whose_totals_differ_is_held_until_it_is_corrected_in_the_shop(running):
    order = running.order()
    row = running.joined.shop_order(order)
    right = row["total_paid_tax_incl"]
    running.joined.shop.store.change("orders", row, total_paid_tax_incl="99.000000")
    message = carried(running, order)
    assert stopped(message, "held", "totals", "PrestaShop says 99.00 EUR, Dynamics 365 would say ")
    assert "Total paid against products + shipping + wrapping - discounts: 99.00 against" in message.reason
    assert "Correct the order in the shop and send it again." in message.reason
    assert running.standing(order) == []
    running.joined.shop.store.change("orders", row, total_paid_tax_incl=right)
    assert mended(running, message)
    assert running.exact(order)


def test_an_order_that_is_cancelled_after_it_was_sent_is_held_until_somebody_has_decided(running):
    order = running.order()
    carried(running, order)
    running.joined.shop.store.change("orders", running.joined.shop_order(order), current_state="6")
    message = carried(running, order)
    words = "Cancelled in the shop after it was sent. Cancel it in Dynamics 365, too, if it is not delivered yet."
    assert stopped(message, "held", "cancelled", words)
    running.joined.shop.store.change(
        "orders", running.joined.shop_order(order), current_state="3", date_upd="2099-01-01 10:00:00"
    )
    assert mended(running, message)


# ---- our own fault ----


def test_what_nobody_foresaw_is_our_fault_and_keeps_its_traceback(running):
    version = running.flow.current
    steps = version.steps
    version.steps = [{"kind": "conjure", "name": "Odd"}, *steps]
    version.save()
    running.flow.save()
    message = carried(running)
    assert stopped(message, "dead letter", "internal", "Our fault: nothing to correct in the data (KeyError).")
    assert message.detail.startswith("Traceback")
    assert "conjure" in message.detail
    version.steps = steps
    version.save()
    running.flow.save()
    assert mended(running, message)
