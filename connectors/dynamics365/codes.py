"""What Dataverse's error codes mean and what to do about them. Numbers from Microsoft's table of Web service errors."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What an error code leads to, whatever the HTTP status."""

    REFUSED = "the record is refused"
    MISSING = "something named is not there"
    SIGN_IN = "the application user may not"
    CLOSED = "the row is read-only"
    BUSY = "too much at once: later"
    CHANGED = "changed by somebody else at the same moment"
    EXISTS = "a row with this key is there already"
    WRONG = "the call itself does not fit this environment"


@dataclass(frozen=True)
class Code:
    kind: Kind
    meaning: str
    hint: str = ""


ROLE = (
    "Power Platform admin center, environment, Settings, Users + permissions, Application users: open the application "
    "user and give it the security role of this connection's set-up page."
)
PRODUCT = "Dynamics 365 Sales, App settings, Product catalog: open the product"
CURRENCY = (
    "Use a price list in the order's currency: correct the lookup table of price lists, or the list's currency under "
    "Product catalog, Price lists."
)
LATER = "Nothing to do: it is tried again."

CODES: dict[str, Code] = {
    "0x80040217": Code(Kind.MISSING, "a row that is named does not exist"),
    "0x80060891": Code(Kind.MISSING, "no row has this alternate key"),
    "0x80060890": Code(Kind.WRONG, "the table has no such alternate key", "Add the key in Power Apps, Tables, Keys."),
    "0x80060892": Code(Kind.EXISTS, "another row has the same alternate key", "Look for that row and merge them."),
    "0x80040237": Code(Kind.EXISTS, "a row with this identity is there already", "Look for that row and merge them."),
    "0x80040333": Code(
        Kind.REFUSED,
        "a duplicate detection rule found an equal row",
        "Merge the rows, or change the rule: Settings, Data Management, Duplicate Detection Rules.",
    ),
    "0x80060882": Code(Kind.CHANGED, "somebody else changed the row at the same moment", LATER),
    "0x80060883": Code(Kind.WRONG, "the row's version was not sent"),
    "0x8006088d": Code(Kind.WRONG, "the table does not compare versions"),
    "0x80040265": Code(
        Kind.REFUSED,
        "a plug-in or workflow of your organization refused it",
        "Its words are in the message; correct the data, or ask whoever maintains the plug-in.",
    ),
    "0x80040203": Code(Kind.REFUSED, "a value is not valid", "Correct the field that the message names."),
    "0x80048d19": Code(
        Kind.REFUSED, "a column does not exist or has another type", "Correct the mapping's target, or add the column."
    ),
    "0x80060888": Code(
        Kind.REFUSED, "a table or column is unknown", "Correct the mapping's target, or add the column."
    ),
    "0x80044331": Code(
        Kind.REFUSED, "a text is too long", "Shorten it in the mapping, or lengthen the column in Power Apps, Tables."
    ),
    "0x8004432f": Code(Kind.REFUSED, "a whole number is out of range", "Correct the value or the column's range."),
    "0x80044330": Code(Kind.REFUSED, "an amount is out of range", "Correct the value or the column's range."),
    "0x8004431a": Code(
        Kind.REFUSED, "a choice is not offered", "Correct the lookup table, or add the choice in Power Apps, Choices."
    ),
    "0x80040220": Code(Kind.SIGN_IN, "a privilege is missing", ROLE),
    "0x80048306": Code(Kind.SIGN_IN, "access is denied", ROLE),
    "0x80072560": Code(
        Kind.SIGN_IN,
        "the application is no user of this environment",
        "Power Platform admin center, environment, Settings, Users + permissions, Application users: New app user.",
    ),
    "0x8004022e": Code(Kind.CLOSED, "the row is read-only"),
    "0x80040228": Code(Kind.CLOSED, "the row is read-only and cannot be deleted"),
    "0x80043b09": Code(Kind.CLOSED, "the order is read-only, and so are its lines"),
    "0x80048408": Code(Kind.REFUSED, "the status reason does not belong to the state", "Correct the lookup of states."),
    "0x80043afb": Code(Kind.REFUSED, "a line has a product and a write-in text", "Map either of them."),
    "0x80043afa": Code(Kind.REFUSED, "a line has a unit and a write-in text", "Write-in lines have no unit: unmap it."),
    "0x80043b0d": Code(Kind.REFUSED, "a line has no unit", "Map the unit of the line."),
    "0x80043b0a": Code(Kind.REFUSED, "the unit group is missing", f"{PRODUCT} and choose its unit group."),
    "0x80043b11": Code(Kind.REFUSED, "a line has no product", "Map the product, or make it a write-in line."),
    "0x80043b12": Code(Kind.REFUSED, "the price list is missing", "Map the price list of the order's currency."),
    "0x80043b10": Code(Kind.REFUSED, "the price per unit is not valid", "Correct the price of the line."),
    "0x80043b14": Code(
        Kind.REFUSED, "the unit does not belong to the product", f"{PRODUCT} and compare its unit group and units."
    ),
    "0x80048cf6": Code(Kind.REFUSED, "order and price list have different currencies", CURRENCY),
    "0x80048cee": Code(Kind.REFUSED, "quote and order have different currencies", CURRENCY),
    "0x80048ced": Code(Kind.REFUSED, "order and invoice have different currencies", CURRENCY),
    "0x80043b06": Code(
        Kind.REFUSED, "another product has this number", "Look for it under Product catalog, and use that one."
    ),
    "0x80043b08": Code(Kind.REFUSED, "the price list has this product and unit already", "Change that item instead."),
    "0x80072321": Code(Kind.BUSY, "the running time allowed in five minutes is used up", LATER),
    "0x80072322": Code(Kind.BUSY, "the requests allowed in five minutes are used up", LATER),
    "0x80072326": Code(Kind.BUSY, "too many requests at the same time", LATER),
}
UNKNOWN = Code(Kind.REFUSED, "it was refused", "Correct what the message names, then send it again.")
