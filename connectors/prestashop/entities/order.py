"""An order with all that belongs to it."""

from connectors.base import Entity, Field
from connectors.prestashop.entities.order_parts import (
    CART_RULE,
    MESSAGE_FIELDS,
    ORDER_CARRIER,
    PAYMENT,
    ROW_FIELDS,
)
from connectors.prestashop.entities.people import ADDRESS, CUSTOMER_FIELDS, LANGUAGE_FIELDS
from connectors.prestashop.entities.reference import (
    CARRIER,
    CURRENCY,
    DATE_ADD,
    DATE_UPD,
    ID,
    ORDER_STATE,
    amount,
    decimal,
    flag,
    moment,
    percent,
    refers,
    rows,
    text,
    whole,
)

ROUND_TYPES = ((1, "Each item"), (2, "Each line"), (3, "The total"))
ROUND_MODES = (
    (0, "Up"),
    (1, "Down"),
    (2, "Half up"),
    (3, "Half down"),
    (4, "Half even"),
    (5, "Half odd"),
)


def chosen(names: tuple[str, ...], entity: Entity) -> tuple[Field, ...]:
    return tuple(one for one in entity.fields if one.name in names)


STATE_FIELDS = chosen(
    ("id", "name", "paid", "shipped", "delivery", "logable", "invoice", "kind"),
    ORDER_STATE,
)
CURRENCY_FIELDS = chosen(("id", "iso_code", "precision", "name"), CURRENCY)
CARRIER_FIELDS = chosen(
    ("id", "id_reference", "name", "delay", "url", "is_free", "external_module_name"),
    CARRIER,
)

ORDER = Entity(
    "orders",
    "Order",
    "id",
    (
        ID,
        text("reference", "Reference", 9),
        refers("current_state", "State", "order_states", STATE_FIELDS),
        text("module", "Payment module", 255),
        text("payment", "Payment method", 255),
        DATE_ADD,
        DATE_UPD,
        flag("valid", "Valid"),
        whole("invoice_number", "Invoice number"),
        moment("invoice_date", "Invoice date"),
        whole("delivery_number", "Delivery number"),
        moment("delivery_date", "Delivery date"),
        Field("note", "Private note", max_length=4194303),
        flag("gift", "Gift wrapping"),
        text("gift_message", "Gift message"),
        flag("recyclable", "Recycled packaging"),
        refers("currency", "Currency", "currencies", CURRENCY_FIELDS),
        decimal("conversion_rate", "Units for one of the default currency, at the time"),
        Field("round_mode", "Rounding", "integer", choices=ROUND_MODES, writable=False),
        Field("round_type", "Rounding of", "integer", choices=ROUND_TYPES, writable=False),
        refers("language", "Language", "languages", LANGUAGE_FIELDS),
        refers("id_shop", "Shop", "shops"),
        refers("id_cart", "Cart", "carts"),
        refers("id_customer", "Customer id", "customers"),
        refers("id_address_invoice", "Invoice address id", "addresses"),
        refers("id_address_delivery", "Delivery address id", "addresses"),
        amount("total_discounts_tax_incl", "Discounts with tax"),
        amount("total_discounts_tax_excl", "Discounts before tax"),
        amount("total_paid", "Total to pay"),
        amount("total_paid_tax_incl", "Total with tax"),
        amount("total_paid_tax_excl", "Total before tax"),
        amount("total_paid_real", "Paid so far"),
        amount("total_products", "Products before tax"),
        amount("total_products_wt", "Products with tax"),
        amount("total_shipping_tax_incl", "Shipping with tax"),
        amount("total_shipping_tax_excl", "Shipping before tax"),
        percent("carrier_tax_rate", "Tax rate of shipping"),
        amount("total_wrapping_tax_incl", "Gift wrapping with tax"),
        amount("total_wrapping_tax_excl", "Gift wrapping before tax"),
        refers("customer", "Customer", "customers", CUSTOMER_FIELDS),
        refers("invoice_address", "Invoice address", "addresses", ADDRESS.fields),
        refers("delivery_address", "Delivery address", "addresses", ADDRESS.fields),
        refers("carrier", "Carrier (empty: nothing is shipped)", "carriers", CARRIER_FIELDS),
        rows("order_rows", "Lines", ROW_FIELDS),
        rows("cart_rules", "Vouchers", CART_RULE.fields),
        rows("payments", "Payments", PAYMENT.fields),
        rows("order_carriers", "Shipments", ORDER_CARRIER.fields),
        rows("messages", "Messages", MESSAGE_FIELDS),
    ),
    number="reference",
    writable=True,
)
