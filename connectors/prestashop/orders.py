"""Orders with all that belongs to them, in as few calls as the webservice allows."""

from collections.abc import Collection
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.base import Entity, Record, attempt
from connectors.errors import ConnectorError, NeedsPerson, Skip
from connectors.prestashop.belongings import Belongings, Gathering, carrier_of
from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.entities.order import CARRIER_FIELDS, CURRENCY_FIELDS, ORDER, STATE_FIELDS
from connectors.prestashop.entities.order_parts import (
    CART_RULE,
    CUSTOMER_MESSAGE,
    ORDER_CARRIER,
    ORDER_DETAIL,
    PAYMENT,
)
from connectors.prestashop.entities.reference import CARRIER, CURRENCY, LANGUAGE, ORDER_STATE, TAX
from connectors.prestashop.items import Item, Items, spelling
from connectors.prestashop.records import Records
from connectors.prestashop.values import integer, number

HALF_MADE = ("", "0")


class Orders:
    def __init__(self, client: Client, records: Records, items: Items) -> None:
        self._records = records
        self._items = items
        self._gathering = Gathering(client, records)

    def assemble(self, rows: Collection[Row]) -> list[Record | ConnectorError]:
        """Each order, from its own row, with lines, vouchers, payments, shipments, messages, customer and addresses; or
        what keeps it from being read: Skip for one whose checkout broke off half-way (it has no state). Such an error
        carries the order's reference, total and currency as far as they can be read. Raises what concerns them all."""
        complete = [row for row in rows if row.get("current_state", "") not in HALF_MADE]
        try:
            belongings = self._gathering.of(complete)
            orders = [attempt(partial(self._whole, row, belongings)) for row in rows]
            self._number([line for one in orders if isinstance(one, dict) for line in one["order_rows"]])
        except ConnectorError as error:
            if len(rows) == 1:
                error.record = self._told(*rows)
            raise
        for row, order in zip(rows, orders, strict=True):
            if isinstance(order, ConnectorError):
                order.record = self._told(row)
        return orders

    def _told(self, row: Row) -> Record:
        told: Record = {"id": int(row["id"]), "reference": row.get("reference", "")}
        try:
            told["total_paid_tax_incl"] = number(row.get("total_paid_tax_incl", ""), "total_paid_tax_incl")
            told["currency"] = self._records.reference(CURRENCY, row.get("id_currency", ""), "", names(CURRENCY_FIELDS))
        except ConnectorError:  # the error that is raised already says what is wrong
            return told
        return told

    def _whole(self, row: Row, belongings: Belongings) -> Record:
        """All of an order but the item numbers of its lines."""
        key, language = row["id"], row.get("id_lang", "")
        if row.get("current_state", "") in HALF_MADE:
            raise Skip(
                f"orders/{key} was never completed in the shop: its checkout broke off and left it without state."
            )
        order = self._records.plain(ORDER, row, language)
        order["current_state"] = self._required(ORDER_STATE, row, "current_state", language, names(STATE_FIELDS))
        order["currency"] = self._required(CURRENCY, row, "id_currency", language, names(CURRENCY_FIELDS))
        order["language"] = self._records.reference(LANGUAGE, language, language, ("id", "iso_code"))
        order |= self._people(row, language, belongings)
        order["order_carriers"] = self._list(ORDER_CARRIER, belongings.shipments[key])
        carrier = belongings.carriers.get(carrier_of(row, belongings.shipments[key]))
        order["carrier"] = self._records.shown(CARRIER, carrier, language, names(CARRIER_FIELDS))
        order["order_rows"] = [self.line(one, language) for one in belongings.lines[key]]
        order["cart_rules"] = [one for one in self._list(CART_RULE, belongings.vouchers[key]) if not one["deleted"]]
        order["payments"] = self._list(PAYMENT, belongings.payments.get(spelling(row.get("reference", "")), []))
        order["messages"] = [_message(one) for one in self._list(CUSTOMER_MESSAGE, belongings.messages[key])]
        return order

    def line(self, row: Row, language: str = "") -> Record:
        """One order line with its taxes, from its row of order_details."""
        return self._records.plain(ORDER_DETAIL, row, language) | {"taxes": self._taxes(row, language)}

    def _required(self, entity: Entity, row: Row, field: str, language: str, wanted: tuple[str, ...]) -> Record:
        found = self._records.reference(entity, row.get(field, ""), language, wanted)
        if found is None:
            raise NeedsPerson(
                f"orders/{row['id']} {field}: the shop has no {entity.label.lower()} {row.get(field) or 0}.",
                "Look at the order in the shop's back office: what it points at was deleted.",
                field=field,
            )
        return found

    def _people(self, row: Row, language: str, belongings: Belongings) -> Record:
        customer = belongings.customers.get(row.get("id_customer", ""))
        return {
            "customer": self._records.customer(customer) if customer else None,
            "invoice_address": self._address(row, "id_address_invoice", language, belongings),
            "delivery_address": self._address(row, "id_address_delivery", language, belongings),
        }

    def _address(self, row: Row, field: str, language: str, belongings: Belongings) -> Record | None:
        place = belongings.addresses.get(row.get(field, ""))
        return self._records.address(place, language) if place else None

    def _list(self, entity: Entity, rows: list[Row]) -> list[Record]:
        return [self._records.plain(entity, row) for row in rows]

    def _number(self, lines: list[Record]) -> None:
        """Gives lines what the catalogue says about them."""
        sold = [
            Item(one["product_id"] or 0, one["product_attribute_id"] or 0, one["product_reference"]) for one in lines
        ]
        numbers = self._items.numbered(sold)
        for line, item in zip(lines, sold, strict=True):
            rates = [tax["rate"] for tax in line["taxes"]]
            line["tax_rate"] = None if None in rates else sum(rates, Decimal(0))
            line["item_number"], in_catalogue = numbers[item]
            line["is_virtual"] = in_catalogue.is_virtual if in_catalogue else None

    def _taxes(self, detail: Row, language: str) -> list[Record]:
        """A tax that was deleted keeps its id, without name and rate."""
        found: list[Record] = []
        for one in detail.get("associations", {}).get("taxes", []):
            gone: dict[str, Any] = {"id": integer(one.get("id", ""), f"order_details/{detail['id']} taxes")}
            gone |= {"name": "", "rate": None}
            found.append(self._records.reference(TAX, one.get("id", ""), language, ("id", "name", "rate")) or gone)
        return found


def _message(record: Record) -> Record:
    kept = {name: record[name] for name in ("message", "private", "date_add")}
    return kept | {"from_employee": record["id_employee"] is not None}


def names(fields: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(one.name for one in fields)
