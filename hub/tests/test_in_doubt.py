"""A write whose answer was lost, and a shop that could not be told: nothing is sent twice, and nothing is forgotten."""

import pytest

from connectors.prestashop.sandbox import rights
from connectors.sandbox import Fault
from hub.again import send_again
from hub.models import CrossReference, Message
from hub.pausing import resume
from hub.tests.seeing import attempts, back, fresh, new_secret, stands_as, watched

pytestmark = pytest.mark.django_db
ORDERS, HISTORIES, NOTES = "/salesorders$", "^/api/order_histories", "^/api/orders/"


@pytest.mark.parametrize("kind", ["lost", "error_after", "refused"])
def test_a_lost_answer_is_asked_about_at_once_and_what_did_not_arrive_is_sent_again(running, kind):
    order = running.order()
    message = running.receive(order)
    writes = watched(running.joined.erp)
    running.joined.erp.faults = [Fault(kind, method="POST", path=ORDERS)]
    running.work()
    assert stands_as(message) == ("finished", "done", "", 0)
    (written,) = writes.to("/salesorders")
    assert message.target_key.encode() in written.body
    assert running.exact(order)
    assert CrossReference.objects.filter(source_key=str(order), target_entity="salesorder").count() == 1


@pytest.mark.parametrize("arrived", ["lost", "refused"])
def test_an_answer_that_was_lost_by_an_erp_that_is_away_then_leaves_the_message_in_doubt(running, arrived):
    order = running.order()
    message = running.receive(order)
    writes = watched(running.joined.erp)
    running.joined.erp.faults = [
        Fault(arrived, method="POST", path=ORDERS),
        Fault("refused", path=ORDERS[:-1], times=-1),
    ]
    running.work()
    assert stands_as(message) == ("in doubt", "", "in doubt", 1)
    assert message.reason.startswith("Dynamics 365 was sent a write and its answer was lost: ")
    assert "Whether it arrived could not be asked: Dynamics 365 gave no complete answer" in message.reason
    assert (message.problem, attempts(message)) == (None, [(1, "in doubt", "in doubt")])
    assert message.not_before is not None
    newer = running.receive(order, "newer")
    running.work()
    assert (fresh(message).state, stands_as(newer)) == ("in doubt", ("waiting", "", "", 0))
    back(running)
    assert (fresh(message).outcome, message.reason) == ("done", "")
    (written,) = writes.to("/salesorders")
    assert message.target_key.encode() in written.body
    running.work()
    assert fresh(newer).outcome in ("done", "skipped")
    assert running.exact(order)


def test_an_order_in_doubt_outlives_a_long_outage(running):
    order = running.order()
    message = running.receive(order)
    running.joined.erp.faults = [
        Fault("lost", method="POST", path=ORDERS),
        Fault("refused", times=-1, path="/api/data/"),
    ]
    for _ in range(15):
        running.work()
        running.later()
    assert fresh(message).state in ("in doubt", "waiting")
    back(running)
    assert fresh(message).outcome == "done"
    assert running.exact(order)


# ---- not reported back ----


@pytest.mark.parametrize(("method", "path"), [("POST", HISTORIES), ("PATCH", NOTES)])
def test_a_shop_that_is_away_after_the_write_is_told_later_and_nothing_is_sent_again(running, method, path):
    order = running.order()
    message = running.receive(order)
    running.joined.shop.faults = [Fault("status", method=method, path=path, status=429, retry_after=600)]
    running.work()
    assert stands_as(message) == ("waiting", "", "not reported back", 0)
    assert message.reason.startswith(f"In Dynamics 365 as PS-{order}, not reported back to PrestaShop: ")
    assert message.target_key == running.standing(order)[0]["salesorderid"]
    assert message.target_link.endswith(message.target_key)
    assert message.problem is None
    writes = watched(running.joined.erp)
    back(running)
    assert (fresh(message).outcome, writes.seen) == ("done", [])
    assert running.joined.shop_order(order)["note"] == f"Dynamics 365: PS-{order}"
    assert running.joined.shop_order(order)["current_state"] == "3"


def test_a_key_that_may_not_write_a_note_pauses_the_shop_and_the_words_say_where_the_order_stands(running):
    order = running.order()
    message = running.receive(order)
    new_secret(running.shop, "key", rights.WITHOUT_PATCH.key)
    running.work()
    assert stands_as(message) == ("waiting", "", "sign-in", 0)
    assert message.reason.startswith(
        f"In Dynamics 365 as PS-{order}, not reported back to PrestaShop: The webservice key may not PATCH orders."
    )
    running.shop.refresh_from_db()
    running.erp.refresh_from_db()
    assert (running.shop.paused, running.erp.paused) == (True, False)
    writes = watched(running.joined.erp)
    new_secret(running.shop, "key", rights.FULL.key)
    resume(running.shop)
    running.work()
    assert (fresh(message).outcome, writes.seen) == ("done", [])


def test_a_note_that_the_shop_refuses_for_good_is_a_dead_letter_that_is_sent_again_when_the_shop_can(running):
    (version,) = running.joined.shop.store.find("configurations", name="PS_VERSION_DB")
    running.joined.shop.store.change("configurations", version, value="1.7.8.11")
    order = running.order()
    message = running.receive(order)
    running.work()
    assert stands_as(message) == ("dead letter", "", "not reported back", 0)
    assert message.reason.startswith(
        f"In Dynamics 365 as PS-{order}, not reported back to PrestaShop: orders/{order}: "
    )
    assert "switch off the step that writes the note" in message.reason
    problem = message.problem
    assert (problem.kind, problem.state) == ("not reported back", "open")
    running.joined.shop.store.change("configurations", version, value="8.2.1")
    writes = watched(running.joined.erp)
    send_again(message)
    running.work()
    assert (fresh(message).outcome, writes.seen, fresh(problem).state) == ("done", [], "closed")
    assert running.joined.shop_order(order)["note"] == f"Dynamics 365: PS-{order}"
    assert Message.objects.exclude(state="finished").count() == 0
