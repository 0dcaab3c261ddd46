"""Products, units, price lists and currencies."""

from decimal import Decimal
from uuid import UUID, uuid5

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import already_there, invalid
from connectors.dynamics365.sandbox.store import Row

ACTIVE, ACTIVE_STATUS = 0, 1


def prepare_product(environment: Environment, row: Row, before: Row | None) -> None:
    """A new product is a draft unless the organization says otherwise; its number is nobody else's."""
    for other in environment.store.where("product", "productnumber", row["productnumber"]):
        if other["productid"] != row["productid"]:
            raise invalid(
                f"A product with the product ID '{row['productnumber']}' already exists. Specify another ID.",
                "0x80043b06",
            )
    unit = environment.target(row["defaultuomid"])
    if row["defaultuomscheduleid"] is None:
        raise invalid("The unit schedule ID is missing.", "0x80043b0a")
    if unit is None:
        raise invalid("The unit ID is missing.", "0x80043b0d")
    if unit["uomscheduleid"] != row["defaultuomscheduleid"]:
        raise invalid("The unit is not valid for this product.", "0x80043b14")
    row["transactioncurrencyid"] = row["transactioncurrencyid"] or environment.organization["basecurrencyid"]
    if before is None and environment.organization["createproductswithoutparentinactivestate"]:
        row["statecode"], row["statuscode"] = ACTIVE, ACTIVE_STATUS


def prepare_unit(environment: Environment, row: Row, before: Row | None) -> None:
    row["isschedulebaseuom"] = bool(row["isschedulebaseuom"]) or row["baseuom"] is None


def base_unit_id(schedule_id: str) -> str:
    return str(uuid5(UUID(schedule_id), "base unit"))


def add_base_unit(environment: Environment, schedule: Row) -> None:
    """A new unit group comes with its base unit."""
    table = environment.tables["uom"]
    row: Row = dict.fromkeys(table.columns)
    row |= {
        "uomid": base_unit_id(schedule["uomscheduleid"]),
        "name": schedule["baseuomname"] or "Primary Unit",
        "uomscheduleid": ("uomschedule", schedule["uomscheduleid"]),
        "quantity": Decimal("1.00000"),
        "isschedulebaseuom": True,
    }
    row |= {name: schedule[name] for name in ("createdon", "createdby", "modifiedon", "modifiedby")}
    environment.store.put("uom", row)


def prepare_price_list(environment: Environment, row: Row, before: Row | None) -> None:
    row["transactioncurrencyid"] = row["transactioncurrencyid"] or environment.organization["basecurrencyid"]


def prepare_price_list_item(environment: Environment, row: Row, before: Row | None) -> None:
    price_list, product = environment.target(row["pricelevelid"]), environment.target(row["productid"])
    if price_list is None:
        raise invalid("The price level is missing.", "0x80043b12")
    if product is None:
        raise invalid("The product ID is missing.", "0x80043b11")
    unit = environment.target(row["uomid"])
    if unit is None:
        raise invalid("The unit ID is missing.", "0x80043b0d")
    if unit["uomscheduleid"] != product["defaultuomscheduleid"]:
        raise invalid("The unit is not valid for this product.", "0x80043b14")
    row["uomscheduleid"], row["productnumber"] = unit["uomscheduleid"], product["productnumber"]
    row["transactioncurrencyid"] = price_list["transactioncurrencyid"]
    for other in environment.store.where("productpricelevel", "productid", row["productid"]):
        same = all(other[name] == row[name] for name in ("pricelevelid", "uomid"))
        if same and other["productpricelevelid"] != row["productpricelevelid"]:
            raise invalid("This product and unit combination already has a price in this price list.", "0x80043b08")


def prepare_currency(environment: Environment, row: Row, before: Row | None) -> None:
    for other in environment.store.where("transactioncurrency", "isocurrencycode", row["isocurrencycode"]):
        if other["transactioncurrencyid"] != row["transactioncurrencyid"]:
            raise already_there()
