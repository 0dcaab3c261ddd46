"""What belongs to an order: lines, vouchers, payments, shipments, states gone through, conversation."""

from connectors.base import Entity, Field
from connectors.prestashop.entities.reference import (
    DATE_ADD,
    DATE_UPD,
    ID,
    TAX,
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

ID_ORDER = refers("id_order", "Order", "orders")
TAX_FIELDS = tuple(one for one in TAX.fields if one.name in ("id", "name", "rate"))

ORDER_DETAIL = Entity(
    "order_details",
    "Order line",
    "id",
    (
        ID,
        ID_ORDER,
        whole("product_id", "Product id"),
        whole("product_attribute_id", "Combination id (0: none)"),
        text("product_reference", "Reference", 64),
        text("product_supplier_reference", "Supplier reference", 64),
        text("product_name", "Name"),
        whole("product_quantity", "Quantity"),
        whole("product_quantity_refunded", "Quantity refunded"),
        whole("product_quantity_return", "Quantity returned"),
        amount("unit_price_tax_excl", "Unit price before tax"),
        amount("unit_price_tax_incl", "Unit price with tax"),
        amount("total_price_tax_excl", "Line total before tax, rounded by the shop"),
        amount("total_price_tax_incl", "Line total with tax, rounded by the shop"),
        amount("product_price", "Price before reductions"),
        amount("original_product_price", "Original price"),
        percent("reduction_percent", "Reduction"),
        amount("reduction_amount_tax_excl", "Reduction before tax"),
        amount("reduction_amount_tax_incl", "Reduction with tax"),
        percent("group_reduction", "Group reduction"),
        amount("ecotax", "Ecotax"),
        amount("total_refunded_tax_excl", "Refunded before tax"),
        amount("total_refunded_tax_incl", "Refunded with tax"),
        text("product_ean13", "EAN-13", 13),
        text("product_isbn", "ISBN", 32),
        text("product_upc", "UPC", 12),
        text("product_mpn", "Manufacturer's number", 40),
        decimal("product_weight", "Unit weight", "shop's weight unit"),
        refers("id_customization", "Customisation", "customizations"),
        refers("id_warehouse", "Warehouse", "warehouses"),
        refers("id_tax_rules_group", "Tax rule group", "tax_rule_groups"),
        rows("taxes", "Taxes", TAX_FIELDS),
    ),
    number="product_reference",
)

ROW_FIELDS = (
    *ORDER_DETAIL.fields,
    text("item_number", "Item number"),
    flag("is_virtual", "Virtual (empty where the product is gone)"),
    percent("tax_rate", "Tax rates added up"),
)

CART_RULE = Entity(
    "order_cart_rules",
    "Voucher of an order",
    "id",
    (
        ID,
        ID_ORDER,
        refers("id_cart_rule", "Cart rule", "cart_rules"),
        text("name", "Name", 254),
        amount("value", "Value with tax, unrounded"),
        amount("value_tax_excl", "Value before tax, unrounded"),
        flag("free_shipping", "Free shipping"),
        flag("deleted", "Deleted"),
    ),
    number="name",
)

PAYMENT = Entity(
    "order_payments",
    "Payment",
    "id",
    (
        ID,
        text("order_reference", "Order reference", 9),
        refers("id_currency", "Currency", "currencies"),
        amount("amount", "Amount", "payment currency"),
        text("payment_method", "Payment method", 255),
        decimal("conversion_rate", "Conversion rate"),
        text("transaction_id", "Transaction id", 254),
        DATE_ADD,
    ),
    number="transaction_id",
)

ORDER_CARRIER = Entity(
    "order_carriers",
    "Shipment",
    "id",
    (
        ID,
        ID_ORDER,
        refers("id_carrier", "Carrier", "carriers"),
        decimal("weight", "Weight", "shop's weight unit"),
        amount("shipping_cost_tax_excl", "Shipping before tax"),
        amount("shipping_cost_tax_incl", "Shipping with tax"),
        text("tracking_number", "Tracking number", 64),
        DATE_ADD,
    ),
    number="tracking_number",
)

ORDER_HISTORY = Entity(
    "order_histories",
    "State change",
    "id",
    (
        ID,
        Field("id_order", "Order", "reference", required=True, refers_to="orders"),
        Field("id_order_state", "New state", "reference", required=True, refers_to="order_states"),
        Field("id_employee", "Employee", "reference", refers_to="employees"),
        # Not stored: it says whether the shop mails its customer about this change.
        Field("send_email", "Mail the customer", "boolean"),
        # Not stored either: a repeat passes what `StateInDoubt` carried, so that a change of its own is recognised.
        Field("after_history", "Newest state change before the first try (0: none)", "integer"),
        moment("date_add", "Changed"),
    ),
    writable=True,
)

CUSTOMER_THREAD = Entity(
    "customer_threads",
    "Conversation",
    "id",
    (
        ID,
        ID_ORDER,
        refers("id_customer", "Customer", "customers"),
        refers("id_contact", "Contact", "contacts"),
        text("email", "E-mail", 255),
        text("status", "Status"),
        DATE_ADD,
        DATE_UPD,
    ),
    number="email",
)

CUSTOMER_MESSAGE = Entity(
    "customer_messages",
    "Customer message",
    "id",
    (
        ID,
        refers("id_customer_thread", "Conversation", "customer_threads"),
        refers("id_employee", "Employee", "employees"),
        text("message", "Message"),
        flag("private", "Private"),
        DATE_ADD,
    ),
)

MESSAGE_FIELDS = (
    text("message", "Message"),
    flag("private", "Private"),
    DATE_ADD,
    flag("from_employee", "From an employee"),
)
