"""Orders and their lines: customer, currency, catalogue lines and write-in lines, closed orders."""

from typing import Any
from uuid import NAMESPACE_OID, uuid5

from connectors.dynamics365.sandbox import pricing
from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import invalid
from connectors.dynamics365.sandbox.store import Row

OPEN = 0
ADDRESS_PARTS = ("line1", "line2", "line3", "city", "stateorprovince", "postalcode", "country")


def prepare_order(environment: Environment, row: Row, before: Row | None) -> None:
    if row["customerid"] is None:
        raise invalid("You should specify a parent contact or account.")
    kind = row["customerid"][0]
    row["accountid"] = row["customerid"] if kind == "account" else None
    row["contactid"] = row["customerid"] if kind == "contact" else None
    row["transactioncurrencyid"] = row["transactioncurrencyid"] or environment.organization["basecurrencyid"]
    price_list = environment.target(row["pricelevelid"])
    if price_list and price_list["transactioncurrencyid"] != row["transactioncurrencyid"]:
        raise invalid(
            "The currency of the record does not match the currency of the price list.",
            "0x80048cf6",
        )
    if not row["ordernumber"]:
        row["ordernumber"] = automatic_number(environment.store.next_number())
    for side in ("billto", "shipto"):
        parts = [row[f"{side}_{part}"] for part in ADDRESS_PARTS]
        row[f"{side}_composite"] = "\r\n".join(one for one in parts if one) or None
    pricing.total(environment, row)


def automatic_number(number: int) -> str:
    """`ORD-01001-K3B7QX`, as a fresh organization numbers its orders."""
    return f"ORD-{number:05d}-{uuid5(NAMESPACE_OID, str(number)).hex[:6].upper()}"


def refuse_closed(before: Row, values: dict[str, Any]) -> None:
    changed = [name for name, value in values.items() if before.get(name) != value]
    if before["statecode"] != OPEN and any(name not in ("statecode", "statuscode") for name in changed):
        raise invalid("Cannot Update a Read-Only Entity", "0x8004022e")


def refuse_delete(row: Row) -> None:
    if row["statecode"] != OPEN:
        raise invalid("Cannot delete a read-only entity", "0x80040228")


def open_order(environment: Environment, line: Row) -> Row:
    """The line's order. Raises Refused where there is none or it is closed."""
    order = environment.target(line["salesorderid"])
    if order is None:
        raise invalid("Attribute 'salesorderid' cannot be NULL")
    if order["statecode"] != OPEN:
        raise invalid("The parent of this record is read-only: the order is not active.", "0x80043b09")
    return order


def prepare_line(environment: Environment, row: Row, before: Row | None) -> None:
    order = open_order(environment, row)
    if row["transactioncurrencyid"] not in (None, order["transactioncurrencyid"]):
        raise invalid("The currency of the line does not match the currency of the order.", "0x80048cf6")
    row["transactioncurrencyid"] = order["transactioncurrencyid"]
    row["salesorderstatecode"], row["salesorderispricelocked"] = order["statecode"], order["ispricelocked"]
    if row["isproductoverridden"]:
        check_write_in(row)
    else:
        check_catalogue(environment, row)
    if row["quantity"] is None:
        raise invalid("The quantity is missing.")
    row["salesorderdetailname"] = row["salesorderdetailname"] or row["productname"]
    if before is None:
        others = environment.store.where("salesorderdetail", "salesorderid", row["salesorderid"])
        last = max((one["lineitemnumber"] or 0 for one in others), default=0)
        row["lineitemnumber"] = row["lineitemnumber"] or last + 1
        row["sequencenumber"] = row["sequencenumber"] or row["lineitemnumber"]
    pricing.price_line(environment, row, order)


def check_write_in(row: Row) -> None:
    if row["productid"]:
        raise invalid("You cannot set both 'productid' and 'productdescription' for the record.", "0x80043afb")
    if row["uomid"]:
        raise invalid("You cannot set both 'uomid' and 'productdescription' for the record.", "0x80043afa")
    if not row["productdescription"]:
        raise invalid("The product description of the write-in product is missing.", "0x80043b11")
    row["productname"], row["productnumber"] = row["productdescription"], None


def check_catalogue(environment: Environment, row: Row) -> None:
    if row["productdescription"]:
        raise invalid("You cannot set both 'productid' and 'productdescription' for the record.", "0x80043afb")
    product = environment.target(row["productid"])
    if product is None:
        raise invalid("The product ID is missing.", "0x80043b11")
    unit = environment.target(row["uomid"])
    if unit is None:
        raise invalid("The unit ID is missing.", "0x80043b0d")
    if product["statecode"] != OPEN:
        raise invalid(f"You can't add the product '{product['productnumber']}' because it is not active.")
    if unit["uomscheduleid"] != product["defaultuomscheduleid"]:
        raise invalid("The unit is not valid for this product.", "0x80043b14")
    row["productname"], row["productnumber"] = product["name"], product["productnumber"]
