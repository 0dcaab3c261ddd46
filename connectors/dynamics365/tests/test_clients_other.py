"""Two more clients that nobody here wrote: dynamics-client over plain HTTP, and MSAL over TLS."""

import warnings
from decimal import Decimal

import msal
import pytest
from authlib.deprecate import AuthlibDeprecationWarning

with warnings.catch_warnings():  # this client imports a part of authlib that says on import that it will go
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from dynamics import DynamicsClient
    from dynamics.exceptions import DuplicateRecordError, DynamicsException, NotFound, ParseError

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import ORDER_ID, trusted_certificate
from connectors.sandbox import Fault
from connectors.serving import serving


@pytest.fixture
def sandbox():
    return Dynamics365Sandbox()


@pytest.fixture
def client(sandbox):
    with serving(sandbox) as address:
        known = sandbox.announcement()
        one = DynamicsClient(
            f"{address}/api/data/v9.2",
            f"{address}/{known['tenant']}/oauth2/v2.0/token",
            known["client_id"],
            known["client_secret"],
            scope=[f"{address}/.default"],
            cache_token=False,
        )
        yield one
        one._oauth_client.close()


def at(client, table, row_id=""):
    client.reset_query()
    client.table, client.row_id = table, row_id
    return client


def order(client):
    customer = at(client, "contacts").post({"lastname": "Byron"}).data["contactid"]
    at(client, "pricelevels").filter = ["transactioncurrencyid/isocurrencycode eq 'EUR'"]
    [price_list] = client.get().data
    return {
        "name": "A basket",
        "customerid_contact@odata.bind": f"/contacts({customer})",
        "pricelevelid@odata.bind": f"/pricelevels({price_list['pricelevelid']})",
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({price_list['_transactioncurrencyid_value']})",
    }


def test_a_record_is_made_read_changed_and_deleted(client):
    made = at(client, "contacts").post({"firstname": "Ada", "lastname": "Byron"}).data
    assert made["fullname"] == "Ada Byron"
    changed = at(client, "contacts", made["contactid"]).patch({"jobtitle": "Countess"}).data
    assert changed["jobtitle"] == "Countess"
    [found] = at(client, "contacts", made["contactid"]).get().data
    assert found["@odata.etag"] == changed["@odata.etag"] != made["@odata.etag"]
    at(client, "contacts", made["contactid"]).delete()
    with pytest.raises(NotFound):
        at(client, "contacts", made["contactid"]).get()


def test_rows_are_filtered_ordered_expanded_and_paged(client):
    for name in ("Turing", "Byron", "Hopper"):
        at(client, "contacts").post({"lastname": name})
    query = at(client, "contacts")
    query.select, query.orderby = ["lastname"], {"lastname": "asc"}
    query.expand = {"ownerid": {"select": ["fullname"]}}
    query.filter, query.count, query.pagesize = {"lastname eq 'Byron'", "contains(lastname,'o')"}, True, 1
    first = query.get()
    assert (first.count, [one["lastname"] for one in first.data]) == (2, ["Byron"])
    assert first.data[0]["ownerid"]["fullname"] == "# Tillbridge"
    assert [one["lastname"] for one in client.get(query=first.next_link).data] == ["Hopper"]
    every = client.get(pagination_rules={"pages": 5})
    assert [one["lastname"] for one in every.data] == ["Byron", "Hopper"]


def test_an_order_is_made_with_its_lines_and_cancelled(client):
    line = {"isproductoverridden": True, "productdescription": "Gift", "quantity": 1, "priceperunit": 4, "tax": 0.8}
    given = order(client) | {"order_details": [line], "salesorderid": ORDER_ID}
    made = at(client, "salesorders").post(given).data
    assert (made["salesorderid"], Decimal(str(made["totalamount"]))) == (ORDER_ID, Decimal("4.8"))
    client.actions.cancel_order(ORDER_ID)
    [found] = at(client, "salesorders", ORDER_ID).get().data
    assert (found["statecode"], found["statuscode"]) == (2, 4)
    with pytest.raises(ParseError, match="Read-Only"):
        at(client, "salesorders", ORDER_ID).patch({"name": "Too late"})


def test_a_function_is_called_and_answered(client):
    at(client, "").action = "WhoAmI"
    [found] = client.get().data
    assert set(found) >= {"BusinessUnitId", "UserId", "OrganizationId"}


def test_errors_reach_the_caller_as_what_they_are(client):
    given = order(client) | {"salesorderid": ORDER_ID}
    at(client, "salesorders").post(given)
    with pytest.raises(DuplicateRecordError):
        at(client, "salesorders").post(given)
    with pytest.raises(ParseError, match="nickname"):
        at(client, "contacts").post({"nickname": "x"})
    with pytest.raises(NotFound):
        at(client, "contacts", ORDER_ID).patch({"jobtitle": "x"})
    at(client, "accounts").post({"name": "Analytical"})
    with pytest.raises(DynamicsException, match="duplicate"):  # this client turns duplicate detection on
        at(client, "accounts").post({"name": "Analytical"})


# MSAL


@pytest.fixture
def authority(sandbox, tmp_path, monkeypatch):
    with serving(sandbox, certificate=trusted_certificate(tmp_path, monkeypatch)) as address:
        yield f"{address}/{sandbox.announcement()['tenant']}"


def application(sandbox, authority, secret=None):
    known = sandbox.announcement()
    return msal.ConfidentialClientApplication(
        known["client_id"],
        client_credential=secret or known["client_secret"],
        authority=authority,
        instance_discovery=False,
    )


def test_msal_gets_a_token_and_keeps_it(sandbox, authority):
    scopes = [f"{sandbox.address}/.default"]
    signed = application(sandbox, authority)
    first = signed.acquire_token_for_client(scopes)
    assert (first["token_type"], first["expires_in"], first["token_source"]) == ("Bearer", 3599, "identity_provider")
    sandbox.faults = [Fault("status", times=-1, status=503)]
    second = signed.acquire_token_for_client(scopes)
    assert (second["token_source"], second["access_token"]) == ("cache", first["access_token"])


def test_msal_reads_a_refusal(sandbox, authority):
    refused = application(sandbox, authority, "wrong").acquire_token_for_client([f"{sandbox.address}/.default"])
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000215])
    assert refused["error_description"].startswith("AADSTS7000215: ")
    assert refused["trace_id"]
    sandbox.switches.secret_expired = True
    late = application(sandbox, authority).acquire_token_for_client([f"{sandbox.address}/.default"])
    assert late["error_codes"] == [7000222]


def test_msal_finds_no_authority_for_a_tenant_that_is_not_there(sandbox, authority):
    nowhere = f"{sandbox.address}/7e57ab1e-0000-4000-8000-000000000000"
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        application(sandbox, nowhere).acquire_token_for_client([f"{sandbox.address}/.default"])
