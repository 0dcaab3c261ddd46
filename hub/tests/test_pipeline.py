"""What becomes of an order on its way, whatever happens: each class of error, with its words."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from connectors.sandbox import Fault
from hub.pipeline import process
from hub.tests.joined import Joined


@pytest.fixture
def joined():
    return Joined()


def writes(joined, part="/salesorders"):
    return [one for one in joined.calls if one.method == "POST" and one.url.endswith(part)]


def test_an_order_sent_again_stands_once(joined):
    order = joined.order()
    first, _ = joined.carry(order)
    second, _ = joined.carry(order)
    assert (first.written.key, first.written.changed) == (second.written.key, True)
    assert (second.state, second.reason, second.written.changed) == ("done", "Already there", False)
    assert len(joined.standing(order)) == 1


@pytest.mark.parametrize("mode", ["deep insert", "batch"])
def test_an_order_sent_by_several_at_once_stands_once(mode):
    joined = Joined(erp_settings={"order_write": mode})
    order = joined.order()
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: process(joined.flow, joined.pair, str(order))[0], range(4)))
    assert [one.state for one in outcomes] == ["done"] * 4
    assert len(joined.standing(order)) == 1
    assert len(joined.pair.target.find("contact", lastname="Dvořák")) == 1


@pytest.mark.parametrize("kind", ["lost", "error_after"])
def test_a_lost_answer_is_asked_about_and_nothing_is_written_twice(joined, kind):
    order = joined.order()
    joined.erp.faults = [Fault(kind, method="POST", path="/salesorders")]
    outcome, stands = joined.carry(order)
    assert outcome.state == "done"
    assert len(writes(joined)) == 1
    assert stands["totalamount"] == Decimal(joined.shop_order(order)["total_paid_tax_incl"])


def test_a_write_that_never_arrived_is_sent_again_under_the_same_key(joined):
    order = joined.order()
    joined.erp.faults = [Fault("refused", method="POST", path="/salesorders")]
    outcome, _ = joined.carry(order)
    assert outcome.state == "done"
    assert len(writes(joined)) == 2
    assert len(joined.standing(order)) == 1


def test_an_erp_that_is_busy_makes_the_order_wait(joined):
    order = joined.order()
    joined.erp.faults = [Fault("status", method="POST", path="/salesorders", status=429, retry_after=30)]
    outcome, stands = joined.carry(order)
    assert (outcome.state, outcome.kind, stands) == ("waiting", "temporary", None)
    assert joined.carry(order)[0].state == "done"


def test_a_shop_that_is_away_makes_the_order_wait(joined):
    order = joined.order()
    joined.shop.faults = [Fault("refused", times=-1)]
    outcome, work = process(joined.flow, joined.pair, str(order))
    assert (outcome.state, outcome.kind, work) == ("waiting", "temporary", None)


def test_refused_credentials_say_what_to_do_and_show_no_secret():
    joined = Joined(erp_settings={"client_secret": "wrong"})
    outcome, _ = joined.carry_blind(joined.order())
    assert (outcome.state, outcome.kind) == ("dead letter", "sign-in")
    assert "secret" in outcome.reason
    assert joined.erp.announcement()["client_secret"] not in outcome.reason


def test_an_order_that_was_deleted_in_the_shop_is_not_found(joined):
    outcome, _ = process(joined.flow, joined.pair, "4711")
    assert (outcome.state, outcome.kind) == ("dead letter", "not found")
    assert "4711" in outcome.reason


def test_an_order_that_was_never_completed_is_skipped(joined):
    outcome, _ = process(joined.flow, joined.pair, str(joined.order(state=0)))
    assert outcome.state == "skipped"
    assert "never completed" in outcome.reason


def test_the_rule_paid_only_is_off_and_can_be_switched_on(joined):
    assert joined.carry(joined.order(state=10))[0].state == "done"
    strict = Joined({"paid_only": True})
    outcome, stands = strict.carry(strict.order(state=10))
    assert (outcome.state, outcome.reason, stands) == ("skipped", "Not paid yet: rule 'Paid only'.", None)
    assert strict.carry(strict.order(state=2))[0].state == "done"


def test_an_order_that_was_cancelled_before_it_was_sent_is_skipped_unless_the_rule_is_off(joined):
    outcome, stands = joined.carry(joined.order(state=6))
    assert (outcome.state, stands) == ("skipped", None)
    assert "rule 'Skip cancelled orders'" in outcome.reason
    lenient = Joined({"skip_cancelled": False})
    assert lenient.carry(lenient.order(state=6))[0].state == "done"


@pytest.mark.parametrize("state", range(1, 14))
def test_an_order_in_any_state_is_carried(state):
    joined = Joined({"skip_cancelled": False})
    outcome, stands = joined.carry(joined.order(state=state))
    assert outcome.state == "done"
    assert stands["statuscode"] == (2 if state in (1, 8, 10, 13) else 1)


def test_every_problem_of_an_order_comes_at_once_with_its_remedy(joined):
    address = {"city": "L" + "o" * 99 + "ng", "postcode": "9" * 30}
    order = joined.order([(1,), (10,)], customer=joined.customer(address=address))
    outcome, stands = joined.carry(order)
    assert (outcome.state, outcome.kind, stands) == ("dead letter", "mapping", None)
    assert (
        "order_rows[1].item_number: is no active product of the ERP (value: 'PROTO-VASE'). Add a product"
        in outcome.reason
    )
    assert "delivery_address.city -> shipto_city: has 102 characters" in outcome.reason
    assert "invoice_address.postcode -> billto_postalcode: has 30 characters" in outcome.reason


def test_a_currency_that_the_erp_does_not_have_is_named_once(joined):
    for one in list(joined.erp.environment.store.where("transactioncurrency", "isocurrencycode", "GBP")):
        one["statecode"] = 1
    outcome, _ = joined.carry(joined.order(currency="GBP"))
    assert outcome.kind == "mapping"
    assert outcome.reason.count("\n") == 0
    assert outcome.reason.startswith("currency.iso_code: is no currency of the ERP (value: 'GBP')")


def test_several_price_lists_of_a_currency_are_a_choice_for_a_person(joined):
    erp = joined.pair.target
    (currency,) = erp.find("transactioncurrency", isocurrencycode="EUR")
    bound = f"/transactioncurrencies({currency['transactioncurrencyid']})"
    joined.erp_row("pricelevels", {"name": "Second", "transactioncurrencyid@odata.bind": bound})
    outcome, _ = joined.carry(joined.order())
    assert "has several active price lists in this currency" in outcome.reason
    assert "Name the price list of the currency in the table 'Price lists'" in outcome.reason


def test_customers_without_e_mail_are_not_taken_for_one_another(joined):
    orders = [joined.order(customer=joined.customer(email="")) for _ in range(2)]
    stands = [joined.carry(one)[1] for one in orders]
    assert stands[0]["customerid_contact"] != stands[1]["customerid_contact"]


def test_a_product_that_was_retired_is_unknown(joined):
    (product,) = joined.erp.environment.store.where("product", "productnumber", "LUM-AUBE")
    product["statecode"] = 1
    outcome, _ = joined.carry(joined.order())
    assert "'LUM-AUBE'" in outcome.reason


def test_an_order_that_was_changed_in_the_erp_is_held_with_both_totals(joined):
    order = joined.order()
    _, stands = joined.carry(order)
    joined.pair.target.write("salesorder", {"freightamount": Decimal(99)}, stands["salesorderid"])
    outcome, _ = joined.carry(order)
    assert (outcome.state, outcome.kind) == ("held", "totals")
    assert "Dynamics 365 now has" in outcome.reason
    assert stands["salesorderid"] in outcome.reason


def test_what_nobody_foresaw_is_our_fault_and_keeps_its_traceback(joined, monkeypatch):
    monkeypatch.delitem(joined.flow.mappings["order"].__dict__, "to")
    outcome, _ = process(joined.flow, joined.pair, str(joined.order()))
    assert (outcome.state, outcome.kind) == ("dead letter", "internal")
    assert "Our fault: nothing to correct in the data" in outcome.reason
    assert "Traceback" in outcome.detail


def test_hostile_texts_arrive_as_they_are(joined):
    names = {"firstname": 'Zoë "Zed"', "lastname": "שָׂרָה <O'Neil> & كريم 🌵"}
    order = joined.order(
        customer=joined.customer(**names, email="o'neil+x@post.example"), gift_message="]]> &amp; {id} %s"
    )
    _, stands = joined.carry(order)
    assert stands["billto_contactname"] == f"{names['firstname']} {names['lastname']}"
    assert "Gift message: ]]> &amp; {id} %s" in stands["description"]
    (contact,) = joined.pair.target.find("contact", emailaddress1="o'neil+x@post.example")
    assert contact["lastname"] == names["lastname"]
