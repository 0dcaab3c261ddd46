from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from connectors.dynamics365 import connector as Dynamics365
from connectors.dynamics365.entities import TABLES
from connectors.dynamics365.tests.connected import Erp, Through, order
from connectors.errors import NeedsPerson, SignInRefused, TryLater

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"
GIVEN = {
    "environment_url": "https://x.crm4.dynamics.com",
    "tenant": "shop.example",
    "client_id": "c",
    "client_secret": "s",
}


@pytest.fixture
def erp():
    return Erp()


def price(entity):
    return next(one for one in entity.field("order_details").fields if one.name == "priceperunit")


def test_a_column_of_the_customers_own_appears_with_its_length_and_is_written(erp):
    erp.sandbox.add_column("salesorder", "new_ShopOrder", "String", 40, "Shop order")
    dynamics = erp.connect(order_reference_column="new_ShopOrder")
    column = dynamics.entity("salesorder").field("new_shoporder")
    assert (column.label, column.type, column.max_length) == ("Shop order", "text", 40)
    written = dynamics.write("salesorder", order(dynamics, new_shoporder="FR-44"), idempotency_key=KEY)
    assert written.record["new_shoporder"] == "FR-44"
    assert [one["salesorderid"] for one in dynamics.find("salesorder", new_shoporder="FR-44")] == [KEY]


def test_a_column_that_does_not_exist_needs_a_person(erp):
    with pytest.raises(NeedsPerson, match="no column new_shoporder") as refused:
        erp.connect(order_reference_column="new_shoporder").entity("salesorder")
    assert "Power Apps" in refused.value.hint


def test_a_column_that_holds_no_text_needs_a_person(erp):
    erp.sandbox.add_column("salesorder", "new_shoporder", "Integer")
    with pytest.raises(NeedsPerson, match="of type Integer"):
        erp.connect(order_reference_column="new_shoporder").entity("salesorder")


@pytest.mark.parametrize("name", ["new order", "x')/Attributes", "1st"])
def test_what_cannot_be_a_column_is_refused_at_once(erp, name):
    with pytest.raises(NeedsPerson, match="no column name"):
        erp.connect(order_reference_column=name)


def test_unit_prices_have_the_decimals_that_the_organization_keeps(erp):
    row = erp.call("GET", "organizations?$select=organizationid").json()["value"][0]
    erp.call("PATCH", f"organizations({row['organizationid']})", {"pricingdecimalprecision": 4})
    assert price(erp.connect().entity("salesorder")).places == 4
    assert price(next(one for one in Dynamics365.entities if one.name == "salesorder")).places is None


def test_an_organization_out_of_reach_is_not_taken_for_one_without_a_column(erp):
    erp.fault("maintenance", path="organizations")
    with pytest.raises(TryLater):
        erp.connect(order_reference_column="new_shoporder").entity("salesorder")


@pytest.mark.parametrize("table", [*TABLES.values(), *TABLES["salesorder"].rows.values()], ids=lambda one: one.name)
def test_every_column_that_we_speak_of_is_one_of_the_environment(erp, table):
    rows = erp.call("GET", f"EntityDefinitions(LogicalName='{table.name}')/Attributes").json()["value"]
    there = {row["LogicalName"]: row for row in rows}
    for field in table.scalars():
        column = there[table.columns.get(field.name, field.name)]
        if field.name == table.key:
            continue
        assert field.max_length == column.get("MaxLength"), field.name
        if table.entity.writable and field.writable:
            assert column["IsValidForCreate"] is (field.name not in table.not_on_create), field.name
            assert column["IsValidForUpdate"] is (field.name not in table.not_on_update), field.name


def test_a_record_holds_every_field_and_nothing_else(erp):
    dynamics = erp.connect()
    record = order(dynamics, requestdeliveryby=date(2026, 3, 9), willcall=True, shippingmethodcode=2)
    read = dynamics.write("salesorder", record, idempotency_key=KEY).record
    assert set(read) == {field.name for field in dynamics.entity("salesorder").fields}
    assert (read["requestdeliveryby"], read["willcall"], read["shippingmethodcode"]) == (date(2026, 3, 9), True, 2)
    assert read["createdon"] == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert isinstance(read["totalamount"], Decimal)


def test_the_check_tells_what_a_connection_can_do(erp):
    result = erp.connect(order_reference_column="new_psorderid").check()
    assert result.ok
    facts = dict(result.facts)
    assert facts["Price lists in EUR"]
    assert facts["Price lists in JPY"]
    assert "salesorder" in facts["Tables that may be read"]
    assert facts["Organization"] in result.summary
    assert any("pricing decimal precision" in one for one in result.warnings)


def test_the_check_proves_the_secret_and_not_a_kept_token(erp):
    dynamics = erp.connect()
    dynamics.find("contact")
    with pytest.raises(SignInRefused):
        erp.connect(client_secret="another one").check()


def test_the_check_names_every_table_that_may_not_be_read(erp):
    def refusing(request, response):
        if not any(f"/{name}?" in str(request.url) for name in ("pricelevels", "uoms")):
            return response
        error = {"code": "0x80040220", "message": "is missing prvReadThis privilege"}
        return httpx.Response(403, json={"error": error})

    result = erp.connect(Through(erp, refusing)).check()
    assert not result.ok
    assert len([one for one in result.warnings if "prvReadThis" in one]) == 2
    assert "pricelevel" not in dict(result.facts)["Tables that may be read"].split(", ")


def test_the_check_names_a_missing_column_and_currencies_without_a_list(erp):
    euro = erp.connect().find("pricelevel", name="Web shop EUR")[0]["pricelevelid"]
    erp.call("PATCH", f"pricelevels({euro})", {"statecode": 1, "statuscode": 100002})
    result = erp.connect(order_reference_column="new_missing").check()
    assert not result.ok
    assert "new_missing" in result.summary
    assert any("No active price list in EUR" in one for one in result.warnings)


def test_the_check_tells_of_a_clock_that_is_wrong(erp):
    def dated(request, response):
        response.headers["Date"] = (erp.now - timedelta(minutes=10)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return response

    result = erp.connect(Through(erp, dated)).check()
    assert any("600 s behind" in one for one in result.warnings)


@pytest.mark.parametrize(("on", "warned"), [(True, False), (False, True)])
def test_the_check_warns_where_the_system_computes_no_prices(erp, on, warned):
    row = erp.call("GET", "organizations?$select=organizationid").json()["value"][0]
    erp.call("PATCH", f"organizations({row['organizationid']})", {"oobpricecalculationenabled": on})
    result = erp.connect().check()
    assert result.ok
    assert any("system price calculation" in one for one in result.warnings) is warned


@pytest.mark.parametrize(
    ("address", "warnings"),
    [
        ("http://erp.example:8080", 2),
        ("https://erp.example", 0),
        ("http://localhost:8080", 0),
        ("http://127.0.0.1:8080", 0),
    ],
)
def test_the_check_warns_of_addresses_without_encryption(erp, address, warnings):
    result = erp.connect(environment_url=address, authority=address).check()
    assert result.ok
    assert len([one for one in result.warnings if "without encryption" in one]) == warnings


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("environment_url", "", "Environment address is missing"),
        ("environment_url", "not an address", "not the address of an environment"),
        ("environment_url", "ftp://x.crm.dynamics.com", "not the address of an environment"),
        ("client_secret", "", "Client secret is missing"),
        ("order_write", "twice", "must be one of deep insert, batch"),
        ("page_size", "0", "Rows per page must be 1 to 5000"),
        ("api_version", "9", "Web API version"),
        ("authority", "login", "Sign-in authority"),
        ("authority", "https://login.example/tenant", "Sign-in authority"),
        ("page_size", "٥٠", "Rows per page must be 1 to 5000"),
        ("page_size", "5001", "Rows per page must be 1 to 5000"),
        ("api_version", "v٩.2", "Web API version"),
        ("tenant", "a/b", "Tenant"),
        ("tenant", "contoso", "Tenant"),
        ("tenant", "..", "Tenant"),
        ("tenant", "12345", "Tenant"),
        ("tenant", "a.b_c", "Tenant"),
        ("tenant", "{5d0c2c6e-3f5b-4a77-9a64-0d9f3f6d1e21}", "Tenant"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(setting, value, words):
    with pytest.raises(NeedsPerson, match=words):
        Dynamics365({**GIVEN, setting: value})


@pytest.mark.parametrize("tenant", ["5D0C2C6E-3f5b-4a77-9a64-0d9f3f6d1e21", "contoso.onmicrosoft.com", "a-1.example"])
def test_a_tenant_is_an_id_or_a_domain(tenant):
    assert Dynamics365({**GIVEN, "tenant": f" {tenant} "}).values["tenant"] == tenant


def test_any_page_of_the_environment_will_do_as_its_address():
    dynamics = Dynamics365({**GIVEN, "environment_url": "https://x.crm4.dynamics.com/main.aspx?appid=1"})
    link = dynamics.link("salesorder", KEY)
    assert link == f"https://x.crm4.dynamics.com/main.aspx?pagetype=entityrecord&etn=salesorder&id={KEY}"
    assert dynamics.link("salesorder", "") == ""
