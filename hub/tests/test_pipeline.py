"""What becomes of an order on its way, whatever happens: each class of error, with its words."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
    assert (second.state, second.reason, second.written.changed) == ("done", "Already there.", False)
    assert len(joined.standing(order)) == 1


@pytest.mark.parametrize("mode", ["deep insert", "batch"])
def test_an_order_sent_by_several_at_once_stands_once(mode):
    joined = Joined(erp_settings={"order_write": mode})
    customer = joined.customer(company="Bonnefoy SARL")
    order = joined.order(customer=customer)
    for key, flow in ((customer, joined.customers), (order, joined.flow)):
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda _, key=key, flow=flow: joined.walk(key, flow)[0], range(4)))
        assert [one.state for one in outcomes] == ["done"] * 4
    assert len(joined.standing(order)) == 1
    assert len(joined.pair.target.find("account", name="Bonnefoy SARL")) == 1
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
    outcome = joined.carry_blind(joined.order())
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
    customer = joined.customer()
    joined.carry_customer(customer)
    (address,) = joined.shop.store.find("addresses", id_customer=str(customer))
    joined.shop.store.change("addresses", address, city="L" + "o" * 99 + "ng", postcode="9" * 30)
    order = joined.order([(1,), (10,)], customer=customer)
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
    customer = joined.customer()
    joined.carry_customer(customer)
    monkeypatch.delitem(joined.flow.mappings["order"].__dict__, "to")
    outcome, _ = joined.walk(joined.order(customer=customer))
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


def test_a_company_is_not_known_by_a_placeholder_for_its_vat_number(joined):
    orders = []
    for number, (name, vat) in enumerate((("Alpha", "N/A"), ("Beta", "n/a"), ("Gamma", "-"), ("Delta", "FR 12 345"))):
        customer = joined.customer(company=name, vat_number=vat, email=f"company{number}@post.example")
        orders.append((name, joined.order(customer=customer)))
    names = {name: joined.carry(order)[1]["customerid_account"] for name, order in orders}
    assert len(set(names.values())) == 4
    for name, key in names.items():
        assert joined.pair.target.read("account", key)["name"] == name
    assert joined.pair.target.read("account", names["Delta"])["accountnumber"] == "FR12345"


def test_an_order_that_is_cancelled_after_it_was_sent_is_held(joined):
    order = joined.order()
    joined.carry(order)
    joined.shop.store.change("orders", joined.shop_order(order), current_state="6")
    outcome, stands = joined.carry(order)
    assert (outcome.state, outcome.kind) == ("held", "cancelled")
    assert "Cancelled in the shop after it was sent. Cancel it in Dynamics 365, too" in outcome.reason
    assert stands is not None


@pytest.mark.parametrize("field", ["id_customer", "id_address_invoice", "id_address_delivery"])
def test_an_order_whose_customer_or_address_is_gone_is_a_dead_letter_that_names_it(joined, field):
    order = joined.order()
    joined.shop.store.change("orders", joined.shop_order(order), **{field: "9999"})
    outcome, stands = joined.carry(order)
    assert (outcome.state, outcome.kind, stands) == ("dead letter", "mapping", None)
    path = "_".join(reversed(field.removeprefix("id_").split("_")))
    assert outcome.reason.startswith(f"{path}: is not in the shop any more")
    assert outcome.reason.count("\n") == 0


def test_long_names_are_cut_and_stand_whole_in_the_description(joined):
    first, last, company = "F" * 120, "L" * 120, "C" * 255
    order = joined.order(customer=joined.customer(firstname=first, lastname=last, company=company))
    outcome, stands = joined.carry(order)
    assert outcome.state == "done"
    assert stands["billto_contactname"] == f"{first} {last}"[:150]
    assert f"Customer: {first} {last}\n" in stands["description"]
    assert f"Company billed: {company}\n" in stands["description"]


def test_a_total_with_more_decimals_than_its_currency_keeps_is_held(joined):
    order = joined.order()
    joined.shop.store.change("orders", joined.shop_order(order), total_paid_tax_incl="45.604000")
    outcome, stands = joined.carry(order)
    assert (outcome.state, outcome.kind, stands) == ("held", "totals", None)
    assert "PrestaShop says 45.604 EUR, and there this currency keeps 2 decimals" in outcome.reason


@pytest.mark.parametrize("cent", ["0.01", "-0.01"])
def test_a_cent_that_is_not_the_shops_is_found_when_the_order_is_read_back(joined, cent):
    order = joined.order()
    _, stands = joined.carry(order)
    changed = {"freightamount": (stands.get("freightamount") or Decimal(0)) + Decimal(cent)}
    if changed["freightamount"] < 0:
        changed = {"discountamount": Decimal("0.01")}
    joined.pair.target.write("salesorder", changed, stands["salesorderid"])
    outcome, _ = joined.carry(order)
    assert (outcome.state, outcome.kind) == ("held", "totals")
    assert f"a difference of {-Decimal(cent)}" in outcome.reason


@pytest.mark.parametrize(
    ("rows", "off", "state"),
    [
        (1, "0.01", "done"),
        (1, "0.02", "held"),
        (1, "-0.02", "held"),
        (2, "-0.01", "done"),
        (2, "0.02", "held"),
        (3, "0.02", "done"),
        (3, "-0.03", "held"),
    ],
)
def test_the_tolerance_is_what_rounding_can_explain_and_no_more(joined, rows, off, state):
    order = joined.order([(1,), (9,), (8, 0, 1, Decimal("2.00"), (Decimal(20),))][:rows], shipping_tax_excl=Decimal(7))
    row = joined.shop_order(order)
    total = Decimal(row["total_paid_tax_incl"]) + Decimal(off)
    joined.shop.store.change("orders", row, total_paid_tax_incl=str(total))
    outcome, stands = joined.carry(order)
    assert outcome.state == state
    if state == "done":
        assert outcome.reason == f"A line of {off} EUR carries the rounding difference."
        assert stands["totalamount"] == total


def test_a_setting_that_is_no_number_is_a_problem_of_the_mapping_and_not_our_fault():
    joined = Joined({"rounding_tolerance": "x"})
    order = joined.order()
    joined.shop.store.change("orders", joined.shop_order(order), total_paid_tax_incl="99.00")
    outcome, _ = joined.carry(order)
    assert (outcome.state, outcome.kind) == ("dead letter", "mapping")
    assert "'x' is not a number" in outcome.reason


@pytest.mark.parametrize(
    ("skip", "words"),
    [
        ({"path": "no.such", "equals": 1}, "no field 'no.such'"),
        ({"path": "reference", "more_than": 1}, "is not a number"),
        ({"path": "reference"}, "a condition is a path with"),
    ],
)
def test_a_step_that_cannot_be_read_is_a_problem_of_the_mapping(joined, skip, words):
    flow = replace(joined.flow, steps=({"kind": "filter", "name": "Odd", "skip": skip, "reason": "x"},))
    outcome, _ = process(flow, joined.pair, str(joined.order()))
    assert (outcome.state, outcome.kind) == ("dead letter", "mapping")
    assert words in outcome.reason


def test_a_flow_that_writes_nothing_is_done_too(joined):
    outcome, _ = process(replace(joined.flow, steps=()), joined.pair, str(joined.order()))
    assert (outcome.state, outcome.written) == ("done", None)
