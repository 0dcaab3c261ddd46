"""States and notes are written back once, and every answer that leaves it open is settled by a look."""

from typing import Any

import httpx
import pytest

from connectors.errors import InDoubt, NeedsPerson, NotFound, RecordRefused, SignInRefused, TryLater
from connectors.prestashop.tests.connector_shop import Shop
from connectors.sandbox import Fault

ADMIN = "https://shop.example/admin1"


def shipped(order: str, **more: Any) -> dict[str, Any]:
    return {"id_order": int(order), "id_order_state": 4, **more}


def test_a_state_is_set_and_read_back(shop: Shop):
    order = shop.order(44)

    written = shop.connect(admin_address=ADMIN).write("order_histories", shipped(order))

    assert written.changed
    assert written.link == f"{ADMIN}/index.php/sell/orders/44/view"
    assert (written.record["id_order"], written.record["id_order_state"]) == (44, 4)
    assert shop.row("order_histories", written.key)["id_order_state"] == "4"
    assert shop.row("orders", order)["current_state"] == "4"


def test_a_repeat_finds_the_state_and_writes_nothing(shop: Shop):
    order = shop.order()
    prestashop = shop.connect()
    first = prestashop.write("order_histories", shipped(order), idempotency_key="a")
    second = prestashop.write("order_histories", shipped(order), idempotency_key="a")

    assert (second.changed, second.key) == (False, first.key)
    assert shop.histories(order) == ["10", "4"]


def test_a_state_that_the_order_had_before_is_set_again(shop: Shop):
    order = shop.order()
    for state in (4, 6, 4):
        shop.connect().write("order_histories", {"id_order": order, "id_order_state": state})

    assert shop.histories(order) == ["10", "4", "6", "4"]


def test_the_customer_is_mailed_only_when_asked(shop: Shop):
    quiet, loud = shop.order(), shop.order()
    shop.connect().write("order_histories", shipped(quiet))
    assert shop.sandbox.mails == []

    shop.connect().write("order_histories", shipped(loud, send_email=True, id_employee=1))

    assert [mail["order"] for mail in shop.sandbox.mails] == [loud]
    assert shop.store.find("order_histories", id_order=loud)[-1]["id_employee"] == "1"


@pytest.mark.parametrize("status", [500, 599])
def test_a_500_after_the_save_is_a_success_once_the_look_shows_it(shop: Shop, status: int):
    order = shop.order()
    shop.sandbox.faults = [Fault("error_after", method="POST", status=status)]

    assert shop.connect().write("order_histories", shipped(order)).changed
    assert shop.histories(order) == ["10", "4"]


def test_a_lost_answer_is_a_success_once_the_look_shows_it(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = [Fault("lost", method="POST")]

    assert shop.connect().write("order_histories", shipped(order)).changed
    assert shop.histories(order) == ["10", "4"]


@pytest.mark.parametrize("status", [500, 599])
def test_a_500_before_the_save_is_tried_later(shop: Shop, status: int):
    order = shop.order(7)
    shop.sandbox.faults = [Fault("error_before", method="POST", status=status)]

    with pytest.raises(TryLater, match="orders/7: the shop failed before it stored state 4") as caught:
        shop.connect().write("order_histories", shipped(order))
    assert not caught.value.outage
    assert shop.histories(order) == ["10"]


def test_an_older_change_to_the_same_state_is_not_taken_for_ours(shop: Shop):
    order = shop.order(current_state=4)
    shop.connect().write("order_histories", {"id_order": order, "id_order_state": 6})
    shop.sandbox.faults = [Fault("error_before", method="POST")]

    with pytest.raises(TryLater):
        shop.connect().write("order_histories", shipped(order))
    assert shop.histories(order) == ["4", "6"]


def test_a_dropped_connection_that_shows_nothing_stays_in_doubt(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = [Fault("refused", method="POST")]

    with pytest.raises(InDoubt, match="does not show it so far"):
        shop.connect().write("order_histories", shipped(order))


def test_a_gateway_that_gave_up_leaves_the_write_in_doubt(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = [Fault("status", method="POST", status=504)]

    with pytest.raises(InDoubt):
        shop.connect().write("order_histories", shipped(order))


def test_a_look_that_fails_as_well_leaves_the_write_in_doubt(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = [
        Fault("error_after", method="POST"),
        Fault("status", method="GET", path=r"order_histories\?.*%3E", status=503),
    ]

    with pytest.raises(InDoubt, match="Reading it back failed"):
        shop.connect().write("order_histories", shipped(order))
    assert shop.connect().write("order_histories", shipped(order)).changed is False


def test_a_busy_shop_is_asked_again_no_sooner_than_it_says(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = [Fault("status", method="POST", status=429, retry_after=120)]

    with pytest.raises(TryLater) as caught:
        shop.connect().write("order_histories", shipped(order))
    assert caught.value.after is not None
    assert (caught.value.after - shop.clock.now).total_seconds() == 120
    assert caught.value.outage


def test_a_change_by_staff_meanwhile_does_not_hide_ours(shop: Shop):
    order = shop.order()

    def staff_cancels(request: httpx.Request, answer: httpx.Response) -> None:
        if request.method == "POST":
            shop.history(order, 6)

    assert shop.connect(staff_cancels).write("order_histories", shipped(order)).record["id_order_state"] == 4


def test_a_success_that_kept_another_state_is_refused_by_name(shop: Shop):
    order = shop.order()

    def a_module_changes_it(request: httpx.Request, answer: httpx.Response) -> None:
        if request.method == "POST":
            shop.store.change("order_histories", shop.store.find("order_histories")[-1], id_order_state="6")

    with pytest.raises(RecordRefused) as caught:
        shop.connect(a_module_changes_it).write("order_histories", shipped(order))
    assert caught.value.field == "id_order_state"


def test_an_answer_cut_off_after_the_save_is_settled_by_a_look(shop: Shop):
    order = shop.order()

    def cut(request: httpx.Request, answer: httpx.Response) -> bytes | None:
        return answer.content[:80] if request.method == "POST" else None

    assert shop.connect(cut).write("order_histories", shipped(order)).changed
    assert shop.histories(order) == ["10", "4"]


def test_an_unknown_order_or_state_is_said_in_words_before_anything_is_sent(shop: Shop):
    order = shop.order()
    with pytest.raises(NotFound, match="orders/999"):
        shop.connect().write("order_histories", shipped("999"))
    with pytest.raises(RecordRefused, match="no order state 99"):
        shop.connect().write("order_histories", {"id_order": order, "id_order_state": 99})
    with pytest.raises(RecordRefused, match="never completed"):
        shop.connect().write("order_histories", shipped(shop.order(current_state=0)))
    assert shop.sent("POST") == []


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"id_order": 1}, "id_order_state"),
        ({"id_order_state": 4}, "id_order"),
        ({"id_order": "1 or 2", "id_order_state": 4}, "id_order"),
        ({"id_order": True, "id_order_state": 4}, "id_order"),
        ({"id_order": 1, "id_order_state": 4, "send_email": "no"}, "send_email"),
        ({"id_order": 1, "id_order_state": 4, "date_add": None}, "date_add"),
        ({"id_order": 1, "id_order_state": 4, "id_employee": "x"}, "id_employee"),
    ],
)
def test_a_state_change_with_a_wrong_field_names_it(shop: Shop, record: dict[str, Any], field: str):
    with pytest.raises(RecordRefused) as caught:
        shop.connect().write("order_histories", record)
    assert caught.value.field == field


def test_a_note_is_patched_alone_and_read_back(shop: Shop):
    order = shop.order(invoice_number=12)
    before = shop.row("orders", order)

    written = shop.connect().write("orders", {"note": "SO-1001 <&> 東京"}, order)

    after = shop.row("orders", order)
    assert written.changed
    assert written.record["note"] == after["note"] == "SO-1001 <&> 東京"
    assert {name for name in after if after[name] != before[name]} <= {"note", "date_upd"}
    (call,) = shop.sent("PATCH")
    sent = f"<prestashop><order><id>{order}</id><note>SO-1001 &lt;&amp;&gt; 東京</note></order></prestashop>"
    assert call.request_body.decode().endswith(sent)
    assert shop.sent("PUT") == []


def test_a_repeated_note_writes_nothing(shop: Shop):
    order = shop.order(note="ERP SO-1001\nsecond line")

    written = shop.connect().write("orders", {"note": "ERP SO-1001\r\nsecond line "}, order)

    assert not written.changed
    assert shop.sent("PATCH") == []


@pytest.mark.parametrize("kind", ["error_after", "lost"])
def test_a_note_that_was_saved_in_spite_of_a_failure_is_a_success(shop: Shop, kind: Any):
    order = shop.order()
    shop.sandbox.faults = [Fault(kind, method="PATCH")]

    assert shop.connect().write("orders", {"note": "ERP 1"}, order).changed


def test_a_note_that_was_not_saved_is_tried_later(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = [Fault("error_before", method="PATCH")]

    with pytest.raises(TryLater, match="before it stored the note"):
        shop.connect().write("orders", {"note": "ERP 1"}, order)


EMPTY = b"<br />\n<b>Warning</b>: x<br />\n<?xml version='1.0'?><prestashop>%s</prestashop>"


@pytest.mark.parametrize("inner", [b"", b"<orders></orders>", b"<order><id>99</id></order>", b"<order/>"])
def test_a_success_that_holds_no_record_is_settled_by_a_look(shop: Shop, inner: bytes):
    done, lost = shop.order(1), shop.order(2)

    def answers(request: httpx.Request, answer: httpx.Response) -> bytes | None:
        return EMPTY % inner if request.method == "PATCH" else None

    def forgets(request: httpx.Request, answer: httpx.Response) -> bytes | None:
        if request.method == "PATCH":
            shop.change("orders", lost, note="")
        return answers(request, answer)

    assert shop.connect(answers).write("orders", {"note": "ERP 1"}, done).changed
    with pytest.raises(TryLater, match="orders/2: the shop failed before it stored the note"):
        shop.connect(forgets).write("orders", {"note": "ERP 1"}, lost)


def test_a_printed_warning_instead_of_an_answer_to_a_note_is_tried_later(shop: Shop):
    order = shop.order()
    shop.sandbox.faults = [Fault("malformed", method="PATCH")]

    with pytest.raises(TryLater, match="before it stored the note"):
        shop.connect().write("orders", {"note": "ERP 1"}, order)


def test_a_note_that_the_shop_changes_is_refused_by_name(shop: Shop):
    order = shop.order()

    def strip_html(request: httpx.Request, answer: httpx.Response) -> None:
        if request.method == "PATCH":
            shop.change("orders", order, note="bold")

    with pytest.raises(RecordRefused) as caught:
        shop.connect(strip_html).write("orders", {"note": "<b>bold</b>"}, order)
    assert caught.value.field == "note"


def test_a_note_with_a_control_character_is_refused_before_it_is_sent(shop: Shop):
    with pytest.raises(RecordRefused, match="control character"):
        shop.connect().write("orders", {"note": "a\x0bb"}, shop.order())


def test_before_8_0_a_note_needs_a_person(shop: Shop):
    version = next(one for one in shop.store.find("configurations") if one["name"] == "PS_VERSION_DB")
    shop.store.change("configurations", version, value="1.7.8.11")

    with pytest.raises(NeedsPerson, match=r"PrestaShop 1.7.8.11 cannot change a note") as caught:
        shop.connect().write("orders", {"note": "x"}, shop.order())
    assert "8.0" in caught.value.hint
    assert shop.sent("PATCH") == shop.sent("PUT") == []


def test_a_key_without_patch_is_told_which_right_is_missing(shop: Shop):
    key = next(one.key for one in shop.sandbox.keys if "PATCH" not in one.methods and "POST" in one.methods)

    with pytest.raises(SignInRefused, match="may not PATCH orders") as caught:
        shop.connect(key=key).write("orders", {"note": "x"}, shop.order())
    assert "tick PATCH in the row orders" in caught.value.hint


@pytest.mark.parametrize(
    ("entity", "record", "key"),
    [
        ("orders", {"note": "x"}, None),
        ("orders", {"current_state": 4}, "1"),
        ("orders", {"note": None}, "1"),
        ("order_histories", {"id_order_state": 4}, "1"),
        ("customers", {"note": "x"}, "1"),
        ("products", {"price": 1}, None),
        ("nonsense", {}, "1"),
    ],
)
def test_everything_else_cannot_be_written(shop: Shop, entity: str, record: dict[str, Any], key: str | None):
    shop.order(1)
    with pytest.raises(NeedsPerson):
        shop.connect().write(entity, record, key)
    assert not [call for call in shop.calls if call.method != "GET"]
