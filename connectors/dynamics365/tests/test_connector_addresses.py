"""The environment's two hosts, and the hosts that only look like one of them."""

import httpx
import pytest

from connectors.dynamics365 import connector as Dynamics365
from connectors.dynamics365.tests.connected import Erp, Through, customer
from connectors.errors import NeedsPerson

HOST = "https://org.crm4.dynamics.com"
API_HOST = "https://org.api.crm4.dynamics.com"
GIVEN = {"tenant": "a.example", "client_id": "c", "client_secret": "s"}


@pytest.fixture
def erp():
    return Erp()


def leading_to(erp, link, address):
    """A connection whose first page of contacts names this next one."""
    given = []

    def linked(request, response):
        if "/contacts" not in str(request.url) or given:
            return response
        given.append(link)
        return httpx.Response(200, json={**response.json(), "@odata.nextLink": link})

    return erp.connect(Through(erp, linked), environment_url=address, authority=HOST)


@pytest.mark.parametrize(
    "link",
    [
        "https://org.crm4.dynamics.api.com/steal",
        "https://org.crm4.api.dynamics.com/steal",
        "https://org.api.api.crm4.dynamics.com/steal",
        "https://api.org.crm4.dynamics.com/steal",
        "https://org.api.crm5.dynamics.com/steal",
        "https://other.api.crm4.dynamics.com/steal",
        "https://org.crm4.dynamics.com.evil.example/steal",
        "https://org.crm4.dynamics.com@evil.example/steal",
        "https://user:word@org.crm4.dynamics.com/steal",
        "https://org.crm4.dynamics.com:8443/steal",
        "https://org.api.crm4.dynamics.com:8443/steal",
        "http://org.crm4.dynamics.com/steal",
        "http://org.api.crm4.dynamics.com/steal",
        "//evil.example/steal",
        "/api/data/v9.2/steal",
        "not an address",
    ],
)
def test_the_token_goes_to_no_other_host(erp, link):
    with pytest.raises(NeedsPerson, match="next page that cannot be followed"):
        leading_to(erp, link, HOST).find("contact")
    assert not [call for call in erp.calls if "steal" in call.url]


@pytest.mark.parametrize("address", [HOST, API_HOST])
@pytest.mark.parametrize("host", [HOST, API_HOST, API_HOST + ":443", API_HOST.upper().replace("HTTPS", "https")])
def test_a_next_page_on_either_host_is_followed(erp, address, host):
    customer(erp.connect())
    dynamics = leading_to(erp, f"{host}/api/data/v9.2/contacts?$select=lastname", address)
    assert [one["lastname"] for one in dynamics.find("contact")] == ["Guest", "Guest"]


def test_an_api_host_leads_to_the_screens_and_the_scope_of_the_environment(erp):
    dynamics = erp.connect(environment_url=f"{API_HOST}/api/data/v9.2/", authority=HOST)
    assert dynamics.link("contact", "1").startswith(f"{HOST}/main.aspx?")
    assert dynamics.find("contact") == []  # the sign-in grants tokens for the scope of this host alone
    assert dynamics._client.entra._form["scope"] == f"{HOST}/.default"


@pytest.mark.parametrize("address", ["https://erp.api.example.com", "https://api.crm.example", "https://x.api.crm.com"])
def test_an_address_that_is_nobody_elses_api_host_stays_as_it_is(address):
    assert Dynamics365({**GIVEN, "environment_url": address}).link("contact", "1").startswith(f"{address}/main")
