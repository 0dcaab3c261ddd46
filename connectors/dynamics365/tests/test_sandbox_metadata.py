"""Discovery: tables, keys and columns as a client asks for them, custom columns included."""

from decimal import Decimal

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api

ORDER = "EntityDefinitions(LogicalName='salesorder')"


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


def attributes(api, query=""):
    return {one["LogicalName"]: one for one in api.rows(f"{ORDER}/Attributes{query}")}


def test_a_table_is_found_by_its_logical_name(api):
    query = "$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName eq 'transactioncurrency'"
    [found] = api.rows(f"EntityDefinitions?{query}")
    assert found["EntitySetName"] == "transactioncurrencies"
    assert found["PrimaryIdAttribute"] == "transactioncurrencyid"
    assert set(found) == {"LogicalName", "EntitySetName", "PrimaryIdAttribute", "MetadataId"}
    assert api.rows("EntityDefinitions?$filter=LogicalName eq 'unicorn'") == []
    assert api.get("EntityDefinitions(LogicalName='unicorn')").status_code == 404


def test_alternate_keys_come_with_the_table(api):
    table = api.one(f"{ORDER}?$select=SchemaName&$expand=Keys($select=KeyAttributes,EntityKeyIndexStatus)")
    assert table["SchemaName"] == "SalesOrder"
    [key] = table["Keys"]
    assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (["new_psorderid"], "Active")
    assert api.one("EntityDefinitions(LogicalName='product')?$expand=Keys")["Keys"] == []


def test_columns_say_what_they_take(api):
    found = attributes(api)
    assert found["name"]["MaxLength"] == 300
    assert found["ordernumber"]["RequiredLevel"]["Value"] == "SystemRequired"
    assert (found["ordernumber"]["IsValidForCreate"], found["ordernumber"]["IsValidForUpdate"]) == (True, False)
    assert found["totalamount"]["IsValidForCreate"] is False
    freight = found["freightamount"]
    assert (freight["Precision"], freight["PrecisionSource"], freight["MaxValue"]) == (2, 2, Decimal(10**12))
    assert found["customerid"]["AttributeType"] == "Customer"
    assert found["customerid"]["Targets"] == ["account", "contact"]
    assert found["requestdeliveryby"]["Format"] == "DateOnly"
    assert found["customerid"]["DisplayName"]["UserLocalizedLabel"]["Label"] == "Potential Customer"


def test_one_column_and_columns_of_one_type(api):
    one = api.one(f"{ORDER}/Attributes(LogicalName='name')?$select=MaxLength")
    assert one["MaxLength"] == 300
    strings = attributes(api, "/Microsoft.Dynamics.CRM.StringAttributeMetadata?$select=LogicalName,MaxLength")
    assert "name" in strings
    assert "freightamount" not in strings
    money = api.one(f"{ORDER}/Attributes(LogicalName='freightamount')/Microsoft.Dynamics.CRM.MoneyAttributeMetadata")
    assert money["PrecisionSource"] == 2
    assert api.get(f"{ORDER}/Attributes(LogicalName='horn')").status_code == 404


def test_choices_come_with_labels(api):
    path = "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)"
    options = attributes(api, path)["shippingmethodcode"]["OptionSet"]["Options"]
    labels = {one["Value"]: one["Label"]["UserLocalizedLabel"]["Label"] for one in options}
    assert labels[2] == "DHL"
    path = "/Microsoft.Dynamics.CRM.StatusAttributeMetadata?$expand=OptionSet"
    [status] = api.rows(f"{ORDER}/Attributes{path}")
    assert {one["Value"]: one["State"] for one in status["OptionSet"]["Options"]}[100001] == 3


def test_a_custom_column_is_discovered_written_and_found(api):
    api.sandbox.add_column("contact", "new_ShopKey", "String", 10, "Shop key")
    path = "EntityDefinitions(LogicalName='contact')/Attributes?$filter=IsCustomAttribute eq true"
    [found] = api.rows(path)
    assert [found[name] for name in ("LogicalName", "SchemaName", "MaxLength")] == ["new_shopkey", "new_ShopKey", 10]
    id = api.create("contacts", {"lastname": "B", "new_shopkey": "7"})
    [row] = api.rows("contacts?$filter=new_shopkey eq '7'&$select=new_shopkey")
    assert row["contactid"] == id
    assert api.post("contacts", {"lastname": "B", "new_ShopKey": "7"}).status_code == 400
    assert api.post("contacts", {"lastname": "B", "new_shopkey": "x" * 11}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "EntityDefinitions?$filter=nonsense",
        f"{ORDER}/Attributes?$filter=nonsense",
        f"{ORDER}?$expand=Privileges",
        f"{ORDER}/Unicorns",
        "RelationshipDefinitions",
        "$metadata",
    ],
)
def test_what_the_sandbox_does_not_describe_is_said(api, path):
    assert api.get(path).status_code in (400, 404, 501)
    assert api.post("EntityDefinitions", {}).status_code == 501
