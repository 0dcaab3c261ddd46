"""What the webservice key must be allowed to do, and why; named resource by resource for the operator."""

from dataclasses import dataclass

from connectors.prestashop.documents import Document


@dataclass(frozen=True)
class Right:
    """`needed` is False for what only some flows use."""

    resource: str
    method: str
    why: str
    needed: bool = True


READ = {
    "orders": "to read orders",
    "order_details": "to read order lines with their taxes",
    "order_cart_rules": "to read the vouchers of orders",
    "order_payments": "to read payments",
    "order_carriers": "to read which carrier ships an order",
    "order_histories": "to see which states an order went through",
    "order_states": "to know what a state means",
    "customer_threads": "to find the messages of an order",
    "customer_messages": "to read the messages of an order",
    "customers": "to read customers",
    "addresses": "to read addresses",
    "countries": "to know the country of an address",
    "states": "to know the state of an address",
    "currencies": "to know the currency of an order",
    "carriers": "to know the carrier of an order",
    "languages": "to know the language of a customer",
    "taxes": "to know the tax rates of order lines",
    "products": "to find the products of order lines",
    "combinations": "to find the combinations of order lines",
    "product_options": "to name combinations",
    "product_option_values": "to name combinations",
    "configurations": "to know the shop's time zone and default language",
}
RIGHTS = (
    *(Right(resource, "GET", why) for resource, why in READ.items()),
    Right("order_histories", "POST", "to report states back to orders", needed=False),
    Right("orders", "PATCH", "to write the ERP's number into the note of orders", needed=False),
)


def allowed(root: Document) -> dict[str, set[str]]:
    """The methods that the key may use, by resource, from the webservice's own list."""
    if root.root is None or root.root.tag != "api":
        return {}
    return {
        str(one.tag): {str(name).upper() for name, value in one.attrib.items() if value == "true"}
        for one in root.root
        if isinstance(one.tag, str)
    }


def missing(rights: dict[str, set[str]]) -> list[Right]:
    return [one for one in RIGHTS if one.method not in rights.get(one.resource, set())]
