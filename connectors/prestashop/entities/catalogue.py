"""Products, their combinations, and the items that can be sold."""

from connectors.base import Entity
from connectors.prestashop.entities.reference import (
    ACTIVE,
    DATE_ADD,
    DATE_UPD,
    ID,
    amount,
    decimal,
    flag,
    refers,
    rows,
    text,
    whole,
)

OPTION = Entity(
    "product_options",
    "Product option",
    "id",
    (ID, text("name", "Name", 128), text("public_name", "Public name", 64), text("group_type", "Kind")),
    number="name",
)

OPTION_VALUE = Entity(
    "product_option_values",
    "Option value",
    "id",
    (ID, refers("id_attribute_group", "Product option", "product_options"), text("name", "Name", 128)),
    number="name",
)

OPTION_VALUE_FIELDS = (ID, text("option", "Option", 64), text("name", "Value", 128))

PRODUCT = Entity(
    "products",
    "Product",
    "id",
    (
        ID,
        text("name", "Name", 128),
        text("reference", "Reference", 64),
        text("supplier_reference", "Supplier reference", 64),
        text("product_type", "Product type"),
        amount("price", "Price before tax and specific prices", "default currency"),
        amount("wholesale_price", "Cost", "default currency"),
        amount("ecotax", "Ecotax", "default currency"),
        text("unity", "Sold by", 255),
        text("ean13", "EAN-13", 13),
        text("isbn", "ISBN", 32),
        text("upc", "UPC", 12),
        text("mpn", "Manufacturer's number", 40),
        decimal("weight", "Weight", "shop's weight unit"),
        decimal("width", "Width", "shop's length unit"),
        decimal("height", "Height", "shop's length unit"),
        decimal("depth", "Depth", "shop's length unit"),
        whole("minimal_quantity", "Least quantity"),
        flag("is_virtual", "Virtual"),
        flag("available_for_order", "Can be ordered"),
        text("description_short", "Summary (HTML)"),
        text("description", "Description (HTML)"),
        refers("id_manufacturer", "Brand", "manufacturers"),
        refers("id_supplier", "Supplier", "suppliers"),
        refers("id_category_default", "Main category", "categories"),
        refers("id_tax_rules_group", "Tax rule group", "tax_rule_groups"),
        rows("combinations", "Combinations", (ID,)),
        ACTIVE,
        DATE_ADD,
        DATE_UPD,
    ),
    number="reference",
)

COMBINATION = Entity(
    "combinations",
    "Combination",
    "id",
    (
        ID,
        refers("id_product", "Product", "products"),
        text("reference", "Reference (not unique)", 64),
        text("supplier_reference", "Supplier reference", 64),
        amount("price", "Price difference to the product before tax", "default currency"),
        amount("wholesale_price", "Cost", "default currency"),
        text("ean13", "EAN-13", 13),
        text("isbn", "ISBN", 32),
        text("upc", "UPC", 12),
        text("mpn", "Manufacturer's number", 40),
        decimal("weight", "Weight difference to the product", "shop's weight unit"),
        whole("minimal_quantity", "Least quantity"),
        flag("default_on", "Chosen first"),
        rows("option_values", "Option values", OPTION_VALUE_FIELDS),
    ),
    number="reference",
)

ITEM = Entity(
    "items",
    "Item (a combination, or a product without any)",
    "item_number",
    (
        text("item_number", "Item number"),
        whole("id_product", "Product id"),
        whole("id_product_attribute", "Combination id (0: none)"),
        text("reference", "Reference", 64),
        text("name", "Name"),
        amount("price", "Price before tax", "default currency"),
        text("ean13", "EAN-13", 13),
        flag("is_virtual", "Virtual"),
        ACTIVE,
        flag("without_choice", "A product with combinations, sold without choosing one"),
    ),
    number="item_number",
)
