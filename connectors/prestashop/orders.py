"""An order read with all that belongs to it, in as few calls as the webservice allows."""

from decimal import Decimal
from typing import Any

from connectors.base import Entity, Record
from connectors.errors import ConnectorError, NeedsPerson, Skip
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
from connectors.prestashop.filters import equals
from connectors.prestashop.items import Item, Items
from connectors.prestashop.records import DISPLAYS, Records
from connectors.prestashop.values import integer, number

HALF_MADE = ("", "0")


class Orders:
    def __init__(self, client: Client, records: Records, items: Items) -> None:
        self._client = client
        self._records = records
        self._items = items

    def assemble(self, row: Row) -> Record:
        """The order, from its own row, with lines, vouchers, payments, shipments, messages, customer and addresses.
        Raises Skip for an order whose checkout broke off half-way (it has no state). What is raised carries the order's
        reference, total and currency as far as they can be read."""
        try:
            return self._whole(row)
        except ConnectorError as error:
            error.record = self._told(row)
            raise

    def _told(self, row: Row) -> Record:
        told: Record = {"id": int(row["id"]), "reference": row.get("reference", "")}
        try:
            told["total_paid_tax_incl"] = number(row.get("total_paid_tax_incl", ""), "total_paid_tax_incl")
            told["currency"] = self._records.reference(CURRENCY, row.get("id_currency", ""), "", names(CURRENCY_FIELDS))
        except ConnectorError:  # the error that is raised already says what is wrong
            return told
        return told

    def _whole(self, row: Row) -> Record:
        key, language = row["id"], row.get("id_lang", "")
        if row.get("current_state", "") in HALF_MADE:
            raise Skip(
                f"orders/{key} was never completed in the shop: its checkout broke off and left it without state."
            )
        order = self._records.plain(ORDER, row, language)
        order["current_state"] = self._required(ORDER_STATE, row, "current_state", language, names(STATE_FIELDS))
        order["currency"] = self._required(CURRENCY, row, "id_currency", language, names(CURRENCY_FIELDS))
        order["language"] = self._records.reference(LANGUAGE, language, language, ("id", "iso_code"))
        order |= self._people(row, language)
        order["order_carriers"] = self._list(ORDER_CARRIER, key)
        order["carrier"] = self._carrier(row, order["order_carriers"], language)
        order["order_rows"] = self._rows(key, language)
        order["cart_rules"] = [one for one in self._list(CART_RULE, key) if not one["deleted"]]
        order["payments"] = self._payments(order["reference"])
        order["messages"] = self._messages(key)
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

    def _people(self, row: Row, language: str) -> Record:
        customers = self._by_id("customers", [row.get("id_customer", "")], DISPLAYS["customers"])
        ids = [row.get("id_address_invoice", ""), row.get("id_address_delivery", "")]
        places = self._by_id("addresses", ids, "full")
        self._records.prepare("addresses", places.values())
        addresses = {key: self._records.address(one, language) for key, one in places.items()}
        customer = customers.get(row.get("id_customer", ""))
        return {
            "customer": self._records.customer(customer) if customer else None,
            "invoice_address": addresses.get(ids[0]),
            "delivery_address": addresses.get(ids[1]),
        }

    def _by_id(self, resource: str, ids: list[str], shown: str) -> dict[str, Row]:
        wanted = sorted({one for one in ids if one not in ("", "0")})
        return {row["id"]: row for row in self._client.by_values(resource, "id", wanted, display=shown)}

    def _list(self, entity: Entity, order: str) -> list[Record]:
        rows = self._client.pages(entity.name, {"id_order": f"[{order}]"})
        return [self._records.plain(entity, row) for row in rows]

    def _carrier(self, row: Row, shipments: list[Record], language: str) -> Record | None:
        """A shipment's carrier wins: changing it leaves the order's own as it was."""
        shipped_by = [str(one["id_carrier"]) for one in shipments if one["id_carrier"]]
        key = shipped_by[-1] if shipped_by else row.get("id_carrier", "")
        return self._records.reference(CARRIER, key, language, names(CARRIER_FIELDS))

    def _rows(self, order: str, language: str) -> list[Record]:
        details = list(self._client.pages("order_details", {"id_order": f"[{order}]"}))
        self._records.prepare("order_details", details)
        lines = [self.line(one, language) for one in details]
        sold = [
            Item(one["product_id"] or 0, one["product_attribute_id"] or 0, one["product_reference"]) for one in lines
        ]
        numbers = self._items.numbered(sold)
        for line, item in zip(lines, sold, strict=True):
            rates = [tax["rate"] for tax in line["taxes"]]
            line["tax_rate"] = None if None in rates else sum(rates, Decimal(0))
            line["item_number"], in_catalogue = numbers[item]
            line["is_virtual"] = in_catalogue.is_virtual if in_catalogue else None
        return lines

    def _taxes(self, detail: Row, language: str) -> list[Record]:
        """A tax that was deleted keeps its id, without name and rate."""
        found: list[Record] = []
        for one in detail.get("associations", {}).get("taxes", []):
            gone: dict[str, Any] = {"id": integer(one.get("id", ""), f"order_details/{detail['id']} taxes")}
            gone |= {"name": "", "rate": None}
            found.append(self._records.reference(TAX, one.get("id", ""), language, ("id", "name", "rate")) or gone)
        return found

    def _payments(self, reference: str) -> list[Record]:
        """Payments are kept by reference: the orders that one cart was split into share theirs."""
        if not reference:
            return []
        rows = self._client.pages(
            "order_payments", {"order_reference": equals(reference)}, display=DISPLAYS["order_payments"]
        )
        return [self._records.plain(PAYMENT, row) for row in rows]

    def _messages(self, order: str) -> list[Record]:
        threads = self._client.pages("customer_threads", {"id_order": f"[{order}]"}, display="[id]")
        rows = self._client.by_values("customer_messages", "id_customer_thread", [one["id"] for one in threads])
        found = []
        for row in rows:
            one = self._records.plain(CUSTOMER_MESSAGE, row)
            kept = {name: one[name] for name in ("message", "private", "date_add")}
            found.append(kept | {"from_employee": one["id_employee"] is not None})
        return found


def names(fields: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(one.name for one in fields)
