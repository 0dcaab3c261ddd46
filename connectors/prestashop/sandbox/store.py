"""The shop's tables: records by resource and id, found again by any indexed field, and what no resource shows."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from connectors.prestashop.sandbox.schema import RESOURCES, Record, fold

INDEXED = {
    "orders": ("id_cart", "reference", "id_customer"),
    "order_payments": ("order_reference",),
    "customers": ("email",),
    "addresses": ("id_customer",),
    "stock_availables": ("id_product",),
    "order_details": ("id_order",),
    "order_invoices": ("id_order",),
    "order_histories": ("id_order",),
    "order_carriers": ("id_order",),
    "order_cart_rules": ("id_order",),
    "customer_threads": ("id_order",),
    "customer_messages": ("id_customer_thread",),
    "combinations": ("id_product",),
    "tax_rules": ("id_tax_rules_group",),
    "configurations": ("name",),
}

# Numbers that the shop hands out one after another, apart from ids.
COUNTED = {"order_invoices": ("number", "delivery_number")}


class Store:
    """Every change goes through `insert`, `change` and `delete`, which keep the indexes and count in `changes` what
    they did. Values are texts as the database gives them back."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[int, Record]] = {name: {} for name in RESOURCES}
        self.last_ids: dict[str, int] = defaultdict(int)
        self.mails: list[dict[str, str]] = []
        self.invoice_payments: dict[str, list[int]] = {}
        self.webservice_on = True
        self.break_after_state = 0
        self.changes = 0
        self.recorded: frozenset[str] = frozenset()  # the resources that a loaded folder has records of
        self.highest: dict[tuple[str, str], int] = defaultdict(int)
        self._indexes: dict[tuple[str, str], dict[str, set[int]]] = {}
        for resource, names in INDEXED.items():
            for name in names:
                self._indexes[resource, name] = defaultdict(set)

    def get(self, resource: str, key: int | str) -> Record | None:
        try:
            return self.tables[resource].get(int(key or 0))
        except ValueError:
            return None

    def find(self, resource: str, **fields: int | str) -> list[Record]:
        """The records whose fields equal these texts, by id."""
        wanted = {name: str(value) for name, value in fields.items()}
        candidates: Iterable[Record] = self.tables[resource].values()
        for name, value in wanted.items():
            if (resource, name) in self._indexes:
                candidates = [self.tables[resource][key] for key in self._indexes[resource, name].get(fold(value), ())]
                break
        found = [one for one in candidates if all(one.get(name) == value for name, value in wanted.items())]
        return sorted(found, key=lambda one: int(one["id"]))

    def indexed(self, resource: str, name: str, values: Iterable[str]) -> set[int] | None:
        """The ids of a superset of the records with one of these values; None where the field has no index."""
        index = self._indexes.get((resource, name))
        if index is None:
            return None
        return {key for value in values for key in index.get(fold(value), ())}

    def insert(self, resource: str, record: Record, key: int | None = None) -> Record:
        """Stores the record under this id or the table's next, and returns it as stored."""
        self.changes += 1
        key = key or self.last_ids[resource] + 1
        self.last_ids[resource] = max(self.last_ids[resource], key)
        stored = RESOURCES[resource].stored({**record, "id": str(key)})
        if key in self.tables[resource]:
            self._forget(resource, key)
        self.tables[resource][key] = stored
        for name in INDEXED.get(resource, ()):
            self._indexes[resource, name][fold(stored[name])].add(key)
        self._count(resource, stored)
        return stored

    def change(self, resource: str, record: Record, **values: Any) -> None:
        """Writes these values into a stored record."""
        fields = RESOURCES[resource].by_name
        key = int(record["id"])
        for name, value in values.items():
            new = value if name == "associations" or fields[name].i18n else fields[name].stored(str(value))
            if name in INDEXED.get(resource, ()):
                self._indexes[resource, name][fold(record[name])].discard(key)
                self._indexes[resource, name][fold(new)].add(key)
            self.changes += record.get(name) != new
            record[name] = new
        self._count(resource, record)

    def next_number(self, resource: str, field: str) -> int:
        return self.highest[resource, field] + 1

    def _count(self, resource: str, record: Record) -> None:
        for name in COUNTED.get(resource, ()):
            self.highest[resource, name] = max(self.highest[resource, name], int(record[name]))

    def delete(self, resource: str, key: int) -> None:
        self.changes += 1
        self._forget(resource, key)
        del self.tables[resource][key]

    def _forget(self, resource: str, key: int) -> None:
        record = self.tables[resource][key]
        for name in INDEXED.get(resource, ()):
            self._indexes[resource, name][fold(record[name])].discard(key)

    def configuration(self, name: str, default: str = "") -> str:
        found = self.find("configurations", name=name)
        return str(found[0]["value"]) if found else default

    def dump(self) -> dict[str, Any]:
        """A copy of everything, as JSON values."""
        state = {
            "resources": {name: list(table.values()) for name, table in self.tables.items()},
            "last_ids": dict(self.last_ids),
            "mails": self.mails,
            "invoice_payments": self.invoice_payments,
            "webservice_on": self.webservice_on,
            "break_after_state": self.break_after_state,
        }
        return copied(state)

    @classmethod
    def restored(cls, state: dict[str, Any]) -> "Store":
        """Raises KeyError, TypeError or ValueError where the state is not one that `dump` made."""
        state = copied(state)
        store = cls()
        for name, records in state["resources"].items():
            for record in records:
                store.insert(name, record, int(record["id"]))
        for name, last in state.get("last_ids", {}).items():
            store.last_ids[name] = max(store.last_ids[name], int(last))
        store.mails = state.get("mails", [])
        store.invoice_payments = state.get("invoice_payments", {})
        store.webservice_on = bool(state.get("webservice_on", True))
        store.break_after_state = int(state.get("break_after_state", 0))
        return store


def copied(state: dict[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(state))
    return copy
