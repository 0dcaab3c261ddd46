"""Customers and their addresses."""

from connectors.base import Entity, Field
from connectors.prestashop.entities.reference import (
    ACTIVE,
    COUNTRY,
    DATE_ADD,
    DATE_UPD,
    DELETED,
    ID,
    STATE,
    amount,
    flag,
    refers,
    rows,
    text,
    whole,
)

COUNTRY_FIELDS = tuple(one for one in COUNTRY.fields if one.name in ("id", "iso_code", "name"))
STATE_FIELDS = tuple(one for one in STATE.fields if one.name in ("id", "iso_code", "name"))

ADDRESS = Entity(
    "addresses",
    "Address",
    "id",
    (
        ID,
        refers("id_customer", "Customer", "customers"),
        text("alias", "Alias", 32),
        text("company", "Company", 255),
        text("firstname", "First name", 255),
        text("lastname", "Last name", 255),
        text("vat_number", "VAT number", 32),
        text("address1", "Address", 128),
        text("address2", "Address (2)", 128),
        text("postcode", "Postcode", 12),
        text("city", "City", 64),
        text("other", "Other", 300),
        text("phone", "Telephone", 32),
        text("phone_mobile", "Mobile telephone", 32),
        text("dni", "Identification number", 16),
        refers("id_country", "Country id", "countries"),
        refers("country", "Country", "countries", COUNTRY_FIELDS),
        refers("id_state", "State id", "states"),
        refers("state", "State", "states", STATE_FIELDS),
        DELETED,
        DATE_ADD,
        DATE_UPD,
    ),
    number="alias",
)

LANGUAGE_FIELDS = (ID, text("iso_code", "ISO code", 2))

CUSTOMER_FIELDS = (
    ID,
    text("firstname", "First name", 255),
    text("lastname", "Last name", 255),
    text("email", "E-mail", 255),
    flag("is_guest", "Guest"),
    text("company", "Company", 255),
    text("siret", "SIRET", 14),
    text("ape", "APE", 6),
    text("website", "Website", 128),
    flag("newsletter", "Newsletter"),
    flag("optin", "Partner offers"),
    Field("birthday", "Birthday", "date", writable=False),
    text("note", "Private note"),
    refers("id_gender", "Title", "genders"),
    refers("id_default_group", "Default group", "groups"),
    amount("outstanding_allow_amount", "Allowed outstanding amount", "default currency"),
    whole("max_payment_days", "Payment days"),
    refers("id_lang", "Language id", "languages"),
    refers("language", "Language", "languages", LANGUAGE_FIELDS),
    refers("id_shop", "Shop", "shops"),
    ACTIVE,
    DELETED,
    DATE_ADD,
    DATE_UPD,
)

CUSTOMER = Entity(
    "customers",
    "Customer",
    "id",
    (
        *CUSTOMER_FIELDS,
        rows("addresses", "Addresses that are not deleted", ADDRESS.fields),
        refers("address", "Address that was changed last", "addresses", ADDRESS.fields),
    ),
    number="email",
)
