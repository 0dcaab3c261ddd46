"""The customer goes first: as a contact, with the company as an account, and an order waits for it."""

import pytest

from hub.flows import defaults_of
from hub.tests.joined import Joined


@pytest.fixture
def joined():
    return Joined()


def asked(joined):
    """The calls that the ERP got, but for those that sign in."""
    return [one for one in joined.calls if "/api/data/" in one.url]


def writes(joined, part=""):
    return [one for one in asked(joined) if one.method != "GET" and part in one.url]


def contact(joined, customer):
    key = joined.references["customers", str(customer), "contact"].key
    return joined.pair.target.read("contact", key)


def account(joined, customer):
    key = joined.references["customers", str(customer), "account"].key
    return joined.pair.target.read("account", key)


def edit(joined, resource, id_customer, **values):
    """The customer, or the one address, is saved in the shop."""
    name = "id" if resource == "customers" else "id_customer"
    (row,) = joined.shop.store.find(resource, **{name: str(id_customer)})
    joined.shop.store.change(resource, row, date_upd="2026-03-04 10:15:30", **values)


def test_an_order_waits_for_its_customer_and_asks_nothing_of_the_erp_before(joined):
    customer = joined.customer()
    order = joined.order(customer=customer)
    outcome, _ = joined.walk(order)
    assert (outcome.state, outcome.kind, outcome.needs) == ("waiting", "record", ("customers", str(customer)))
    assert outcome.reason == f"Waiting for customer {customer}."
    assert asked(joined) == []
    assert joined.carry_customer(customer).state == "done"
    outcome, _ = joined.walk(order)
    assert outcome.state == "done"
    assert joined.standing(order)[0]["customerid_contact"] == contact(joined, customer)["contactid"]


def test_an_order_that_is_skipped_does_not_wait_for_its_customer():
    joined = Joined({"paid_only": True})
    assert joined.walk(joined.order(state=10))[0].state == "skipped"
    assert joined.walk(joined.order(state=6))[0].state == "skipped"


def test_a_customer_is_a_contact_with_the_address_that_was_changed_last(joined):
    customer = joined.customer(firstname=" Zoë ", email=" Zoe@Post.Example", address={"phone": "0240 1"})
    joined.shop.store.insert(
        "addresses",
        {
            **dict.fromkeys(("alias", "firstname", "lastname"), "x"),
            "id_customer": str(customer),
            "id_country": "8",
            "address1": "9 new street",
            "city": "Rezé",
            "date_upd": "2026-03-02 10:00:00",
        },
    )
    assert joined.carry_customer(customer).state == "done"
    found = contact(joined, customer)
    assert (found["firstname"], found["emailaddress1"]) == ("Zoë", "zoe@post.example")
    assert (found["address1_line1"], found["address1_city"]) == ("9 new street", "Rezé")
    assert found["donotbulkemail"] is True
    assert found["parentcustomerid_account"] is None


def test_a_guest_without_address_is_a_contact_too(joined):
    customer = joined.customer(guest=True)
    (address,) = joined.shop.store.find("addresses", id_customer=str(customer))
    joined.shop.store.change("addresses", address, deleted="1")
    assert joined.carry_customer(customer).state == "done"
    assert contact(joined, customer)["address1_line1"] is None


def test_customers_with_one_e_mail_are_one_contact_that_the_second_leaves_as_it_is(joined):
    first, second = (joined.customer(firstname=name, email="shared@post.example") for name in ("Hana", "Emeka"))
    for one in (first, second):
        assert joined.carry_customer(one).state == "done"
    assert contact(joined, first)["contactid"] == contact(joined, second)["contactid"]
    assert contact(joined, second)["firstname"] == "Hana"


def test_two_customers_with_one_e_mail_who_come_at_once_are_one_contact(joined):
    """Neither finds the other in the ERP: whoever reserved the e-mail first gives the key."""
    first, second = (joined.customer(email="shared@post.example") for _ in range(2))
    find = joined.pair.target.find
    joined.pair.target.find = lambda entity, **fields: [] if "emailaddress1" in fields else find(entity, **fields)
    for one in (first, second):
        assert joined.carry_customer(one).state == "done"
    assert contact(joined, first)["contactid"] == contact(joined, second)["contactid"]


def test_an_e_mail_that_its_owner_has_given_up_makes_the_next_one_a_contact_of_its_own(joined):
    first = joined.customer(firstname="Hana", email="office@post.example")
    joined.carry_customer(first)
    edit(joined, "customers", first, email="hana@post.example")
    joined.carry_customer(first)
    second = joined.customer(firstname="Emeka", email="office@post.example")
    assert joined.carry_customer(second).state == "done"
    assert (contact(joined, first)["firstname"], contact(joined, first)["emailaddress1"]) == (
        "Hana",
        "hana@post.example",
    )
    assert (contact(joined, second)["firstname"], contact(joined, second)["emailaddress1"]) == (
        "Emeka",
        "office@post.example",
    )


def test_what_a_customer_changes_is_changed_in_the_erp_and_nothing_else_is_written(joined):
    customer = joined.customer(company="Bonnefoy SARL", address={"phone": "0240 1"})
    assert joined.carry_customer(customer).reason == ""
    joined.calls.clear()
    edit(joined, "customers", customer)
    assert joined.carry_customer(customer).reason == "Already there."
    assert writes(joined) == []
    edit(joined, "addresses", customer, phone="0240 2", company="Bonnefoy & fils")
    outcome = joined.carry_customer(customer)
    assert (outcome.state, outcome.reason, outcome.written.changed) == ("done", "", True)
    assert contact(joined, customer)["telephone1"] == "0240 2"
    assert account(joined, customer)["name"] == "Bonnefoy & fils"
    (change,) = writes(joined, "/contacts")
    assert b"lastname" not in change.request_body
    assert len(writes(joined)) == 2


def test_what_a_clerk_changed_stays_until_the_customer_changes_something(joined):
    customer = joined.customer(address={"phone": "0240 1"})
    joined.carry_customer(customer)
    joined.pair.target.write("contact", {"telephone1": "from a clerk"}, contact(joined, customer)["contactid"])
    edit(joined, "customers", customer)
    assert joined.carry_customer(customer).reason == "Already there."
    assert contact(joined, customer)["telephone1"] == "from a clerk"


def test_a_changed_customer_stays_as_it_is_in_the_erp_where_the_setting_is_off():
    joined = Joined({"update_customers": False})
    customer = joined.customer()
    joined.carry_customer(customer)
    edit(joined, "customers", customer, firstname="Johana")
    assert joined.carry_customer(customer).reason == "Already there."
    assert contact(joined, customer)["firstname"] == "Hana"


def test_a_contact_that_was_there_before_is_left_as_it_is_until_its_customer_changes(joined):
    joined.erp_row("contacts", {"lastname": "D.", "emailaddress1": "hana@post.example", "telephone1": "from a clerk"})
    customer = joined.customer(email="hana@post.example", address={"phone": "0240 1"})
    assert joined.carry_customer(customer).reason == "Already there."
    assert contact(joined, customer)["telephone1"] == "from a clerk"
    assert writes(joined, "/contacts(") == []
    edit(joined, "customers", customer, lastname="Dvořáková")
    assert joined.carry_customer(customer).state == "done"
    assert contact(joined, customer)["lastname"] == "Dvořáková"


@pytest.mark.parametrize("vat_number", ["FR 40 303 265 045", ""])
def test_an_order_and_its_customer_make_one_account(joined, vat_number):
    customer = joined.customer(company="Bonnefoy SARL", vat_number=vat_number)
    order = joined.order(customer=customer)
    joined.carry_customer(customer)
    outcome, stands = joined.carry(order)
    assert outcome.state == "done"
    assert stands["customerid_account"] == account(joined, customer)["accountid"]
    assert len(writes(joined, "/accounts")) == 1
    assert contact(joined, customer)["parentcustomerid_account"] == stands["customerid_account"]


def test_an_account_that_an_order_made_is_the_customers_too(joined):
    customer = joined.customer()
    joined.carry_customer(customer)
    edit(joined, "addresses", customer, company="Bonnefoy SARL")
    _, stands = joined.carry(joined.order(customer=customer))
    joined.carry_customer(customer)
    assert stands["customerid_account"] == account(joined, customer)["accountid"]
    assert contact(joined, customer)["parentcustomerid_account"] == stands["customerid_account"]


def test_a_customer_who_moves_to_another_company_does_not_rename_the_first_one(joined):
    first, second = (joined.customer(company="Bonnefoy SARL", vat_number="FR 11111111111") for _ in range(2))
    for one in (first, second):
        joined.carry_customer(one)
    edit(joined, "addresses", second, company="Ekwueme Ltd", vat_number="GB 222222222")
    assert joined.carry_customer(second).state == "done"
    assert (account(joined, first)["name"], account(joined, first)["accountnumber"]) == (
        "Bonnefoy SARL",
        "FR11111111111",
    )
    assert (account(joined, second)["name"], account(joined, second)["accountnumber"]) == ("Ekwueme Ltd", "GB222222222")
    assert contact(joined, second)["parentcustomerid_account"] == account(joined, second)["accountid"]


def test_a_customer_who_moves_to_a_company_that_the_erp_has_leaves_it_as_it_is(joined):
    joined.erp_row("accounts", {"name": "Ekwueme Limited", "accountnumber": "GB222222222"})
    customer = joined.customer(company="Bonnefoy SARL", vat_number="FR 11111111111")
    joined.carry_customer(customer)
    edit(joined, "addresses", customer, company="Ekwueme Ltd", vat_number="GB 222222222")
    assert joined.carry_customer(customer).state == "done"
    assert account(joined, customer)["name"] == "Ekwueme Limited"


def test_a_deleted_customer_is_skipped_and_one_who_is_switched_off_by_setting_alone():
    joined = Joined()
    deleted, inactive = joined.customer(deleted="1"), joined.customer(active="0")
    outcome = joined.carry_customer(deleted)
    assert (outcome.state, outcome.reason) == ("skipped", "Deleted in the shop: rule 'Skip deleted customers'.")
    assert joined.carry_customer(inactive).state == "done"
    strict = Joined({"skip_inactive": True, "skip_deleted": False})
    assert strict.carry_customer(strict.customer(active="0")).state == "skipped"
    assert strict.carry_customer(strict.customer(deleted="1")).state == "done"


def test_every_problem_of_a_customer_comes_at_once(joined):
    customer = joined.customer(lastname="", address={"city": "L" + "o" * 99 + "ng", "postcode": "9" * 30})
    outcome = joined.carry_customer(customer)
    assert (outcome.state, outcome.kind) == ("dead letter", "mapping")
    assert "lastname: is empty, and 'Last name' is required" in outcome.reason
    assert "address.city -> address1_city: has 102 characters" in outcome.reason
    assert "address.postcode -> address1_postalcode: has 30 characters" in outcome.reason
    assert writes(joined) == []


def test_a_customer_is_carried_once_however_often_the_answer_is_lost(joined):
    customer = joined.customer()
    _, work = joined.walk(customer, joined.customers)
    marks = work.keeper.marks
    joined.references.clear()
    joined.calls.clear()
    outcome, _ = joined.walk(customer, joined.customers, marks)
    assert outcome.state == "done"
    assert writes(joined) == []
    joined.references.clear()
    outcome, _ = joined.walk(customer, joined.customers)
    assert (outcome.state, outcome.reason) == ("done", "Already there.")
    assert writes(joined) == []


def test_the_company_of_an_order_and_of_a_customer_have_the_same_rules():
    """Otherwise a customer's account and the one of its orders would be two."""
    of_an_order = defaults_of("dynamics365", "orders").mappings["account"]
    of_a_customer = defaults_of("dynamics365", "customers").mappings["customer_account"]
    renamed = (
        repr(of_an_order).replace("'customer.", "'").replace("{customer.", "{").replace("invoice_address", "address")
    )
    assert renamed.replace("of an order", "of a customer") == repr(of_a_customer)
