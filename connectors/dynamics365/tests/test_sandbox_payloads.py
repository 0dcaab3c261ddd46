"""What a payload may say: names, types, lengths, ranges, binds, alternate keys and duplicates."""

from uuid import uuid4

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api, code_of, key_of


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


@pytest.mark.parametrize(
    ("given", "code", "named"),
    [
        ({"nickname": "x"}, "0x80048d19", "nickname"),
        ({"lastname": "x" * 51}, "0x80044331", "maximum allowed length of '50'"),
        ({"lastname": 5}, "0x80048d19", "Edm.String"),
        ({"donotemail": "yes"}, "0x80048d19", "Edm.Boolean"),
        ({"gendercode": 3}, "0x8004431a", "gendercode"),
        ({"gendercode": "Male"}, "0x80048d19", "Edm.Int32"),
        ({"gendercode": 1.5}, "0x80048d19", "Edm.Int32"),
        ({"birthdate": "31.12.1999"}, "0x80048d19", "Edm.Date"),
        ({"contactid": "not-a-guid"}, "0x80048d19", "Edm.Guid"),
        ({"parentcustomerid": str(uuid4())}, "0x80060888", "Navigation properties"),
        ({"_parentcustomerid_value": str(uuid4())}, "0x80060888", "Navigation properties"),
        ({"fullname": "Ada Byron"}, "0x80040203", "fullname"),
        ({"statuscode": 2}, "0x80048408", "status code"),
    ],
)
def test_a_wrong_value_is_refused_by_name(api, given, code, named):
    answer = api.post("contacts", {"lastname": "B"} | given)
    assert code_of(answer) == (400, code)
    assert named in answer.json()["error"]["message"]
    assert api.rows("contacts") == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"creditlimit": -1}, "0x80044330"),
        ({"creditlimit": 1e30}, "0x80044330"),
        ({"creditlimit": "12.50"}, "0x80048d19"),
        ({"creditlimit": True}, "0x80048d19"),
    ],
)
def test_amounts_must_be_numbers_within_their_range(api, given, code):
    assert code_of(api.post("accounts", {"name": "A"} | given)) == (400, code)


def test_whole_numbers_out_of_range_have_their_own_code(api):
    product = api.product()["productid"]
    assert code_of(api.patch(f"products({product})", {"quantitydecimal": 6})) == (400, "0x8004432f")
    assert code_of(api.patch(f"products({product})", {"quantitydecimal": 1.5})) == (400, "0x80048d19")


def test_navigation_names_of_binds_are_case_sensitive(api):
    account = api.create("accounts", {"name": "A"})
    wrong = api.post("contacts", {"lastname": "B", "ParentCustomerId_Account@odata.bind": f"/accounts({account})"})
    assert code_of(wrong) == (400, "0x80048d19")
    assert "undeclared property 'ParentCustomerId_Account'" in wrong.json()["error"]["message"]
    for name in ("parentcustomerid", "parentcustomerid_lead"):
        assert code_of(api.post("contacts", {"lastname": "B", f"{name}@odata.bind": f"/accounts({account})"}))[0] == 400


@pytest.mark.parametrize("form", ["/accounts({})", "accounts({})", "{root}accounts({})"])
def test_a_bind_may_be_written_relative_or_absolute(api, form):
    account = api.create("accounts", {"name": "A"})
    target = form.replace("{root}", f"{api.sandbox.address}/api/data/v9.2/").replace("{}", account)
    contact = api.create("contacts", {"lastname": "B", "parentcustomerid_account@odata.bind": target})
    assert api.one(f"contacts({contact})")["_parentcustomerid_value"] == account


def test_a_bind_to_nothing_is_404_and_to_another_table_is_400(api):
    missing = api.post("contacts", {"lastname": "B", "parentcustomerid_account@odata.bind": f"/accounts({uuid4()})"})
    assert code_of(missing) == (404, "0x80040217")
    other = api.post(
        "contacts", {"lastname": "B", "parentcustomerid_account@odata.bind": f"/contacts({api.contact()})"}
    )
    assert code_of(other) == (400, "0x80048d19")
    for rubbish in ("", "/accounts", 5, {}, "/accounts('"):
        given = {"lastname": "B", "parentcustomerid_account@odata.bind": rubbish}
        assert api.post("contacts", given).status_code in (400, 404)


def test_a_record_can_be_made_together_with_the_one_it_points_at(api):
    id = api.create("accounts", {"name": "A", "primarycontactid": {"lastname": "B"}})
    found = api.one(f"accounts({id})?$expand=primarycontactid($select=lastname)")
    assert found["primarycontactid"]["lastname"] == "B"


def test_an_update_takes_no_nested_record(api):
    account = api.create("accounts", {"name": "A"})
    answer = api.patch(f"accounts({account})", {"primarycontactid": {"lastname": "B"}}, If_Match="*")
    assert code_of(answer) == (400, "0x80060888")


# Alternate keys


def test_an_order_is_upserted_by_its_alternate_key_and_the_address_repeats_the_key(api):
    path = "salesorders(new_psorderid='shop-7')"
    answer = api.patch(path, api.order())
    assert answer.status_code == 204
    assert key_of(answer) == "new_psorderid='shop-7'"
    made = api.one(f"{path}?$select=new_psorderid,name")
    assert made["new_psorderid"] == "shop-7"
    assert api.patch(path, {"name": "Second", "new_psorderid": "other"}).status_code == 204
    again = api.one(path)
    assert (again["salesorderid"], again["name"], again["new_psorderid"]) == (made["salesorderid"], "Second", "shop-7")


def test_the_body_wins_over_the_key_where_an_upsert_creates(api):
    api.patch("salesorders(new_psorderid='in-url')", api.order(new_psorderid="in-body"))
    assert api.get("salesorders(new_psorderid='in-url')").status_code == 404
    assert api.get("salesorders(new_psorderid='in-body')").status_code == 200


def test_quotes_in_keys_are_doubled(api):
    api.patch("salesorders(new_psorderid='O''Brien')", api.order())
    assert api.one("salesorders(new_psorderid='O''Brien')")["new_psorderid"] == "O'Brien"


def test_a_key_that_is_not_there_not_defined_or_taken(api):
    assert code_of(api.get("salesorders(new_psorderid='x')")) == (404, "0x80060891")
    assert code_of(api.get("salesorders(ordernumber='x')")) == (400, "0x80060890")
    api.create("salesorders", api.order(new_psorderid="shop-7"))
    taken = api.post("salesorders", api.order(new_psorderid="SHOP-7"))
    assert code_of(taken) == (412, "0x80060892")
    assert len(api.rows("salesorders")) == 1


@pytest.mark.parametrize("value", ["a/b", "a%2Bb", "a:b", "a%3Fb", "a*b", "a%25b", "2024-01-01T00:00:00Z"])
def test_some_characters_never_work_in_a_key_of_an_address(api, value):
    assert api.get(f"salesorders(new_psorderid='{value}')").status_code == 400


def test_a_bind_may_use_an_alternate_key(api):
    api.sandbox.add_column("contact", "new_PsCustomer", "String", 50, "Shop customer")
    api.sandbox.add_key("contact", "new_pscustomerkey", ("new_pscustomer",))
    contact = api.create("contacts", {"lastname": "B", "new_pscustomer": "a+b:1"})
    order = api.order() | {"customerid_contact@odata.bind": "/contacts(new_pscustomer='a+b:1')"}
    found = api.one(f"salesorders({api.create('salesorders', order)})")
    assert found["_customerid_value"] == contact


# Duplicate detection


def test_duplicates_are_refused_only_where_the_request_asks_for_it(api):
    api.contact()
    given = {"lastname": "Else", "emailaddress1": "ADA@example.com"}
    assert code_of(api.post("contacts", given, MSCRM_SuppressDuplicateDetection="false")) == (500, "0x80040333")
    api.sandbox.switches.duplicate_status = 412
    assert code_of(api.post("contacts", given, MSCRM_SuppressDuplicateDetection="false")) == (412, "0x80040333")
    assert api.post("contacts", given).status_code == 204


def test_a_record_is_no_duplicate_of_itself_nor_of_an_inactive_one(api):
    id = api.contact()
    headers = {"MSCRM_SuppressDuplicateDetection": "false"}
    assert api.patch(f"contacts({id})", {"emailaddress1": "ada@example.com"}, **headers).status_code == 204
    api.patch(f"contacts({id})", {"statecode": 1})
    given = {"firstname": "Ada", "lastname": "Byron", "emailaddress1": "ada@example.com"}
    assert api.post("contacts", given, **headers).status_code == 204
