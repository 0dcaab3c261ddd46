"""Finding records: filters, order, selection, related records, pages."""

from decimal import Decimal

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import EVERYTHING, Api, code_of

PEOPLE = [
    ("Ada", "Byron", "ada@example.com", 2),
    ("Grace", "Hopper", "grace@example.com", 2),
    ("Edsger", "O'Dijkstra", None, 1),
    ("Alan", "Turing", "alan_t@example.com", 1),
]


@pytest.fixture
def api():
    api = Api(Dynamics365Sandbox())
    for first, last, email, gender in PEOPLE:
        api.create("contacts", {"firstname": first, "lastname": last, "emailaddress1": email, "gendercode": gender})
    return api


def matching(api, filter):
    answer = api.client.get("/api/data/v9.2/contacts", params={"$filter": filter, "$select": "firstname"})
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ("lastname eq 'BYRON'", ["Ada"]),
        ("lastname eq 'O''Dijkstra'", ["Edsger"]),
        ("lastname ne 'Byron'", ["Alan", "Edsger", "Grace"]),
        ("emailaddress1 eq null", ["Edsger"]),
        ("emailaddress1 ne null and gendercode eq 2", ["Ada", "Grace"]),
        ("gendercode eq 1 or lastname eq 'Byron'", ["Ada", "Alan", "Edsger"]),
        ("not (gendercode eq 1 or lastname eq 'Byron')", ["Grace"]),
        ("not contains(lastname,'o')", ["Alan"]),
        ("contains(lastname,'o')", ["Ada", "Edsger", "Grace"]),
        ("startswith(firstname,'a')", ["Ada", "Alan"]),
        ("endswith(emailaddress1,'_t@example.com')", ["Alan"]),
        ("contains(emailaddress1,'n_t')", ["Alan"]),
        ("contains(firstname,'d%a')", ["Ada"]),
        ("contains(firstname,'[ab]la')", ["Alan"]),
        ("lastname gt 'Hopper'", ["Alan", "Edsger"]),
        ("createdon ge 2020-01-01T00:00:00Z and createdon lt 2999-01-01", ["Ada", "Alan", "Edsger", "Grace"]),
        ("createdon gt 2999-01-01T00:00:00.5+02:00", []),
        ("ownerid/fullname eq '# Tillbridge' and startswith(lastname,'T')", ["Alan"]),
        ('Microsoft.Dynamics.CRM.In(PropertyName=\'lastname\',PropertyValues=["byron","Turing"])', ["Ada", "Alan"]),
        ("Microsoft.Dynamics.CRM.In(PropertyName='gendercode',PropertyValues=[\"2\"])", ["Ada", "Grace"]),
        (
            "Microsoft.Dynamics.CRM.NotIn(PropertyName='emailaddress1',PropertyValues=[\"a]'\"])",
            ["Ada", "Alan", "Grace"],
        ),
        ("donotemail eq false", ["Ada", "Alan", "Edsger", "Grace"]),
    ],
)
def test_a_filter_lets_in_what_it_says(api, filter, names):
    assert sorted(one["firstname"] for one in matching(api, filter)) == names


@pytest.mark.parametrize(
    "filter",
    [
        "nickname eq 'x'",
        "parentcustomerid eq null",
        "lastname eq 5",
        "gendercode eq 'Male'",
        "lastname eq",
        "lastname eq 'x' and",
        "(lastname eq 'x'",
        "lastname like 'x'",
        "contains(gendercode,'1')",
        "contains(lastname,'[^]')",
        "unknown(lastname,'x')",
        "createdon gt yesterday",
        "ownerid/shoesize eq 1",
        "lastname eq 'x' x",
        "'x' eq lastname",
        "Microsoft.Dynamics.CRM.In(PropertyName='lastname')",
        "§",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(api, filter):
    answer = api.client.get("/api/data/v9.2/contacts", params={"$filter": filter})
    assert code_of(answer) == (400, "0x80060888")


def test_a_lookup_is_filtered_by_id_quoted_or_not(api):
    account = api.create("accounts", {"name": "A"})
    one = api.rows("contacts?$filter=lastname eq 'Byron'")[0]["contactid"]
    api.patch(f"contacts({one})", {"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    for value in (account, f"'{account}'", account.upper()):
        [row] = api.rows(f"contacts?$filter=_parentcustomerid_value eq {value}")
        assert row["contactid"] == one
    assert len(api.rows("contacts?$filter=_parentcustomerid_value eq null")) == 3


def test_amounts_and_numbers_are_compared_as_numbers(api):
    assert api.rows("products?$filter=quantitydecimal ge 3") == []
    dear = api.rows("productpricelevels?$filter=amount gt 100.5 and amount lt 1000&$select=amount")
    assert (
        {row["amount"] for row in dear}
        == {row["amount"] for row in api.rows("productpricelevels") if Decimal("100.5") < row["amount"] < 1000}
        != set()
    )


def test_rows_carry_etag_and_key_whatever_is_selected(api):
    row = api.rows("contacts?$select=lastname&$top=1")[0]
    assert set(row) == {"@odata.etag", "contactid", "lastname"}


@pytest.mark.parametrize("option", ["$select=nickname", "$orderby=nickname", "$expand=nickname", "$select=customerid"])
def test_an_unknown_column_is_named(api, option):
    answer = api.get(f"contacts?{option}")
    assert code_of(answer) == (400, "0x80060888")
    assert option.partition("=")[2] in answer.json()["error"]["message"]


@pytest.mark.parametrize("option", ["$skip=1", "$search=x", "$top=-1", "$top=x", "$orderby=lastname up"])
def test_options_that_the_service_does_not_know_are_refused(api, option):
    assert code_of(api.get(f"contacts?{option}"))[0] == 400


def test_rows_come_in_the_order_asked_for_with_nulls_first(api):
    rows = api.rows("contacts?$orderby=gendercode desc,lastname")
    assert [row["firstname"] for row in rows] == ["Ada", "Grace", "Edsger", "Alan"]
    assert api.rows("contacts?$orderby=emailaddress1")[0]["firstname"] == "Edsger"


def test_annotations_tell_an_account_from_a_contact_and_format_values(api):
    account = api.create("accounts", {"name": "Analytical", "creditlimit": 1234.5})
    contact = api.create(
        "contacts", {"lastname": "B", "gendercode": 2, "parentcustomerid_account@odata.bind": f"/accounts({account})"}
    )
    row = api.get(f"contacts({contact})", **EVERYTHING).json()
    lookup = "_parentcustomerid_value"
    assert row[f"{lookup}@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    assert row[f"{lookup}@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "parentcustomerid_account"
    assert row[f"{lookup}@OData.Community.Display.V1.FormattedValue"] == "Analytical"
    assert row["gendercode@OData.Community.Display.V1.FormattedValue"] == "Female"
    money = api.get(f"accounts({account})", Prefer='odata.include-annotations="OData.Community.Display.V1.*"').json()
    assert money["creditlimit@OData.Community.Display.V1.FormattedValue"] == "€1,234.50"
    assert not any("lookuplogicalname" in name for name in money)


def test_related_records_come_with_their_own_options(api):
    order = api.order([api.line(quantity=quantity) for quantity in (1, 3, 2)])
    id = api.create("salesorders", order)
    nested = "$select=quantity;$filter=quantity gt 1;$orderby=quantity desc;$expand=productid($select=name)"
    row = api.one(
        f"salesorders({id})?$select=name&$expand=order_details({nested}),customerid_contact,customerid_account"
    )
    assert [line["quantity"] for line in row["order_details"]] == [Decimal(3), Decimal(2)]
    assert row["order_details"][0]["productid"]["name"] == "Desk lamp, brass"
    assert (row["customerid_contact"]["fullname"], row["customerid_account"]) == ("Ada Byron", None)


def test_top_and_count(api):
    assert len(api.rows("contacts?$top=2")) == 2
    answer = api.one("contacts?$top=1&$count=true&$filter=gendercode eq 1")
    assert (answer["@odata.count"], len(answer["value"])) == (2, 1)
    assert api.get("contacts/$count").text == "4"


def test_pages_follow_one_another_until_the_last(api):
    prefer, names = {"Prefer": "odata.maxpagesize=3"}, []
    link = "contacts?$select=lastname&$orderby=lastname&$top=1"  # $top is ignored where a page size is asked for
    sizes = []
    while link:
        answer = api.get(link, **prefer)
        assert answer.headers["Preference-Applied"] == "odata.maxpagesize=3"
        page = answer.json()
        sizes.append(len(page["value"]))
        names += [one["lastname"] for one in page["value"]]
        link = page.get("@odata.nextLink")
        assert link is None or "%3Ccookie" in link
    assert sizes == [3, 1]
    assert names == ["Byron", "Hopper", "O'Dijkstra", "Turing"]


def test_a_page_link_followed_with_another_size_loses_rows(api):
    first = api.get("contacts", Prefer="odata.maxpagesize=1").json()
    rest = api.get(first["@odata.nextLink"]).json()
    assert len(first["value"]) + len(rest["value"]) < 4


def test_a_page_link_that_was_tampered_with_is_refused(api):
    assert code_of(api.get("contacts?$skiptoken=2"))[0] == 400
    assert code_of(api.get("contacts", Prefer="odata.maxpagesize=0"))[0] == 400
