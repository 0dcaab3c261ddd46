"""Microsoft's own Python client drives the sandbox over TLS, signed in through azure-identity."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.config import DataverseConfig
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.filters import col
from PowerPlatform.Dataverse.models.query_builder import ExpandOption

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import ORDER_ID, trusted_certificate
from connectors.sandbox import Fault
from connectors.serving import serving


@pytest.fixture
def sandbox():
    return Dynamics365Sandbox()


@pytest.fixture
def address(sandbox, tmp_path, monkeypatch):
    with serving(sandbox, certificate=trusted_certificate(tmp_path, monkeypatch)) as one:
        yield one


def credential(sandbox, secret=None):
    known = sandbox.announcement()
    return ClientSecretCredential(
        known["tenant"],
        known["client_id"],
        secret or known["client_secret"],
        authority=known["address"],
        disable_instance_discovery=True,
    )


@pytest.fixture
def client(sandbox, address):
    with credential(sandbox) as signed, DataverseClient(address, signed, DataverseConfig(http_backoff=0.01)) as one:
        yield one


def order(client, **given):
    [price_list] = client.records.list("pricelevel", filter="transactioncurrencyid/isocurrencycode eq 'EUR'")
    customer = client.records.create("contact", {"firstname": "Ada", "lastname": "Byron"})
    return {
        "name": "A basket",
        "customerid_contact@odata.bind": f"/contacts({customer})",
        "pricelevelid@odata.bind": f"/pricelevels({price_list['pricelevelid']})",
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({price_list['_transactioncurrencyid_value']})",
        **given,
    }


def test_a_record_is_made_read_changed_and_deleted(client):
    id = client.records.create("account", {"name": "Analytical", "paymenttermscode": "Net 60"})
    assert str(UUID(id)) == id
    client.records.update("account", id, {"accountnumber": "A-1"})
    found = client.records.retrieve("account", id, select=["name", "accountnumber", "paymenttermscode"])
    assert (found["name"], found["accountnumber"], found["paymenttermscode"]) == ("Analytical", "A-1", 4)
    client.records.delete("account", id)
    assert client.records.retrieve("account", id) is None


def test_many_records_are_made_changed_and_deleted_at_once(client):
    ids = client.records.create("contact", [{"lastname": name} for name in "ABC"])
    client.records.update("contact", ids, {"jobtitle": "Engineer"})
    client.records.update("contact", ids[:2], [{"jobtitle": "One"}, {"jobtitle": "Two"}])
    titles = {
        one["lastname"]: one["jobtitle"] for one in client.records.list("contact", select=["lastname", "jobtitle"])
    }
    assert titles == {"A": "One", "B": "Two", "C": "Engineer"}
    assert UUID(client.records.delete("contact", ids[:2]))
    assert [one["lastname"] for one in client.records.list("contact")] == ["C"]


def test_an_order_with_lines_is_made_in_one_request_and_upserted_by_key(client):
    line = {"isproductoverridden": True, "productdescription": "Gift", "quantity": 2, "priceperunit": 4, "tax": 1.6}
    id = client.records.create("salesorder", order(client, order_details=[line], new_psorderid="O'Brien-1"))
    client.records.upsert(
        "salesorder", [{"alternate_key": {"new_psorderid": "O'Brien-1"}, "record": {"name": "Second"}}]
    )
    found = client.records.retrieve("salesorder", id, expand=["order_details"])
    assert (found["name"], Decimal(str(found["totalamount"]))) == ("Second", Decimal("9.6"))
    assert len(found["order_details"]) == 1


def test_several_records_are_upserted_at_once(client):
    items = [
        {"alternate_key": {"new_psorderid": key}, "record": order(client, name=key, salesorderid=str(uuid4()))}
        for key in ("shop-1", "shop-2")
    ]
    client.records.upsert("salesorder", items)
    client.records.upsert(
        "salesorder", [{"alternate_key": one["alternate_key"], "record": {"name": "again"}} for one in items]
    )
    assert [one["name"] for one in client.records.list("salesorder")] == ["again", "again"]


def test_pages_are_followed_to_the_end(client):
    client.records.create("contact", [{"lastname": f"Person {n}"} for n in range(7)])
    pages = list(client.records.list_pages("contact", orderby=["lastname"], page_size=3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [one["lastname"] for page in pages for one in page] == [f"Person {n}" for n in range(7)]


def test_a_query_filters_and_expands(client):
    id = client.records.create("salesorder", order(client, requestdeliveryby="2026-03-01"))
    client.records.create("salesorder", order(client, name="Another"))
    here = col("name").contains("BASKET") & col("statecode").in_([0, 1]) & ~(col("ordernumber") == None)  # noqa: E711
    here = here & (col("requestdeliveryby") >= date(2026, 2, 28)) & (col("_contactid_value") != uuid4())
    lines = ExpandOption("order_details").select("quantity").order_by("quantity").top(1)
    query = client.query.builder("salesorder").select("name").where(here).expand("customerid_contact", lines)
    [found] = query.include_annotations().execute()
    assert (found["salesorderid"], found["order_details"]) == (id, [])
    assert found["customerid_contact"]["fullname"] == "Ada Byron"
    [other] = client.query.builder("salesorder").where(col("name").not_in(["a basket"])).execute()
    assert other["name"] == "Another"


def test_a_change_set_in_a_batch_stands_as_one(client):
    batch = client.batch.new()
    with batch.changeset() as changes:
        contact = changes.records.create("contact", {"lastname": "Byron"})
        changes.records.update("contact", contact, {"jobtitle": "Countess"})
    batch.records.list("contact", select=["lastname", "jobtitle"])
    result = batch.execute()
    assert not result.has_errors
    assert UUID(result.responses[0].entity_id)
    assert [one["jobtitle"] for one in result.responses[-1].data["value"]] == ["Countess"]


def test_a_change_set_that_fails_leaves_nothing_behind(client):
    batch = client.batch.new()
    with batch.changeset() as changes:
        changes.records.create("contact", {"lastname": "Byron"})
        changes.records.create("contact", {"lastname": "x" * 51})
    result = batch.execute()
    [failed] = result.responses
    assert (failed.status_code, failed.error_code) == (400, "0x80044331")
    assert len(client.records.list("contact")) == 0


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"nickname": "x"}, 400, "0x80048d19"),
        ({"lastname": "x" * 51}, 400, "0x80044331"),
        ({"parentcustomerid_account@odata.bind": f"/accounts({ORDER_ID})"}, 404, "0x80040217"),
    ],
)
def test_a_refusal_reaches_the_caller_with_status_code_and_request_id(client, given, status, code):
    with pytest.raises(HttpError) as refused:
        client.records.create("contact", {"lastname": "B"} | given)
    assert (refused.value.status_code, refused.value.details["service_error_code"]) == (status, code)
    assert UUID(refused.value.details["service_request_id"])
    assert not refused.value.is_transient


def test_a_throttled_call_says_how_long_to_wait(client, sandbox):
    sandbox.faults = [Fault("status", status=429, retry_after=17, path="/contacts")]
    with pytest.raises(HttpError) as refused:
        client.records.list("contact")
    assert (refused.value.status_code, refused.value.details["retry_after"]) == (429, 17)
    assert refused.value.is_transient


def test_a_batch_that_cannot_be_read_is_refused_as_a_whole(client, sandbox):
    sandbox.faults = [Fault("status", status=400, path="batch")]
    batch = client.batch.new()
    batch.records.list("contact")
    with pytest.raises(HttpError, match="rejected"):
        batch.execute()


def test_a_wrong_secret_is_refused_at_sign_in(sandbox, address):
    with (
        credential(sandbox, "the secret's id") as signed,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        signed.get_token(f"{address}/.default")


def test_a_lost_answer_doubles_a_record_that_has_no_id_of_ours(client, sandbox):
    """The client sends a create again when the connection breaks, whether or not the first one was carried out."""
    client.records.list("contact")
    sandbox.faults = [Fault("lost", method="POST", path="/contacts")]
    client.records.create("contact", {"lastname": "Twice"})
    assert len(client.records.list("contact")) == 2


def test_a_lost_answer_doubles_nothing_where_we_chose_the_id(client, sandbox):
    given = order(client, salesorderid=ORDER_ID)
    sandbox.faults = [Fault("lost", method="POST", path="/salesorders")]
    with pytest.raises(HttpError) as refused:
        client.records.create("salesorder", given)
    assert (refused.value.status_code, refused.value.details["service_error_code"]) == (412, "0x80040237")
    [found] = client.records.list("salesorder")
    assert found["salesorderid"] == ORDER_ID
