"""One record at a time: which status, which headers, which body; conditions and single properties."""

from decimal import Decimal
from uuid import uuid4

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api, body, code_of, key_of


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


def test_a_create_answers_204_with_the_address_of_the_record(api):
    answer = api.post("contacts", {"firstname": "Ada", "lastname": "Byron"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["OData-EntityId"] == answer.headers["Location"]
    assert answer.headers["OData-Version"] == "4.0"
    assert answer.headers["x-ms-service-request-id"] == answer.headers["REQ_ID"]
    found = api.one(answer.headers["OData-EntityId"])
    assert (found["fullname"], found["statecode"], found["statuscode"]) == ("Ada Byron", 0, 1)


def test_a_create_that_asks_for_the_record_gets_it_with_201_and_no_address(api):
    answer = api.post("contacts?$select=fullname", {"lastname": "Byron"}, Prefer="return=representation")
    assert answer.status_code == 201
    assert "OData-EntityId" not in answer.headers
    assert answer.headers["Preference-Applied"] == "return=representation"
    found = answer.json()
    assert set(found) == {"@odata.context", "@odata.etag", "contactid", "fullname"}


def test_a_read_of_nothing_is_404_with_the_id(api):
    id = str(uuid4())
    answer = api.get(f"contacts({id})")
    assert code_of(answer) == (404, "0x80040217")
    assert id in answer.json()["error"]["message"]


def test_an_update_answers_204_and_404_where_nothing_is_there(api):
    id = api.contact()
    assert api.patch(f"contacts({id})", {"jobtitle": "Countess"}, If_Match="*").status_code == 204
    assert api.one(f"contacts({id})")["jobtitle"] == "Countess"
    assert code_of(api.patch(f"contacts({uuid4()})", {"jobtitle": "x"}, If_Match="*")) == (404, "0x80040217")


def test_an_update_that_asks_for_the_record_gets_200_without_what_it_expands(api):
    id = api.contact()
    path = f"contacts({id})?$select=jobtitle&$expand=ownerid"
    answer = api.patch(path, {"jobtitle": "Countess"}, If_Match="*", Prefer="return=representation")
    assert (answer.status_code, answer.json()["jobtitle"]) == (200, "Countess")
    assert "ownerid" not in answer.json()


def test_an_upsert_by_id_creates_under_that_id_and_then_updates(api):
    id = str(uuid4())
    assert api.patch(f"contacts({id})", {"lastname": "One"}).status_code == 204
    assert api.patch(f"contacts({id})", {"lastname": "Two"}).status_code == 204
    assert api.one(f"contacts({id})")["lastname"] == "Two"
    prefer = {"Prefer": "return=representation"}
    assert api.patch(f"contacts({id})", {"lastname": "Three"}, **prefer).status_code == 200
    assert api.patch(f"contacts({uuid4()})", {"lastname": "New"}, **prefer).status_code == 201


def test_an_upsert_that_only_creates_is_412_where_the_record_is(api):
    id = str(uuid4())
    assert api.patch(f"contacts({id})", {"lastname": "One"}, If_None_Match="*").status_code == 204
    assert api.patch(f"contacts({id})", {"lastname": "Two"}, If_None_Match="*").status_code == 412
    assert api.one(f"contacts({id})")["lastname"] == "One"


def test_a_create_under_an_id_that_is_taken_is_412(api):
    id = str(uuid4())
    assert key_of(api.post("contacts", {"contactid": id.upper(), "lastname": "One"})) == id
    assert code_of(api.post("contacts", {"contactid": id, "lastname": "Two"})) == (412, "0x80040237")


def test_a_delete_answers_204_and_then_404(api):
    id = api.contact()
    assert api.delete(f"contacts({id})").status_code == 204
    assert api.delete(f"contacts({id})").status_code == 404


def test_etags_grow_with_every_change_and_guard_updates(api):
    id = api.contact()
    first = api.one(f"contacts({id})")["@odata.etag"]
    assert api.patch(f"contacts({id})", {"jobtitle": "A"}, If_Match=first).status_code == 204
    second = api.one(f"contacts({id})")["@odata.etag"]
    assert int(second[3:-1]) > int(first[3:-1])
    assert code_of(api.patch(f"contacts({id})", {"jobtitle": "B"}, If_Match=first)) == (412, "0x80060882")
    assert api.delete(f"contacts({id})", If_Match=first).status_code == 412
    assert api.delete(f"contacts({id})", If_Match=second).status_code == 204


def test_a_read_of_what_is_known_is_304_but_not_with_annotations_or_expand(api):
    id = api.contact()
    tag = api.one(f"contacts({id})")["@odata.etag"]
    answer = api.get(f"contacts({id})", If_None_Match=tag)
    assert (answer.status_code, answer.content) == (304, b"")
    assert api.get(f"contacts({id})", If_None_Match='W/"1"').status_code == 200
    assert api.get(f"contacts({id})", If_None_Match="null").status_code == 200
    assert api.get(f"contacts({id})?$expand=ownerid", If_None_Match=tag).status_code == 200
    prefer = {"Prefer": 'odata.include-annotations="*"'}
    assert api.get(f"contacts({id})", If_None_Match=tag, **prefer).status_code == 200


def test_one_property_is_read_set_and_emptied(api):
    id = api.contact()
    path = f"contacts({id})/jobtitle"
    assert api.get(path).status_code == 204
    assert api.send("PUT", path, {"value": "Countess"}).status_code == 204
    assert api.get(path).json()["value"] == "Countess"
    assert api.delete(path).status_code == 204
    assert api.one(f"contacts({id})")["jobtitle"] is None
    assert api.send("PUT", path, {"jobtitle": "x"}).status_code == 400


def test_records_are_linked_and_unlinked_by_reference(api):
    account, contact = api.create("accounts", {"name": "Analytical"}), api.contact()
    path = f"contacts({contact})/parentcustomerid_account/$ref"
    assert (
        api.send("PUT", path, {"@odata.id": f"{api.sandbox.address}/api/data/v9.2/accounts({account})"}).status_code
        == 204
    )
    assert api.one(f"contacts({contact})")["_parentcustomerid_value"] == account
    [listed] = api.rows(f"accounts({account})/contact_customer_accounts?$select=lastname")
    assert listed["contactid"] == contact
    assert api.one(f"contacts({contact})/parentcustomerid_account")["name"] == "Analytical"
    assert api.delete(path).status_code == 204
    assert api.one(f"contacts({contact})")["_parentcustomerid_value"] is None
    collection = f"accounts({account})/contact_customer_accounts/$ref"
    assert api.post(collection, {"@odata.id": f"contacts({contact})"}).status_code == 204
    assert api.one(f"contacts({contact})")["_parentcustomerid_value"] == account


def test_money_keeps_its_scale_on_the_wire(api):
    answer = api.post("accounts", {"name": "A", "creditlimit": 12.345}, Prefer="return=representation")
    assert '"creditlimit":12.3500' in answer.text
    assert body(answer)["creditlimit"] == Decimal("12.35")
    assert body(answer)["creditlimit_base"] == Decimal("12.35")


def test_empty_text_is_stored_as_nothing_and_a_date_stays_a_date(api):
    id = api.create("contacts", {"lastname": "B", "jobtitle": "", "birthdate": "1815-12-10"})
    found = api.one(f"contacts({id})")
    assert (found["jobtitle"], found["birthdate"]) == (None, "1815-12-10")
    assert api.post("contacts", {"lastname": "B", "birthdate": "1815-12-10T00:00:00Z"}).status_code == 400


def test_a_moment_is_written_back_in_utc(api):
    created = {"lastname": "B", "overriddencreatedon": "2024-05-01T10:00:00+02:00"}
    assert api.one(f"contacts({api.create('contacts', created)})")["createdon"] == "2024-05-01T08:00:00Z"


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "contacts"), ("DELETE", "contacts"), ("POST", "contacts(00000000-0000-0000-0000-000000000001)")],
)
def test_a_method_that_does_not_fit_is_405(api, method, path):
    assert api.send(method, path, {}).status_code == 405


@pytest.mark.parametrize("path", ["unicorns", "contacts()", "contacts(('", "EntityDefinition", "", "contacts(1)/x/y"])
def test_addresses_that_lead_nowhere_are_refused(api, path):
    assert api.get(path).status_code in (400, 404)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"lastname": NaN}', b"\xff", b'{"lastname": 1e99999999}'])
def test_bodies_that_are_no_object_are_refused(api, content):
    answer = api.client.post("/api/data/v9.2/contacts", content=content)
    assert code_of(answer) == (400, "0x80048d19")


def test_the_platforms_own_records_cannot_be_made(api):
    assert code_of(api.post("systemusers", {"lastname": "x"})) == (403, "0x80040220")


def test_what_must_have_a_value_cannot_be_emptied(api):
    organization, contact = api.one("WhoAmI")["OrganizationId"], api.contact()
    assert api.patch(f"organizations({organization})", {"pricingdecimalprecision": None}).status_code == 400
    assert api.delete(f"contacts({contact})/statecode").status_code == 400
    assert api.send("PUT", f"contacts({contact})/statecode", {"value": None}).status_code == 400
