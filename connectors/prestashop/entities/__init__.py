"""The entities that PrestaShop offers: webservice resources, and `items`, which is computed.

A field that has `fields` of its own is assembled from further resources; every other one is read as it stands. Field
names are the webservice's.
"""

from connectors.base import Entity
from connectors.prestashop.entities.catalogue import COMBINATION, ITEM, OPTION, OPTION_VALUE, PRODUCT
from connectors.prestashop.entities.order import ORDER
from connectors.prestashop.entities.order_parts import (
    CART_RULE,
    CUSTOMER_MESSAGE,
    CUSTOMER_THREAD,
    ORDER_CARRIER,
    ORDER_DETAIL,
    ORDER_HISTORY,
    PAYMENT,
)
from connectors.prestashop.entities.people import ADDRESS, CUSTOMER
from connectors.prestashop.entities.reference import (
    CARRIER,
    CONFIGURATION,
    COUNTRY,
    CURRENCY,
    LANGUAGE,
    ORDER_STATE,
    STATE,
    TAX,
)

ENTITIES: tuple[Entity, ...] = (
    ORDER,
    ORDER_DETAIL,
    ORDER_HISTORY,
    ORDER_CARRIER,
    CART_RULE,
    PAYMENT,
    CUSTOMER_THREAD,
    CUSTOMER_MESSAGE,
    CUSTOMER,
    ADDRESS,
    PRODUCT,
    COMBINATION,
    OPTION,
    OPTION_VALUE,
    ITEM,
    ORDER_STATE,
    CARRIER,
    CURRENCY,
    COUNTRY,
    STATE,
    LANGUAGE,
    TAX,
    CONFIGURATION,
)
