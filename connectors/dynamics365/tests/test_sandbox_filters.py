"""What `$filter` and addresses say about related rows, and what is told to be out of the sandbox's reach."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api, code_of, write_in

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
OURS = "Microsoft.Dynamics.CRM."


@pytest.fixture
def api():
    times = {"now": NOW}
    api = Api(Dynamics365Sandbox(clock=lambda: times["now"]))
    orders = {
        "lamps": [api.line(quantity=2), api.line(quantity=5)],
        "fees": [write_in("Fee", 4), write_in("Gift", 9)],
        "empty": [],
    }
    for hours, (name, lines) in enumerate(orders.items()):
        times["now"] = NOW.replace(hour=9 + hours)
        api.create("salesorders", api.order(lines, name=name, ordernumber=f"N-{hours}"))
    times["now"] = NOW
    return api


def names(api, filter):
    answer = api.client.get("/api/data/v9.2/salesorders", params={"$filter": filter, "$select": "name"})
    assert answer.status_code == 200, answer.text
    return sorted(one["name"] for one in answer.json()["value"])


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("order_details/any()", ["fees", "lamps"]),
        ("not order_details/any()", ["empty"]),
        ("order_details/any(o:o/quantity gt 4)", ["lamps"]),
        ("order_details/any(o:o/quantity gt 4 and o/priceperunit lt 5)", []),
        ("order_details/all(o:o/quantity ge 2)", ["empty", "lamps"]),
        ("order_details/any(line:contains(line/productdescription,'ift'))", ["fees"]),
        ("order_details/any(o:o/productid/productnumber eq 'LAMP-100')", ["lamps"]),
        ("order_details/any(o:(o/quantity eq 5 or o/priceperunit eq 9)) and name ne 'fees'", ["lamps"]),
        (f'order_details/any(o:o/{OURS}In(PropertyName=\'quantity\',PropertyValues=["5","6"]))', ["lamps"]),
        ("order_details/any(o:o/baseamount eq o/priceperunit)", ["fees"]),
        ("order_details/any(o:o/isproductoverridden) or name eq 'empty'", ["empty", "fees"]),
        (f"{OURS}In(PropertyName='name',PropertyValues=['LAMPS','none'])", ["lamps"]),
        (f'{OURS}Between(PropertyName=\'ordernumber\',PropertyValues=["N-1","N-2"])', ["empty", "fees"]),
        (f'{OURS}NotBetween(PropertyName=\'ordernumber\',PropertyValues=["N-1","N-2"])', ["lamps"]),
        (f'{OURS}Between(PropertyName=\'totaltax\',PropertyValues=["0","1.5"])', ["empty", "fees", "lamps"]),
        (f"{OURS}LastXHours(PropertyName='createdon',PropertyValue=2)", ["empty", "fees"]),
        (f"{OURS}LastXHours(PropertyName='createdon',PropertyValue='1')", ["empty"]),
        (f"{OURS}LastXDays(PropertyName='createdon',PropertyValue=1)", ["empty", "fees", "lamps"]),
        (f"{OURS}NextXHours(PropertyName='createdon',PropertyValue=5)", []),
        (f"{OURS}OlderThanXMinutes(PropertyName='createdon',PropertyValue=90)", ["fees", "lamps"]),
        (f"{OURS}EqualUserId(PropertyName='ownerid') and name eq 'fees'", ["fees"]),
        (f"{OURS}NotEqualUserId(PropertyName='_ownerid_value')", []),
        ("name eq ordernumber", []),
        ("createdon eq modifiedon and name ne ordernumber", ["empty", "fees", "lamps"]),
    ],
)
def test_a_filter_looks_at_related_rows_and_spans_of_time(api, filter, found):
    assert names(api, filter) == found


@pytest.mark.parametrize(
    "filter",
    [
        "order_details/any(o:o/shoesize eq 1)",
        "order_details/any(o:o/quantity gt)",
        "order_details/any(o o/quantity gt 1)",
        "order_details/all()",
        "order_details/some(o:o/quantity gt 1)",
        "unicorns/any(o:o/quantity gt 1)",
        "order_details/any(o:o/quantity gt 1",
        "name eq totalamount",
        f"{OURS}Sparkles(PropertyName='name')",
        f"{OURS}Between(PropertyName='totaltax',PropertyValues=[\"1\"])",
        f"{OURS}Between(PropertyName='totaltax',PropertyValues=[1,2,3])",
        f"{OURS}In(PropertyName='name',PropertyValues=[oops])",
        f"{OURS}In(PropertyName='shoesize',PropertyValues=[1])",
        f"{OURS}LastXHours(PropertyName='name',PropertyValue=1)",
        f"{OURS}LastXHours(PropertyName='createdon',PropertyValue=-1)",
        f"{OURS}LastXHours(PropertyName='createdon',PropertyValue=999999999999)",
        f"{OURS}LastXHours(PropertyName='createdon')",
        "(" * 3000 + "name eq 'x'" + ")" * 3000,
    ],
)
def test_a_filter_that_the_service_does_not_understand_is_refused(api, filter):
    answer = api.client.get("/api/data/v9.2/salesorders", params={"$filter": filter})
    assert code_of(answer) == (400, "0x80060888")


@pytest.mark.parametrize(
    "query",
    [
        f"$filter={OURS}Yesterday(PropertyName='createdon')",
        f"$filter={OURS}Under(PropertyName='salesorderid',PropertyValue='1')",
        "$filter=customerid_contact/ownerid/fullname eq 'x'",
        "$filter=order_details/any(o:name eq 'x')",
        "$filter=customerid_contact/contact_customer_contacts/any(o:o/name eq 'x')",
        "$orderby=customerid_contact/fullname",
        "$expand=order_details/$ref",
        "$apply=aggregate(totalamount with sum as total)",
        "fetchXml=%3Cfetch/%3E",
    ],
)
def test_an_option_that_only_the_sandbox_does_not_know_says_so(api, query):
    answer = api.get(f"salesorders?{query}")
    assert answer.status_code == 501
    assert "sandbox does not speak" in answer.json()["error"]["message"]


@pytest.fixture
def order(api):
    [row] = api.rows("salesorders?$filter=name eq 'lamps'&$select=name")
    return row["salesorderid"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "invoices"),
        ("GET", "leads(00000000-0000-4000-8000-000000000001)"),
        ("GET", "RetrieveVersion()"),
        ("POST", "ConvertSalesOrderToInvoice"),
        ("POST", f"salesorders/{OURS}DeleteMultiple"),
        ("POST", f"salesorders(ID)/{OURS}CalculatePrice"),
        ("GET", "salesorders(ID)/name/$value"),
        ("GET", "salesorders(ID)/order_details/$ref"),
        ("GET", "salesorders(ID)/customerid_contact/$ref"),
        ("GET", "salesorders(ID)/customerid_contact/fullname"),
        ("GET", "salesorders(ID)/order_details(00000000-0000-4000-8000-000000000001)"),
    ],
)
def test_an_address_that_only_the_sandbox_does_not_know_says_so(api, order, method, path):
    answer = api.send(method, path.replace("ID", order), {} if method == "POST" else None)
    assert answer.status_code == 501
    assert "sandbox does not speak" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path", ["unicorns", f"salesorders/{OURS}Sparkle", "salesorders(ID)/unicorns/$count", "Sparkle"]
)
def test_an_address_that_nobody_knows_is_not_found(api, order, path):
    assert code_of(api.get(path.replace("ID", order))) == (404, "0x80060888")


def test_the_lines_of_an_order_have_an_address(api, order):
    rows = api.rows(f"salesorders({order})/order_details?$filter=quantity gt 3&$select=quantity")
    assert [row["quantity"] for row in rows] == [Decimal(5)]
    assert api.get(f"salesorders({order})/order_details/$count").text == "2"
    assert api.get(f"salesorders({order})/order_details/$count?$filter=quantity gt 3").text == "1"
    nobody = "salesorders(00000000-0000-4000-8000-000000000001)/order_details"
    assert code_of(api.get(nobody)) == code_of(api.get(f"{nobody}/$count")) == (404, "0x80040217")
