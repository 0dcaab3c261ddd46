"""What belongs to orders, fetched for many of them at once: a call a resource (and page), however many orders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.failures import unfiltered
from connectors.prestashop.filters import can_be_listed, equals
from connectors.prestashop.items import spelling
from connectors.prestashop.records import DISPLAYS, Records

Rows = dict[str, list[Row]]
NO_ID = ("", "0")


@dataclass(frozen=True)
class Belongings:
    """Rows as the shop sent them: customers, addresses and carriers by their own id; shipments, lines, vouchers and
    messages by the order's id, payments by `spelling` of the order's reference, each by ascending id."""

    customers: Mapping[str, Row]
    addresses: Mapping[str, Row]
    carriers: Mapping[str, Row]
    shipments: Rows
    lines: Rows
    vouchers: Rows
    payments: Rows
    messages: Rows


def carrier_of(order: Row, shipments: Iterable[Row]) -> str:
    """The id of the carrier; a shipment's wins: changing it leaves the order's own as it was."""
    shipped_by = [one["id_carrier"] for one in shipments if one.get("id_carrier", "") not in NO_ID]
    return str(shipped_by[-1] if shipped_by else order.get("id_carrier", ""))


class Gathering:
    """Fetches belongings. Raises whatever a call raises: it says nothing about which of the orders is to blame."""

    def __init__(self, client: Client, records: Records) -> None:
        self._client = client
        self._records = records

    def of(self, orders: list[Row]) -> Belongings:
        ids = [one["id"] for one in orders]
        customers = self._by_id("customers", (one.get("id_customer", "") for one in orders), DISPLAYS["customers"])
        places = (one.get(name, "") for one in orders for name in ("id_address_invoice", "id_address_delivery"))
        addresses = self._by_id("addresses", places, "full")
        shipments = self._of_orders("order_carriers", ids)
        lines = self._of_orders("order_details", ids)
        belongings = Belongings(
            customers,
            addresses,
            self._records.several("carriers", {carrier_of(one, shipments[one["id"]]) for one in orders}),
            shipments,
            lines,
            self._of_orders("order_cart_rules", ids),
            self._payments([one.get("reference", "") for one in orders]),
            self._messages(ids),
        )
        self._records.prepare("customers", customers.values())
        self._records.prepare("addresses", addresses.values())
        self._records.prepare("order_details", (row for rows in lines.values() for row in rows))
        return belongings

    def _by_id(self, resource: str, ids: Iterable[str], shown: str) -> dict[str, Row]:
        wanted = sorted({one for one in ids if one not in NO_ID})
        return {row["id"]: row for row in self._client.by_values(resource, "id", wanted, display=shown)}

    def _of_orders(self, resource: str, ids: list[str]) -> Rows:
        return grouped(resource, "id_order", ids, self._client.by_values(resource, "id_order", ids))

    def _payments(self, references: list[str]) -> Rows:
        """Payments are kept by reference: the orders that one cart was split into share theirs."""
        wanted = {spelling(one): one for one in references if one}
        listed = [one for one in wanted.values() if can_be_listed(one)] if len(wanted) > 1 else []
        shown = DISPLAYS["order_payments"]
        rows = self._client.by_values("order_payments", "order_reference", listed, display=shown)
        found = grouped("order_payments", "order_reference", [spelling(one) for one in listed], rows)
        for name, one in wanted.items():
            if name not in found:
                found[name] = list(
                    self._client.pages("order_payments", {"order_reference": equals(one)}, display=shown)
                )
        return found

    def _messages(self, orders: list[str]) -> Rows:
        threads = self._client.by_values("customer_threads", "id_order", orders, display="[id,id_order]")
        by_order = grouped("customer_threads", "id_order", orders, threads)
        order_of = {one["id"]: order for order, rows in by_order.items() for one in rows}
        rows = self._client.by_values("customer_messages", "id_customer_thread", order_of)
        by_thread = grouped("customer_messages", "id_customer_thread", list(order_of), rows)
        found: Rows = {one: [] for one in orders}
        for thread, messages in by_thread.items():
            found[order_of[thread]] += messages
        return {order: sorted(messages, key=lambda row: int(row["id"])) for order, messages in found.items()}


def grouped(resource: str, name: str, values: list[str], rows: Iterable[Row]) -> Rows:
    """The rows by what they belong to. Raises NeedsPerson for a row that belongs to none of these."""
    found: Rows = {one: [] for one in values}
    for row in rows:
        owner = spelling(row.get(name, ""))
        if owner not in found:
            raise unfiltered(resource)
        found[owner].append(row)
    return found
