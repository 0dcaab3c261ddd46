"""A state change that broke off, got lost or was overtaken is told truthfully and never taken back."""

from typing import Any

import httpx
import pytest

from connectors.errors import InDoubt, RecordRefused, TryLater
from connectors.prestashop.state_changes import StateInDoubt
from connectors.prestashop.tests.connector_shop import Shop
from connectors.sandbox import Fault


def shipped(order: str, **more: Any) -> dict[str, Any]:
    return {"id_order": int(order), "id_order_state": 4, **more}


def losing_the_look() -> list[Fault]:
    """The write is carried out, its answer is lost, and so is the look."""
    return [Fault("lost", method="POST"), Fault("status", method="GET", path=r"order_histories\?.*%3E", status=503)]


def test_a_state_without_its_history_row_is_written_and_says_so(shop: Shop):
    order = shop.order(7)
    shop.sandbox.break_after_state = 1

    written = shop.connect().write("order_histories", shipped(order))

    assert (written.changed, written.key) == (True, "")
    assert (written.record["id"], written.record["id_order"], written.record["id_order_state"]) == (None, 7, 4)
    assert (shop.row("orders", order)["current_state"], shop.histories(order)) == ("4", ["10"])


def test_an_order_that_staff_have_moved_on_meanwhile_stays_where_it_is(shop: Shop):
    order = shop.order(current_state=5)

    written = shop.connect().write("order_histories", shipped(order, from_state=2))

    assert (written.changed, written.record["id_order_state"], len(shop.sent("POST"))) == (False, 5, 0)
    assert shop.connect().write("order_histories", shipped(shop.order(current_state=2), from_state=2)).changed


def test_a_repeat_of_a_state_without_its_history_row_writes_nothing(shop: Shop):
    order = shop.order()
    shop.sandbox.break_after_state = 1
    shop.connect().write("order_histories", shipped(order))

    assert shop.connect().write("order_histories", shipped(order)).changed is False
    assert len(shop.sent("POST")) == 1


def test_a_state_whose_mail_cannot_have_left_is_in_doubt_until_the_repeat_mails(shop: Shop):
    order = shop.order(7)
    shop.sandbox.break_after_state = 1

    with pytest.raises(StateInDoubt, match=r"orders/7 stands in state 4.* before it mailed its customer") as caught:
        shop.connect().write("order_histories", shipped(order, send_email=True))
    assert shop.sandbox.mails == []

    after = caught.value.after_history
    written = shop.connect().write("order_histories", shipped(order, send_email=True, after_history=after))
    assert written.changed
    assert [mail["order"] for mail in shop.sandbox.mails] == [order]
    assert shop.histories(order) == ["10", "4"]


def test_a_lost_answer_while_the_shop_may_still_be_at_it_is_in_doubt(shop: Shop):
    order = shop.order(7)
    shop.sandbox.break_after_state = 1

    def gateway(request: httpx.Request, answer: httpx.Response) -> httpx.Response | None:
        return httpx.Response(504) if request.method == "POST" else None

    with pytest.raises(StateInDoubt, match="orders/7 stands in state 4"):
        shop.connect(gateway).write("order_histories", shipped(order))


def test_a_shop_that_failed_before_it_began_is_tried_later_with_the_state_that_stands(shop: Shop):
    order = shop.order(7)
    shop.sandbox.faults = [Fault("error_before", method="POST")]

    with pytest.raises(TryLater, match=r"the order still stands in state 10\."):
        shop.connect().write("order_histories", shipped(order))


@pytest.mark.parametrize(("stands", "rows"), [(6, [6]), (6, []), (10, [6, 10])])
def test_a_failure_during_which_somebody_changed_the_order_is_no_certain_failure(
    shop: Shop, stands: int, rows: list[int]
):
    order = shop.order(7)
    shop.sandbox.faults = [Fault("error_before", method="POST")]

    def staff_change_it(request: httpx.Request, answer: httpx.Response) -> None:
        if request.method == "POST":
            shop.change("orders", order, current_state=stands)
            for state in rows:
                shop.history(order, state)

    with pytest.raises(StateInDoubt, match="somebody else has changed the order"):
        shop.connect(staff_change_it).write("order_histories", shipped(order))


def test_a_repeat_does_not_turn_back_an_order_that_staff_moved_on(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = losing_the_look()
    with pytest.raises(StateInDoubt) as caught:
        shop.connect().write("order_histories", shipped(order, send_email=True))
    after = caught.value.after_history
    shop.connect().write("order_histories", {"id_order": order, "id_order_state": 5})

    repeat = shop.connect().write("order_histories", shipped(order, send_email=True, after_history=after))

    assert (repeat.changed, repeat.record["id_order_state"], repeat.record["after_history"]) == (False, 4, after)
    assert shop.row("orders", order)["current_state"] == "5"
    assert shop.histories(order) == ["10", "4", "5"]
    assert len(shop.sandbox.mails) == 1


def test_a_repeat_of_what_never_arrived_writes_it(shop: Shop):
    order = shop.order(current_state=4)
    shop.connect().write("order_histories", {"id_order": order, "id_order_state": 6})
    shop.sandbox.faults = [Fault("refused", method="POST")]
    with pytest.raises(StateInDoubt) as caught:
        shop.connect().write("order_histories", shipped(order))

    repeat = shop.connect().write("order_histories", shipped(order, after_history=caught.value.after_history))

    assert repeat.changed
    assert shop.histories(order) == ["4", "6", "4"]


def test_a_second_doubt_keeps_the_number_of_the_first(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = [Fault("refused", method="POST")]
    with pytest.raises(InDoubt):
        shop.connect().write("order_histories", shipped(order))
    first = int(shop.store.find("order_histories", id_order=order)[-1]["id"])
    shop.history(order, 2)
    shop.sandbox.faults = [Fault("refused", method="POST")]

    with pytest.raises(StateInDoubt) as caught:
        shop.connect().write("order_histories", shipped(order, after_history=first))
    assert caught.value.after_history == first


def test_an_order_without_any_history_starts_from_zero(shop: Shop):
    order = shop.order()
    for row in shop.store.find("order_histories", id_order=order):
        shop.store.delete("order_histories", int(row["id"]))

    written = shop.connect().write("order_histories", shipped(order, after_history=0))

    assert written.changed
    assert written.record["after_history"] == 0


def test_a_newest_change_that_the_order_has_left_again_is_not_taken_for_its_state(shop: Shop):
    """A module may move an order without adding to its history."""
    order = shop.order(current_state=4)
    shop.change("orders", order, current_state=6)

    assert shop.connect().write("order_histories", shipped(order)).changed
    assert shop.row("orders", order)["current_state"] == "4"


def test_an_order_that_stands_in_the_state_without_history_is_left_alone_unless_it_is_to_mail(shop: Shop):
    order = shop.order()
    shop.change("orders", order, current_state=4)

    assert shop.connect().write("order_histories", shipped(order)).changed is False
    assert shop.sent("POST") == []
    assert shop.connect().write("order_histories", shipped(order, send_email=True)).changed is True


@pytest.mark.parametrize("number", [True, -1, "x", "1.5", "٣", "", [1]])
def test_a_number_that_no_try_gave_is_refused(shop: Shop, number: Any):
    with pytest.raises(RecordRefused) as caught:
        shop.connect().write("order_histories", shipped(shop.order(), after_history=number))
    assert caught.value.field == "after_history"
    assert shop.calls == []
