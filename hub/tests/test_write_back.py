"""The shop is told what became of its order, once: the ERP's number and a state."""

from dataclasses import replace

import pytest

from connectors.sandbox import Fault
from hub.tests.joined import Joined
from mappings.transforms import LookupTable

NOTES, HISTORIES = r"^/api/orders/", r"^/api/order_histories"


@pytest.fixture
def joined():
    return Joined()


def told(joined, *methods):
    """The calls by which the shop was told something."""
    return [one for one in joined.calls if one.method in (methods or ("POST", "PATCH")) and "/api/order" in one.url]


def sent(joined):
    """The calls that wrote something to the ERP."""
    return [one for one in joined.calls if "/api/data/" in one.url and one.method != "GET"]


def saved(joined, order, at="2026-03-04 10:16:00", **values):
    """Somebody saves the order in the shop, a quarter past ten in Paris."""
    joined.shop.store.change("orders", joined.shop_order(order), date_upd=at, **values)


def states(joined, order):
    return [one["id_order_state"] for one in joined.shop.store.find("order_histories", id_order=str(order))]


def test_number_and_state_are_told_once_however_often_the_order_is_sent(joined):
    order = joined.order(note="Ring twice.")
    mails = len(joined.shop.store.mails)
    for _ in range(3):
        assert joined.carry(order)[0].state == "done"
    assert joined.shop_order(order)["note"] == f"Ring twice.\nDynamics 365: PS-{order}"
    assert joined.shop_order(order)["current_state"] == "3"
    assert states(joined, order) == ["2", "3"]
    assert len(told(joined)) == 2
    assert len(joined.shop.store.mails) == mails


def test_a_state_that_is_in_no_table_is_left_as_it_is(joined):
    for state in (10, 4, 5, 3):
        order = joined.order(state=state)
        assert joined.carry(order)[0].state == "done"
        assert states(joined, order) == [str(state)]
        assert joined.shop_order(order)["note"]


@pytest.mark.parametrize(("off", "note", "state"), [("report_number", False, "3"), ("report_state", True, "2")])
def test_each_can_be_switched_off(off, note, state):
    joined = Joined({off: False})
    order = joined.order()
    assert joined.carry(order)[0].state == "done"
    assert (bool(joined.shop_order(order)["note"]), joined.shop_order(order)["current_state"]) == (note, state)


def test_an_order_that_is_held_or_stopped_tells_the_shop_nothing(joined):
    order = joined.order([(10,)])
    assert joined.carry(order)[0].state == "dead letter"
    assert told(joined) == []


def test_our_own_change_is_no_reason_to_send_the_order_again(joined):
    order = joined.order()
    joined.carry(order)
    joined.calls.clear()
    outcome, _ = joined.walk(order, by_person=False)
    assert (outcome.state, outcome.written) == ("skipped", None)
    assert outcome.reason == "Nothing has changed but what we reported to the shop: rule 'Our own change'."
    assert sent(joined) == told(joined) == []


def test_what_somebody_else_changes_later_or_in_what_is_sent_is_no_echo(joined):
    order = joined.order()
    joined.carry(order)
    saved(joined, order)
    assert joined.walk(order, by_person=False)[0].reason == "Already there."
    other = joined.order()
    joined.carry(other)
    joined.shop.store.change("orders", joined.shop_order(other), gift="1", gift_message="Bonne fête !")
    assert joined.walk(other, by_person=False)[0].reason == "Already there."
    assert joined.walk(order)[0].reason == "Already there."


def test_an_order_that_was_cancelled_just_before_we_reported_is_held(joined):
    order = joined.order(state=10)
    joined.carry(order)
    saved(joined, order, at="2026-03-04 10:15:00", current_state="6")
    outcome, _ = joined.walk(order, by_person=False)
    assert (outcome.state, outcome.kind) == ("held", "cancelled")


def test_an_order_that_was_paid_just_before_we_reported_gets_its_state(joined):
    order = joined.order(state=10)
    joined.carry(order)
    saved(joined, order, at="2026-03-04 10:15:00", current_state="2")
    outcome, _ = joined.walk(order, by_person=False)
    assert (outcome.state, outcome.reason) == ("done", "Already there.")
    assert joined.shop_order(order)["current_state"] == "3"


@pytest.mark.parametrize(("method", "path"), [("PATCH", NOTES), ("POST", HISTORIES)])
def test_a_shop_that_is_away_after_the_write_is_told_later_and_the_erp_is_left_alone(joined, method, path):
    order = joined.order()
    joined.carry_customer(joined.shop_order(order)["id_customer"])
    joined.shop.faults = [Fault("status", method=method, path=path, status=429, retry_after=60)]
    outcome, work = joined.walk(order)
    assert (outcome.state, outcome.kind, outcome.side) == ("waiting", "not reported back", "source")
    assert outcome.reason.startswith(f"In Dynamics 365 as PS-{order}, not reported back to PrestaShop: ")
    assert (outcome.written.key, outcome.written.changed) == (joined.standing(order)[0]["salesorderid"], True)
    joined.calls.clear()
    outcome, _ = joined.walk(order, marks=work.keeper.marks)
    assert (outcome.state, outcome.reason, outcome.written.changed) == ("done", "", True)
    assert sent(joined) == []
    assert joined.shop_order(order)["note"] == f"Dynamics 365: PS-{order}"
    assert states(joined, order) == ["2", "3"]


def test_a_note_that_the_shop_refuses_says_where_the_order_stands_and_what_to_do(joined):
    (version,) = joined.shop.store.find("configurations", name="PS_VERSION_DB")
    joined.shop.store.change("configurations", version, value="1.7.8.11")
    order = joined.order()
    outcome, stands = joined.carry(order)
    assert (outcome.state, outcome.kind) == ("dead letter", "not reported back")
    assert outcome.reason.startswith(
        f"In Dynamics 365 as PS-{order}, not reported back to PrestaShop: orders/{order}: "
    )
    assert "switch off the step that writes the note" in outcome.reason
    assert outcome.written.key == stands["salesorderid"]
    assert joined.shop_order(order)["current_state"] == "3"


def test_a_walk_that_begins_behind_the_write_tells_the_shop_and_writes_nothing_again(joined):
    order = joined.order(customer=joined.customer(company="Bonnefoy SARL"))
    joined.carry_customer(joined.shop_order(order)["id_customer"])
    joined.shop.faults = [Fault("refused", method="POST", path=HISTORIES, times=-1)]
    _, work = joined.walk(order)
    joined.shop.faults = []
    marks = work.keeper.marks
    assert {"Account", "Order"} < set(marks)
    joined.calls.clear()
    outcome, work = joined.walk(order, marks=marks)
    assert outcome.state == "done"
    assert sent(joined) == []
    assert [one["name"] for one in work.seconds] == ["Read back", "State to the shop", "Number to the shop"]
    joined.calls.clear()
    assert joined.walk(order, marks=work.keeper.marks)[0].state == "done"
    assert sent(joined) == told(joined) == []


def test_a_state_in_doubt_is_recognised_and_not_written_over_what_staff_did_since(joined):
    """The state that we report has the same kind as the one before, so that only its place in the history tells."""
    table = LookupTable("reported_states", "States reported to the shop", {"paid": 11})
    joined.flow = replace(joined.flow, tables={**joined.flow.tables, "reported_states": table})
    order = joined.order()
    joined.carry_customer(joined.shop_order(order)["id_customer"])
    after = max(joined.shop.store.tables["order_histories"])
    joined.shop.faults = [
        Fault("lost", method="POST", path=HISTORIES),
        Fault("refused", method="GET", path=HISTORIES, every=2),
    ]
    outcome, work = joined.walk(order)
    assert (outcome.state, outcome.kind) == ("in doubt", "not reported back")
    assert work.keeper.marks["State to the shop, in doubt"] == {"after_history": after}
    joined.shop.store.change("orders", joined.shop_order(order), current_state="2")
    outcome, _ = joined.walk(order, marks=work.keeper.marks)
    assert outcome.state == "done"
    assert joined.shop_order(order)["current_state"] == "2"
    assert states(joined, order) == ["2", "11"]


def test_a_state_that_did_not_arrive_is_written_again(joined):
    order = joined.order()
    joined.carry_customer(joined.shop_order(order)["id_customer"])
    joined.shop.faults = [Fault("refused", method="POST", path=HISTORIES)]
    outcome, work = joined.walk(order)
    assert outcome.state == "in doubt"
    assert joined.walk(order, marks=work.keeper.marks)[0].state == "done"
    assert states(joined, order) == ["2", "3"]


def test_a_state_that_the_shop_does_not_have_names_the_table(joined):
    table = LookupTable("reported_states", "States reported to the shop", {"paid": 99})
    joined.flow = replace(joined.flow, tables={**joined.flow.tables, "reported_states": table})
    outcome, _ = joined.carry(joined.order())
    assert (outcome.state, outcome.kind) == ("dead letter", "not reported back")
    assert "the shop has no order state 99. Correct the lookup table of order states." in outcome.reason


def test_a_rule_of_a_write_back_that_cannot_be_filled_is_a_problem_of_the_mapping(joined):
    steps = [
        {**one, "record": [{"to": "note", "from": "no.such"}]} if "key" in one else one for one in joined.flow.steps
    ]
    joined.flow = replace(joined.flow, steps=tuple(steps))
    outcome, _ = joined.carry(joined.order())
    assert (outcome.state, outcome.kind) == ("dead letter", "not reported back")
    assert "no field 'no.such'" in outcome.reason
