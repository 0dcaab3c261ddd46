"""Reference data: what orders, customers and products point at."""

from decimal import Decimal

from connectors.base import Entity, Field

ZERO = Decimal(0)
ID = Field("id", "Id", "integer", required=True, writable=False)
DATE_ADD = Field("date_add", "Created", "datetime", writable=False)
DATE_UPD = Field("date_upd", "Changed", "datetime", writable=False)
DELETED = Field("deleted", "Deleted", "boolean", writable=False)
ACTIVE = Field("active", "Active", "boolean", writable=False)

KINDS = (
    ("awaiting_payment", "Awaiting payment"),
    ("paid", "Paid"),
    ("processing", "Processing"),
    ("shipped", "Shipped"),
    ("delivered", "Delivered"),
    ("cancelled", "Cancelled"),
    ("refunded", "Refunded"),
    ("payment_error", "Payment error"),
    ("backorder", "On backorder"),
)


def text(name: str, label: str, max_length: int | None = None) -> Field:
    return Field(name, label, max_length=max_length, writable=False)


def flag(name: str, label: str) -> Field:
    return Field(name, label, "boolean", writable=False)


def whole(name: str, label: str) -> Field:
    return Field(name, label, "integer", writable=False)


def amount(name: str, label: str, unit: str = "order currency") -> Field:
    """Money as the shop keeps it, with six decimal places."""
    return Field(name, label, "money", unit=unit, places=6, writable=False)


def decimal(name: str, label: str, unit: str = "", places: int = 6) -> Field:
    return Field(name, label, "decimal", unit=unit, places=places, writable=False)


def percent(name: str, label: str) -> Field:
    return Field(name, label, "decimal", unit="%", places=3, minimum=ZERO, writable=False)


def moment(name: str, label: str) -> Field:
    return Field(name, label, "datetime", writable=False)


def refers(name: str, label: str, entity: str, fields: tuple[Field, ...] = ()) -> Field:
    """The id of another record (None for 0); with `fields`, that record itself."""
    return Field(name, label, "reference", refers_to=entity, fields=fields, writable=False)


def rows(name: str, label: str, fields: tuple[Field, ...]) -> Field:
    return Field(name, label, "rows", fields=fields, writable=False)


LANGUAGE = Entity(
    "languages",
    "Language",
    "id",
    (
        ID,
        text("name", "Name", 32),
        text("iso_code", "ISO code", 2),
        text("locale", "Locale", 5),
        text("language_code", "Language code", 5),
        ACTIVE,
    ),
    number="iso_code",
)

CURRENCY = Entity(
    "currencies",
    "Currency",
    "id",
    (
        ID,
        text("name", "Name", 255),
        text("iso_code", "ISO code", 3),
        text("numeric_iso_code", "Numeric ISO code", 3),
        whole("precision", "Decimal places"),
        decimal("conversion_rate", "Units for one of the default currency"),
        ACTIVE,
        DELETED,
    ),
    number="iso_code",
)

COUNTRY = Entity(
    "countries",
    "Country",
    "id",
    (
        ID,
        text("iso_code", "ISO code", 3),
        text("name", "Name", 64),
        text("call_prefix", "Telephone prefix"),
        flag("contains_states", "Has states"),
        flag("need_zip_code", "Needs a postcode"),
        text("zip_code_format", "Postcode format"),
        flag("need_identification_number", "Needs an identification number"),
        ACTIVE,
    ),
    number="iso_code",
)

STATE = Entity(
    "states",
    "State",
    "id",
    (
        ID,
        refers("id_country", "Country", "countries"),
        text("iso_code", "ISO code", 7),
        text("name", "Name", 80),
        ACTIVE,
    ),
    number="iso_code",
)

CARRIER = Entity(
    "carriers",
    "Carrier",
    "id",
    (
        ID,
        Field("id_reference", "Lasting id (the id changes with every edit)", "integer", writable=False),
        text("name", "Name", 64),
        text("delay", "Delivery time", 512),
        text("url", "Tracking address"),
        flag("is_free", "Free"),
        text("external_module_name", "Module", 64),
        ACTIVE,
        DELETED,
    ),
    number="name",
)

ORDER_STATE = Entity(
    "order_states",
    "Order state",
    "id",
    (
        ID,
        text("name", "Name", 64),
        flag("paid", "Paid"),
        flag("shipped", "Shipped"),
        flag("delivery", "Has a delivery slip"),
        flag("logable", "Counts as an order"),
        flag("invoice", "Has an invoice"),
        flag("send_email", "Sends an e-mail"),
        flag("hidden", "Hidden from customers"),
        text("module_name", "Module", 255),
        text("template", "E-mail template", 64),
        DELETED,
        Field("kind", "Kind", "choice", choices=KINDS, writable=False),
    ),
    number="name",
)

TAX = Entity(
    "taxes",
    "Tax",
    "id",
    (ID, text("name", "Name", 32), percent("rate", "Rate"), ACTIVE, DELETED),
    number="name",
)

CONFIGURATION = Entity(
    "configurations",
    "Shop setting",
    "id",
    (ID, text("name", "Name", 254), text("value", "Value"), refers("id_shop", "Shop", "shops")),
    number="name",
)
