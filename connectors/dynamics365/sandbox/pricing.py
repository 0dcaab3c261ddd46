"""The pricing engine: what a line and an order come to.

A line:   baseamount = (priceperunit - volumediscountamount) x quantity, rounded to the currency's precision
          extendedamount = baseamount - manualdiscountamount + tax
An order: totallineitemamount = sum of (baseamount - manualdiscountamount)
          totaldiscountamount = discountamount + discountpercentage of totallineitemamount
          totalamountlessfreight = totallineitemamount - totaldiscountamount
          totalamount = totalamountlessfreight + freightamount + totaltax, where totaltax = sum of tax
Prices are net and freight carries no tax. The formulas follow Microsoft's descriptions of the columns; that the product
of price and quantity is rounded line by line, and halves away from zero, is unconfirmed.
"""

from decimal import Decimal, localcontext

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import invalid, not_implemented
from connectors.dynamics365.sandbox.store import Row

ZERO = Decimal(0)


def amount(row: Row, name: str) -> Decimal:
    value = row.get(name)
    return value if isinstance(value, Decimal) else ZERO


def set_amount(environment: Environment, table: str, row: Row, name: str, value: Decimal) -> None:
    row[name] = environment.rounded(environment.tables[table].columns[name], row, value)


def price_line(environment: Environment, line: Row, order: Row) -> None:
    """Sets the price that counts, and the line's amounts. Raises Refused where a catalogue line has no list price."""
    table = "salesorderdetail"
    if not line["isproductoverridden"] and not line["ispriceoverridden"]:
        line["priceperunit"] = list_price(environment, line, order)
    if line["priceperunit"] is None:
        raise invalid("The price per unit is invalid.", "0x80043b10")
    for name in ("priceperunit", "manualdiscountamount", "tax", "quantity"):
        if line[name] is not None:
            set_amount(environment, table, line, name, line[name])
    on = bool(environment.organization["oobpricecalculationenabled"])
    with localcontext(prec=60):
        base = (line["priceperunit"] - amount(line, "volumediscountamount")) * line["quantity"]
    set_amount(environment, table, line, "baseamount", base if on else ZERO)
    extended = line["baseamount"] - amount(line, "manualdiscountamount") + amount(line, "tax")
    set_amount(environment, table, line, "extendedamount", extended if on else ZERO)


def list_price(environment: Environment, line: Row, order: Row) -> Decimal:
    """The amount of the price list item for the line's product and unit in the order's price list."""
    price_list = environment.target(order["pricelevelid"])
    if price_list is None:
        raise invalid("The price level is missing.", "0x80043b12")
    if price_list["statecode"] != 0:
        raise invalid(f"The price list '{price_list['name']}' is inactive.")
    for item in environment.store.where("productpricelevel", "productid", line["productid"]):
        if item["pricelevelid"] == order["pricelevelid"] and item["uomid"] == line["uomid"]:
            if item["pricingmethodcode"] != 1:
                raise not_implemented(f"pricing method {item['pricingmethodcode']}")
            return amount(item, "amount")
    product = environment.target(line["productid"]) or {}
    raise invalid(
        f"The product '{product.get('productnumber')}' has no price list item for this unit in the price list "
        f"'{price_list['name']}'."
    )


def total(environment: Environment, order: Row) -> None:
    """Sets the totals of the order from its own amounts and its stored lines."""
    on = bool(environment.organization["oobpricecalculationenabled"])
    reference = ("salesorder", order["salesorderid"])
    lines = environment.store.where("salesorderdetail", "salesorderid", reference) if on else []
    for name in ("freightamount", "discountamount"):
        if order[name] is not None:
            set_amount(environment, "salesorder", order, name, order[name])
    net = sum((amount(one, "baseamount") - amount(one, "manualdiscountamount") for one in lines), ZERO)
    share = environment.rounded(
        environment.tables["salesorder"].columns["totaldiscountamount"],
        order,
        net * amount(order, "discountpercentage") / 100,
    )
    tax = sum((amount(one, "tax") for one in lines), ZERO)
    discount = amount(order, "discountamount") + share
    totals = {
        "totallineitemamount": net,
        "totallineitemdiscountamount": sum((amount(one, "manualdiscountamount") for one in lines), ZERO),
        "totaldiscountamount": discount,
        "totalamountlessfreight": net - discount,
        "totaltax": tax,
        "totalamount": net - discount + amount(order, "freightamount") + tax,
    }
    for name, value in totals.items():
        set_amount(environment, "salesorder", order, name, value if on else ZERO)
