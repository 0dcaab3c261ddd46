"""Orders: deep insert in one transaction, catalogue and write-in lines, currency, closed orders, deletion."""

from uuid import uuid4

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import ORDER_ID, Api, code_of, write_in


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


def close(api, id, action="FulfillSalesOrder", status=-1, path=""):
    body = {
        "OrderClose": {
            "@odata.type": "Microsoft.Dynamics.CRM.orderclose",
            "subject": "Shipped",
            "salesorderid@odata.bind": f"/salesorders({id})",
        },
        "Status": status,
    }
    return api.post(f"{path}{action}", body)


def test_header_and_lines_are_made_by_one_request(api):
    id = api.create("salesorders", api.order([api.line(), write_in()], salesorderid=ORDER_ID, ordernumber="PS-44"))
    order = api.one(f"salesorders({id})?$expand=order_details($orderby=lineitemnumber)")
    assert (id, order["ordernumber"], order["statuscode"]) == (ORDER_ID, "PS-44", 1)
    assert order["_contactid_value"] == order["_customerid_value"]
    catalogue, other = order["order_details"]
    assert (catalogue["productnumber"], catalogue["productname"]) == ("LAMP-100", "Desk lamp, brass")
    assert (other["productname"], other["_productid_value"]) == ("Gift wrapping", None)
    assert [line["lineitemnumber"] for line in order["order_details"]] == [1, 2]


def test_a_repeat_under_the_same_id_is_412_and_changes_nothing(api):
    order = api.order([api.line()], salesorderid=ORDER_ID)
    api.create("salesorders", order)
    tag = api.one(f"salesorders({ORDER_ID})")["@odata.etag"]
    assert code_of(api.post("salesorders", order)) == (412, "0x80040237")
    assert api.one(f"salesorders({ORDER_ID})")["@odata.etag"] == tag
    assert len(api.rows("salesorderdetails")) == 1


def test_one_refused_line_refuses_the_order(api):
    broken = api.line() | {"productid@odata.bind": f"/products({uuid4()})"}
    assert code_of(api.post("salesorders", api.order([api.line(), broken]))) == (404, "0x80040217")
    line_id = str(uuid4())
    twice = [api.line(salesorderdetailid=line_id), write_in(salesorderdetailid=line_id)]
    assert code_of(api.post("salesorders", api.order(twice))) == (412, "0x80040237")
    assert api.rows("salesorders") == []
    assert api.rows("salesorderdetails") == []


def test_an_order_needs_a_customer(api):
    order = {name: value for name, value in api.order().items() if not name.startswith("customerid")}
    answer = api.post("salesorders", order)
    assert answer.status_code == 400
    assert "parent contact or account" in answer.json()["error"]["message"]


def test_an_order_without_a_number_gets_one_and_no_number_changes(api):
    id = api.create("salesorders", api.order())
    number = api.one(f"salesorders({id})")["ordernumber"]
    assert number.startswith("ORD-")
    assert api.patch(f"salesorders({id})", {"ordernumber": "PS-1"}, If_Match="*").status_code == 400
    assert api.patch(f"salesorders({id})", {"ordernumber": number}, If_Match="*").status_code == 204


def test_price_list_and_order_must_have_one_currency_that_never_changes(api):
    dollar = api.price_list("USD")["_transactioncurrencyid_value"]
    mixed = api.order() | {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({dollar})"}
    assert code_of(api.post("salesorders", mixed)) == (400, "0x80048cf6")
    id = api.create("salesorders", api.order())
    change = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({dollar})"}
    assert api.patch(f"salesorders({id})", change, If_Match="*").status_code == 400
    other = {"pricelevelid@odata.bind": f"/pricelevels({api.price_list('USD')['pricelevelid']})"}
    assert code_of(api.patch(f"salesorders({id})", other, If_Match="*")) == (400, "0x80048cf6")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"productdescription": "By hand"}, "0x80043afb"),
        ({"isproductoverridden": True, "productdescription": "By hand"}, "0x80043afb"),
        ({"productid@odata.bind": None}, "0x80043b11"),
        ({"uomid@odata.bind": None}, "0x80043b0d"),
        ({"ispriceoverridden": True}, "0x80043b10"),
        ({"quantity": None}, "0x80040203"),
        ({"quantity": 1e12}, "0x80044330"),
    ],
)
def test_a_line_that_is_neither_catalogue_nor_write_in_is_refused(api, changes, code):
    assert code_of(api.post("salesorders", api.order([api.line() | changes]))) == (400, code)


def test_a_write_in_line_has_no_unit_and_a_description(api):
    unit = api.line()["uomid@odata.bind"]
    assert code_of(api.post("salesorders", api.order([write_in() | {"uomid@odata.bind": unit}])))[1] == "0x80043afa"
    assert code_of(api.post("salesorders", api.order([write_in("")])))[1] == "0x80043b11"


def test_a_line_needs_its_order(api):
    answer = api.post("salesorderdetails", write_in())
    assert answer.status_code == 400
    assert "salesorderid" in answer.json()["error"]["message"]


def test_a_line_without_list_price_or_price_list_is_refused_unless_it_brings_its_price(api):
    no_list = {k: v for k, v in api.order([api.line()]).items() if not k.startswith("pricelevelid")}
    assert code_of(api.post("salesorders", no_list)) == (400, "0x80043b12")
    for item in api.rows("productpricelevels?$filter=productnumber eq 'LAMP-100'"):
        api.delete(f"productpricelevels({item['productpricelevelid']})")
    assert api.post("salesorders", api.order([api.line()])).status_code == 400
    assert api.post("salesorders", api.order([api.line(ispriceoverridden=True, priceperunit=1)])).status_code == 204


def test_only_active_products_and_their_units_are_sold(api):
    line = api.line()
    group = api.create("uomschedules", {"name": "Weight", "baseuomname": "Kilogram"})
    [kilogram] = api.rows(f"uoms?$filter=_uomscheduleid_value eq {group}")
    other = line | {"uomid@odata.bind": f"/uoms({kilogram['uomid']})"}
    assert code_of(api.post("salesorders", api.order([other]))) == (400, "0x80043b14")
    product = api.product()["productid"]
    assert api.patch(f"products({product})", {"statecode": 1}, If_Match="*").status_code == 204
    answer = api.post("salesorders", api.order([line]))
    assert answer.status_code == 400
    assert "LAMP-100" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["", "salesorders/Microsoft.Dynamics.CRM."])
def test_an_order_is_fulfilled_by_either_form_of_the_action_and_is_then_read_only(api, path):
    id = api.create("salesorders", api.order([write_in()]))
    assert close(api, id, path=path).status_code == 204
    order = api.one(f"salesorders({id})?$expand=order_details")
    assert (order["statecode"], order["statuscode"]) == (3, 100001)
    line = order["order_details"][0]["salesorderdetailid"]
    assert code_of(api.patch(f"salesorders({id})", {"name": "New"}, If_Match="*")) == (400, "0x8004022e")
    assert code_of(api.patch(f"salesorderdetails({line})", {"quantity": 2}, If_Match="*")) == (400, "0x80043b09")
    assert code_of(api.delete(f"salesorderdetails({line})")) == (400, "0x80043b09")
    assert code_of(api.delete(f"salesorders({id})")) == (400, "0x80040228")
    more = write_in() | {"salesorderid@odata.bind": f"/salesorders({id})"}
    assert code_of(api.post("salesorderdetails", more)) == (400, "0x80043b09")
    assert code_of(close(api, id)) == (400, "0x8004022e")


def test_a_cancelled_order_can_be_opened_again(api):
    id = api.create("salesorders", api.order())
    assert close(api, id, "CancelSalesOrder", 4).status_code == 204
    assert api.one(f"salesorders({id})")["statecode"] == 2
    reopened = {"statecode": 0, "statuscode": 1}
    assert api.patch(f"salesorders({id})", reopened, If_Match="*").status_code == 204
    assert api.patch(f"salesorders({id})", {"name": "New"}, If_Match="*").status_code == 204


def test_states_and_their_reasons_must_fit(api):
    id = api.create("salesorders", api.order())
    path = f"salesorders({id})"
    assert code_of(api.patch(path, {"statuscode": 100001}, If_Match="*")) == (400, "0x80048408")
    assert code_of(api.patch(path, {"statecode": 1, "statuscode": 1}, If_Match="*")) == (400, "0x80048408")
    assert api.patch(path, {"statecode": 3, "statuscode": 100001}, If_Match="*").status_code == 400
    assert code_of(close(api, id, "CancelSalesOrder", 100001)) == (400, "0x80048408")
    assert api.patch(path, {"statuscode": 2}, If_Match="*").status_code == 204
    assert api.patch(path, {"statecode": 1}, If_Match="*").status_code == 204
    assert api.one(path)["statuscode"] == 3


@pytest.mark.parametrize("body", [{}, {"OrderClose": 5, "Status": 4}, {"OrderClose": {}, "Status": -1}])
def test_an_action_with_rubbish_is_refused(api, body):
    assert api.post("CancelSalesOrder", body).status_code == 400
    assert code_of(close(api, uuid4(), "CancelSalesOrder", 4)) == (404, "0x80040217")


def test_lines_go_with_their_order_and_orders_with_their_customer(api):
    id = api.create("salesorders", api.order([write_in(), write_in()]))
    customer = api.one(f"salesorders({id})")["_customerid_value"]
    assert api.delete(f"contacts({customer})").status_code == 204
    assert api.rows("salesorders") == api.rows("salesorderdetails") == []


def test_what_an_order_needs_cannot_be_deleted(api):
    api.create("salesorders", api.order([api.line()]))
    product, price_list = api.product()["productid"], api.price_list()["pricelevelid"]
    assert code_of(api.delete(f"products({product})")) == (405, "0x80040227")
    assert code_of(api.delete(f"pricelevels({price_list})")) == (405, "0x80040227")
    assert len(api.rows("productpricelevels?$filter=productnumber eq 'LAMP-100'")) == 2
