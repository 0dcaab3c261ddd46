"""Products, units and price lists, and the catalogue that is seeded from a shop."""

from decimal import Decimal

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api, code_of

ITEMS = [
    {"number": "MUG-1", "name": "Mug", "price": Decimal("11.90")},
    {"number": "POSTER-2-14", "name": "Poster, " + "very " * 30 + "long", "price": Decimal("9")},
]
CURRENCIES = [
    {"iso_code": "EUR", "precision": 2, "rate": Decimal(1)},
    {"iso_code": "JPY", "precision": 0, "rate": Decimal("162.4")},
]


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


def draft(api, **given):
    lamp = api.product()
    return {
        "productnumber": "NEW-1",
        "name": "New",
        "defaultuomid@odata.bind": f"/uoms({lamp['_defaultuomid_value']})",
        "defaultuomscheduleid@odata.bind": f"/uomschedules({lamp['_defaultuomscheduleid_value']})",
        **given,
    }


def test_a_new_product_is_a_draft_until_it_is_published(api):
    id = api.create("products", draft(api))
    assert [api.one(f"products({id})")[name] for name in ("statecode", "statuscode")] == [2, 0]
    assert api.patch(f"products({id})", {"statecode": 0, "statuscode": 1}, If_Match="*").status_code == 204
    assert api.one(f"products({id})")["statecode"] == 0


def test_an_organization_may_make_products_active_at_once(api):
    organization = api.one("WhoAmI")["OrganizationId"]
    setting = {"createproductswithoutparentinactivestate": True}
    api.patch(f"organizations({organization})", setting, If_Match="*")
    assert api.one(f"products({api.create('products', draft(api))})")["statecode"] == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"productnumber": "lamp-100"}, "0x80043b06"),
        ({"productnumber": None}, "0x80040203"),
        ({"defaultuomid@odata.bind": None}, "0x80043b0d"),
        ({"defaultuomscheduleid@odata.bind": None}, "0x80043b0a"),
    ],
)
def test_a_product_needs_a_number_of_its_own_and_a_unit(api, changes, code):
    assert code_of(api.post("products", draft(api) | changes)) == (400, code)


def test_a_product_stands_once_in_a_price_list_and_in_its_currency(api):
    [item] = api.rows(
        f"productpricelevels?$filter=productnumber eq 'LAMP-100' and _pricelevelid_value eq "
        f"{api.price_list('USD')['pricelevelid']}"
    )
    assert item["_transactioncurrencyid_value"] == api.price_list("USD")["_transactioncurrencyid_value"]
    again = {
        "amount": 1,
        "productid@odata.bind": f"/products({item['_productid_value']})",
        "pricelevelid@odata.bind": f"/pricelevels({item['_pricelevelid_value']})",
        "uomid@odata.bind": f"/uoms({item['_uomid_value']})",
    }
    assert code_of(api.post("productpricelevels", again)) == (400, "0x80043b08")
    currency = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({item['_transactioncurrencyid_value']})"}
    assert code_of(api.post("productpricelevels", again | currency)) == (400, "0x80040203")


def test_a_currency_stands_once(api):
    euro = {"isocurrencycode": "EUR", "currencyname": "Euro", "currencysymbol": "€", "exchangerate": 1}
    assert code_of(api.post("transactioncurrencies", euro)) == (412, "0x80040237")


def test_a_shops_catalogue_is_seeded_with_prices_of_its_own(api):
    api.sandbox.seed(ITEMS, CURRENCIES)
    mug = api.product("MUG-1")
    assert mug["statecode"] == 0
    assert len(api.product("POSTER-2-14")["name"]) == 100
    prices = api.rows(
        f"productpricelevels?$filter=_productid_value eq {mug['productid']}&$expand=transactioncurrencyid"
    )
    found = {one["transactioncurrencyid"]["isocurrencycode"]: one["amount"] for one in prices}
    assert found == {"EUR": Decimal("19.3"), "JPY": Decimal("2651")}
    [yen] = api.rows("transactioncurrencies?$filter=isocurrencycode eq 'JPY'")
    assert (yen["currencyprecision"], yen["exchangerate"]) == (0, Decimal("162.4"))


def test_seeding_the_same_again_changes_nothing(api):
    odd = [{"iso_code": "GBP", "precision": 2, "rate": Decimal(1) / Decimal(7)}, *CURRENCIES]
    api.sandbox.seed(ITEMS, odd)
    before = api.sandbox.dump()
    api.sandbox.seed(ITEMS, odd)
    assert api.sandbox.dump() == before


def test_seeding_again_leaves_one_of_each_with_the_newer_values(api):
    api.sandbox.seed(ITEMS, CURRENCIES)
    sets = ("products", "pricelevels", "productpricelevels", "transactioncurrencies", "uoms", "uomschedules")
    before = {name: len(api.rows(name)) for name in sets}
    api.sandbox.seed([ITEMS[0] | {"name": "Blue mug", "price": Decimal(10)}, ITEMS[1]], CURRENCIES)
    assert {name: len(api.rows(name)) for name in sets} == before
    mug = api.product("MUG-1")
    assert mug["name"] == "Blue mug"
    amounts = api.rows(f"productpricelevels?$filter=_productid_value eq {mug['productid']} and amount lt 100")
    assert [one["amount"] for one in amounts] == [Decimal("16.7")]


def test_a_catalogue_in_another_base_currency_makes_that_the_organizations(api):
    dollar = {"iso_code": "USD", "precision": 2, "rate": Decimal(1)}
    api.sandbox.seed(ITEMS, [dollar, {"iso_code": "EUR", "precision": 2, "rate": Decimal("0.92")}])
    base = api.rows("organizations?$expand=basecurrencyid")[0]["basecurrencyid"]
    assert base["isocurrencycode"] == "USD"


def test_two_sandboxes_seeded_alike_have_the_same_ids(api):
    other = Api(Dynamics365Sandbox())
    for one in (api, other):
        one.sandbox.seed(ITEMS, CURRENCIES)
    assert api.product("MUG-1")["productid"] == other.product("MUG-1")["productid"]
    assert api.price_list("JPY")["pricelevelid"] == other.price_list("JPY")["pricelevelid"]
