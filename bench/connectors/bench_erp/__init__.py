"""An ERP that is asked for the measured work alone: one upsert for each record, an order with its lines, under the key
that the pair gives it, and nothing read back. What a call is like says Dynamics 365's own client."""

from collections.abc import Mapping
from typing import ClassVar

from connectors.base import Connector, Record, Value, Written
from connectors.dynamics365.client import Client
from connectors.dynamics365.creation import create
from connectors.dynamics365.entities import TABLES
from connectors.dynamics365.failures import Task
from connectors.dynamics365.options import SETTINGS, checked
from connectors.dynamics365.wire import address, from_row, new_row
from connectors.session import Session

ORDERS = "salesorder"


class BenchErp(Connector):
    name: ClassVar[str] = "bench_erp"
    label: ClassVar[str] = "Bench ERP"
    settings = SETTINGS
    entities = (TABLES["contact"].entity, TABLES[ORDERS].entity)

    def __init__(self, settings: Mapping[str, str], session: Session | None = None) -> None:
        super().__init__(settings, session)
        self._client = Client(checked(self.values), self.session)

    def read(self, entity: str, key: str) -> Record:
        table = TABLES[entity]
        return from_row(table, self._client.get(address(table.entity_set, key), Task("read", table, key=key)))

    def find(self, entity: str, **fields: Value) -> list[Record]:
        """Nothing is known by anything but its key, under which a second write finds the first."""
        return []

    def write(self, entity: str, record: Record, key: str | None = None, *, idempotency_key: str = "") -> Written:
        table, key = TABLES[entity], key or idempotency_key
        task = Task("write", table, key, record, key, writes=True)
        if entity == ORDERS:
            answer = create(self._client, table, record, key, task)
        else:
            answer = self._client.write("PATCH", address(table.entity_set, key), task, new_row(table, record), {})
        return Written(key, answer.is_success, "")

    def close(self) -> None:
        self._client.close()


connector = BenchErp

__all__ = ["connector"]
