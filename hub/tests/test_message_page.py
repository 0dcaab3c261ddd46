"""Messages in the console: found, explained, mended."""

import pytest
from django.db.models import Q

from hub.models import AuditEntry, Batch, Block, Edit, Evidence, LookupTable, Message, Rule, UnmappedValue
from hub.tasks import due_chores
from hub.tests.console import console, text_of

pytestmark = pytest.mark.django_db
UNKNOWN = 10  # a product that the ERP does not know
LIST, DEAD = "/admin/hub/message/", "/admin/hub/deadletter/"


@pytest.fixture
def without_default(running):
    """A payment method that no table knows stops the order."""
    rule = Rule.objects.get(version__mapping__name="order", to="payment", kind=Rule.Kind.VALUE)
    rule.transform = [{"name": "lookup", "table": "payment_methods"}]
    rule.save()
    return running


def paid_by(running, module, **options):
    order = running.order(**options)
    running.joined.shop.store.tables["orders"][order]["module"] = module
    return order


def fresh(message):
    return Message.objects.get(pk=message.pk)


def stopped(running, order=None):
    message = running.receive(order or running.order([(UNKNOWN,)]))
    running.work()
    return fresh(message)


def test_a_message_page_says_what_became_of_an_order_and_leads_to_both_systems(running):
    order = running.order()
    message = running.receive(order)
    running.work()
    page = console("manager").get(f"{LIST}{message.pk}/change/")
    said = text_of(page)
    assert "Done" in said
    assert f"PS-{order}" in said
    assert "the ERP's total is the shop's" in said
    assert "Read back check" in said
    assert "main.aspx" in page.content.decode()  # the ERP's own screen


def test_the_stations_stand_side_by_side_and_what_differs_is_marked(running):
    message = running.receive(running.order())
    running.work()
    said = text_of(console("manager").get(f"{LIST}{message.pk}/change/"))
    for words in ("Came in", "Mapped", "Sent", "Answered", "FR invoice_address.country.iso_code France (changed)"):
        assert words in said
    assert "(differs)" not in said, said


def test_personal_data_is_masked_until_somebody_who_may_asks_and_that_is_written_down(running):
    message = running.receive(running.order())
    running.work()
    operator = console("operator")
    page = operator.get(f"{LIST}{message.pk}/change/").content.decode()
    for secret in ("Dvořák", "quai de la Fosse", "hana0@", "hana1@", "Dvo\\u0159"):
        assert secret not in page
    assert operator.post(f"{LIST}{message.pk}/in-clear/").status_code == 302
    assert "quai de la Fosse" in operator.get(f"{LIST}{message.pk}/change/").content.decode()
    (entry,) = AuditEntry.objects.filter(what="saw personal data")
    assert (entry.who.username, entry.pair) == ("operator", running.pair)
    assert str(message.pk) in entry.record


def test_a_manager_sees_no_personal_data_however_asked(running):
    message = running.receive(running.order())
    running.work()
    manager = console("manager")
    assert manager.post(f"{LIST}{message.pk}/in-clear/").status_code == 403
    assert "quai de la Fosse" not in manager.get(f"{LIST}{message.pk}/change/").content.decode()


@pytest.mark.parametrize("by", ["reference", "id", "number", "email", "beginning"])
def test_an_order_is_found_by_what_people_know(running, by):
    order, other = running.order(), running.order()
    for one in (order, other):
        running.receive(one)
    running.work()
    row = running.joined.shop_order(order)
    email = running.joined.shop.store.tables["customers"][int(row["id_customer"])]["email"]
    words = {
        "reference": row["reference"].lower(),
        "id": str(order),
        "number": f"PS-{order}",
        "email": f" {email.upper()}",
        "beginning": row["reference"][:6],
    }
    page = console("manager").get(LIST, {"q": words[by], "flow": running.flow.pk}).content.decode()
    assert row["reference"] in page
    assert running.joined.shop_order(other)["reference"] not in page


def test_an_email_is_kept_with_no_message(running):
    running.receive(running.order())
    running.work()
    kept = Message.objects.filter(
        Q(customer_digest__contains="@") | Q(number__contains="@") | Q(reference__contains="@")
    )
    assert not kept.exists()


def test_pages_of_a_list_follow_the_key_and_forget_nobody(running):
    for order in range(1, 131):
        running.receive(1000 + order)
    client = console("manager")
    seen, address = [], LIST
    while address:
        page = client.get(address)
        change_list = page.context["cl"]
        seen += [one.pk for one in change_list.result_list]
        address = LIST + change_list.older_url if change_list.older_url else ""
    assert seen == list(Message.objects.order_by("-pk").values_list("pk", flat=True))
    back = client.get(LIST + change_list.newer_url).context["cl"]
    assert [one.pk for one in back.result_list] == seen[50:100]


@pytest.mark.parametrize(
    "rubbish", ["below=x", "above=99999999999999999999", "below=-3", "state=nonsense", "flow=1%27"]
)
def test_rubbish_in_a_lists_address_harms_nothing(running, rubbish):
    assert console("manager").get(f"{LIST}?{rubbish}").status_code in (200, 302)


def test_a_list_of_many_costs_no_statement_a_row(running, django_assert_max_num_queries):
    for order in range(60):
        running.receive(1000 + order)
    client = console("manager")
    client.get(LIST)
    with django_assert_max_num_queries(16):
        client.get(LIST)


def test_one_entry_releases_every_order_that_waits_for_it(without_default):
    running = without_default
    orders = [paid_by(running, "alma") for _ in range(4)]
    messages = [stopped(running, one) for one in orders]
    assert {one.state for one in messages} == {Message.State.DEAD_LETTER}
    value = UnmappedValue.objects.get()
    operator = console("operator")
    page = text_of(operator.get(f"{LIST}{messages[0].pk}/change/"))
    assert "What is “alma” in the table “Payment methods”?" in page
    assert "Add entry and send 4 again" in page
    answer = operator.post(
        f"{LIST}{messages[0].pk}/add-entry/", {"value": value.pk, "ours": "Alma instalments"}, follow=True
    )
    assert "4 messages are on the way again" in text_of(answer)
    running.later()
    running.work()
    assert {fresh(one).outcome for one in messages} == {Message.Outcome.DONE}
    assert all(running.exact(one) for one in orders)
    value.refresh_from_db()
    assert value.closed_at
    assert not Block.objects.exists()


def test_a_message_that_two_values_stop_waits_for_both(without_default):
    running = without_default
    rule = Rule.objects.get(version__mapping__name="order", to="shippingmethodcode")
    rule.transform = [{"name": "lookup", "table": "carriers"}]
    rule.save()
    message = stopped(running, paid_by(running, "alma"))
    assert Block.objects.filter(message=message).count() == 2
    operator = console("operator")
    for number, value in enumerate(UnmappedValue.objects.order_by("pk")):
        assert fresh(message).state == Message.State.DEAD_LETTER, number
        ours = "1" if value.table.name == "carriers" else "Alma"
        operator.post(f"/admin/hub/unmappedvalue/{value.pk}/add-entry/", {"ours": ours})
    assert fresh(message).state == Message.State.WAITING


def test_an_unmapped_value_that_comes_again_without_entry_opens_again(without_default):
    running = without_default
    first = stopped(running, paid_by(running, "alma"))
    value = UnmappedValue.objects.get()
    console("operator").post(f"/admin/hub/unmappedvalue/{value.pk}/add-entry/", {"ours": "Alma"})
    running.later()
    running.work()
    assert fresh(first).outcome == Message.Outcome.DONE
    LookupTable.objects.get(name="payment_methods").entries.get(theirs="alma").delete()
    second = stopped(running, paid_by(running, "ALMA "))
    assert second.state == Message.State.DEAD_LETTER
    value.refresh_from_db()
    assert value.closed_at is None
    assert Block.objects.get().message == second


def test_an_empty_or_doubled_entry_is_refused_in_words(without_default):
    running = without_default
    stopped(running, paid_by(running, "alma"))
    value = UnmappedValue.objects.get()
    operator = console("operator")
    address = f"/admin/hub/unmappedvalue/{value.pk}/add-entry/"
    assert "Nothing was changed" in text_of(operator.post(address, {"ours": "  "}, follow=True))
    value.table.entries.create(theirs="Alma", ours="there already")
    answer = text_of(operator.post(address, {"ours": "Alma"}, follow=True))
    assert "is in 'Payment methods' already" in answer


LONG = "x" * 260


@pytest.fixture
def long_address(running):
    """An order whose address is longer than the ERP's field. Its customer is known already, with a shorter one."""
    order = running.order()
    row = running.joined.shop.store.tables["orders"][order]
    running.joined.shop.store.tables["addresses"][int(row["id_address_delivery"])]["address1"] = LONG
    message = stopped(running, order)
    assert "has 260 characters" in message.reason
    return message


def filled(client, message, **values):
    """The form as the page has it, with some values changed."""
    page = client.get(f"{LIST}{message.pk}/edit/")
    lines = [*page.context["first"], *page.context["filled"], *page.context["empty"]]
    return {one.name: one.typed for one in lines} | values


def test_an_address_is_edited_and_the_order_goes_through(running, long_address):
    operator = console("operator")
    page = text_of(operator.get(f"{LIST}{long_address.pk}/edit/"))
    assert "What needs you" in page
    assert "250 characters at most" in page
    short = "1 rue Courte"
    changed = {"order:shipto_line1": short, "order:billto_line1": short, "act": "send", "reason": "Customer phoned"}
    answer = operator.post(f"{LIST}{long_address.pk}/edit/", filled(operator, long_address, **changed), follow=True)
    assert "2 fields as you gave them" in text_of(answer)
    running.work()
    message = fresh(long_address)
    assert message.outcome == Message.Outcome.DONE
    (stands,) = running.standing(message.lane.key)
    assert stands["shipto_line1"] == short
    edit = Edit.objects.get()
    assert (edit.reason, edit.who.username) == ("Customer phoned", "operator")
    assert {one["before"] for one in edit.changes} == {LONG}
    assert running.exact(int(message.lane.key))


def test_an_edit_that_would_still_stop_is_told_beside_its_field_and_nothing_is_sent(running, long_address):
    operator = console("operator")
    changed = {"order:shipto_line1": "y" * 251, "act": "send", "reason": "Trying"}
    answer = operator.post(f"{LIST}{long_address.pk}/edit/", filled(operator, long_address, **changed))
    assert "Not sent: it would still stop" in text_of(answer)
    assert "y" * 251 in answer.content.decode()
    assert fresh(long_address).state == Message.State.DEAD_LETTER
    assert not Edit.objects.exists()


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("order:order_details[0].quantity", "two", "is not of the type"),
        ("order:freightamount", "5,75 €", "is not of the type"),
        ("order:willcall", "perhaps", "is not of the type"),
    ],
)
def test_what_is_no_value_of_a_field_is_said_beside_it(running, long_address, field, typed, words):
    operator = console("operator")
    answer = operator.post(
        f"{LIST}{long_address.pk}/edit/", filled(operator, long_address, **{field: typed, "act": "check"})
    )
    assert words in text_of(answer)


def test_an_edit_without_a_reason_is_not_sent(running, long_address):
    operator = console("operator")
    changed = {"order:shipto_line1": "short", "order:billto_line1": "short", "act": "send", "reason": " "}
    answer = operator.post(f"{LIST}{long_address.pk}/edit/", filled(operator, long_address, **changed))
    assert "Say why" in text_of(answer)
    assert fresh(long_address).state == Message.State.DEAD_LETTER


def test_an_edited_amount_does_not_slip_past_the_totals(running, long_address):
    operator = console("operator")
    changed = {
        "order:shipto_line1": "short",
        "order:billto_line1": "short",
        "order:freightamount": "1",
        "act": "send",
        "reason": "Cheaper",
    }
    answer = operator.post(f"{LIST}{long_address.pk}/edit/", filled(operator, long_address, **changed))
    assert "a difference of" in text_of(answer)
    assert fresh(long_address).state == Message.State.DEAD_LETTER


def test_a_message_is_skipped_with_a_reason_only(running):
    message = stopped(running)
    operator = console("operator")
    assert "Say why" in text_of(operator.post(f"{LIST}{message.pk}/skip/", {"reason": ""}, follow=True))
    assert fresh(message).state == Message.State.DEAD_LETTER
    operator.post(f"{LIST}{message.pk}/skip/", {"reason": "Entered by hand"})
    assert fresh(message).outcome == Message.Outcome.SKIPPED
    assert "Entered by hand" in fresh(message).reason


def test_two_people_who_decide_at_once_are_told_and_nothing_happens_twice(running):
    message = stopped(running)
    first, second = console("operator"), console("operator", name="otto")
    assert "on its way again" in text_of(first.post(f"{LIST}{message.pk}/send-again/", follow=True))
    assert "only a dead letter or a held message" in text_of(
        second.post(f"{LIST}{message.pk}/send-again/", follow=True)
    )
    assert AuditEntry.objects.filter(what="sent again").count() == 1


@pytest.mark.parametrize("act", ["send-again", "skip", "in-clear", "add-entry"])
def test_nothing_is_done_by_looking(running, act):
    message = stopped(running)
    assert console("operator").get(f"{LIST}{message.pk}/{act}/").status_code == 405
    assert fresh(message).state == Message.State.DEAD_LETTER


def run_batches():
    for chore in due_chores():
        if chore.func.__name__ == "work_on":
            chore()


def test_many_are_sent_again_in_a_batch_whose_progress_is_seen(running):
    messages = [stopped(running) for _ in range(3)]
    operator = console("operator")
    asked = operator.post(DEAD, {"action": "send_again_chosen", "_selected_action": [one.pk for one in messages[:2]]})
    assert "2 messages" in text_of(asked)
    sure = {"ids": ",".join(str(one.pk) for one in messages[:2]), "action": "send again", "sure": "yes"}
    page = operator.post("/admin/hub/message/many/", sure, follow=True)
    assert "0 of 2" in text_of(page)
    run_batches()
    assert "2 of 2 Finished 2 done" in text_of(operator.get(page.redirect_chain[-1][0]))
    assert [fresh(one).state for one in messages] == ["waiting", "waiting", "dead letter"]


def test_all_that_a_filter_finds_are_skipped_with_a_reason(running):
    messages = [stopped(running) for _ in range(3)]
    operator = console("operator")
    query = {"class": "mapping", "action": "skip"}
    assert "3 messages" in text_of(operator.get("/admin/hub/message/many/", query))
    operator.post("/admin/hub/message/many/", {**query, "sure": "yes", "reason": "Test orders"})
    run_batches()
    assert {fresh(one).outcome for one in messages} == {"skipped"}


def test_a_cancelled_batch_leaves_the_rest_as_it_is(running):
    messages = [stopped(running) for _ in range(2)]
    operator = console("operator")
    sure = {"ids": ",".join(str(one.pk) for one in messages), "action": "send again", "sure": "yes"}
    operator.post("/admin/hub/message/many/", sure)
    batch = Batch.objects.get()
    operator.post(f"/admin/hub/batch/{batch.pk}/cancel/")
    run_batches()
    assert {fresh(one).state for one in messages} == {"dead letter"}
    batch.refresh_from_db()
    assert batch.finished_at
    assert batch.cancelled_at


def test_a_batch_says_what_it_left_and_why(running):
    messages = [stopped(running) for _ in range(2)]
    operator = console("operator")
    sure = {"ids": ",".join(str(one.pk) for one in messages), "action": "send again", "sure": "yes"}
    operator.post("/admin/hub/message/many/", sure)
    operator.post(f"{LIST}{messages[0].pk}/skip/", {"reason": "By hand"})
    run_batches()
    said = text_of(operator.get(f"/admin/hub/batch/{Batch.objects.get().pk}/change/"))
    assert "1 done, 1 left as they were" in said
    assert "is skipped, and only a dead letter" in said


def test_evidence_that_was_tidied_away_is_said(running):
    message = running.receive(running.order())
    running.work()
    Evidence.objects.all().delete()
    assert "evidence was tidied away" in text_of(console("manager").get(f"{LIST}{message.pk}/change/"))
