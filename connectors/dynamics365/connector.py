"""Dynamics 365 Sales on Dataverse, as the hub asks it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import ClassVar
from uuid import UUID, uuid4

from connectors.base import Change, CheckResult, Connector, Cursor, Entity, Record, Value, Written
from connectors.dynamics365 import checks
from connectors.dynamics365.client import Client
from connectors.dynamics365.entities import TABLES, Table
from connectors.dynamics365.options import PACE, SETTINGS, checked
from connectors.dynamics365.organization import Organization
from connectors.dynamics365.pricing import Precision, order_total
from connectors.dynamics365.reading import Reader
from connectors.dynamics365.wire import is_guid
from connectors.dynamics365.writing import Writer
from connectors.errors import NeedsPerson
from connectors.session import Session

ORDERS = "salesorder"


class Dynamics365(Connector):
    """Records are rows under their column names; a lookup stands under the name that binds it, as the GUID of its
    row. An order carries its lines under `order_details`. Row versions (etags) stay below: an update names the one
    that it was compared with, so that nobody else's edit is lost by it."""

    name: ClassVar[str] = "dynamics365"
    label: ClassVar[str] = "Dynamics 365"
    settings = SETTINGS
    entities = tuple(table.entity for table in TABLES.values())
    pace = PACE

    def __init__(self, settings: Mapping[str, str], session: Session | None = None) -> None:
        super().__init__(settings, session)
        self.values = checked(self.values)
        self._client = Client(self.values, self.session)
        column = self.values["order_reference_column"]
        self._organization = Organization(self._client, self.session.cache, column)
        self._reader = Reader(self._client)
        self._writer = Writer(self._client, self._reader, self._organization, self.values["order_write"])

    def entity(self, name: str) -> Entity:
        """As this organization has it: for orders that asks the organization once (its own reference column, decimals
        of unit prices). Raises NeedsPerson where the column is missing, SignInRefused, TryLater."""
        return self._table(name).entity

    def check(self) -> CheckResult:
        return checks.check(self._client, self._organization)

    def changes(self, entity: str, since: Cursor | None = None) -> Iterator[Change]:
        """By modification time and key. Deletions do not show: only a full pass may conclude them."""
        return self._reader.changes(self._table(entity), since)

    def read(self, entity: str, key: str) -> Record:
        return self._reader.read(self._table(entity), key)

    def find(self, entity: str, **fields: Value) -> list[Record]:
        """Text is compared without regard to case, as the system does. Orders are found in any state."""
        return self._reader.find(self._table(entity), fields)

    def write(self, entity: str, record: Record, key: str | None = None, *, idempotency_key: str = "") -> Written:
        """Creates under `idempotency_key`, which becomes the row's own key, so that a repeat finds it; or changes the
        columns that differ. Lines are written with their order and never by an update: there they must be as they
        are. Raises RecordRefused, InDoubt, TryLater (also where somebody else changed the row meanwhile), NotFound,
        and NeedsPerson for a closed order or another record under the same key."""
        table = self._table(entity)
        if not table.entity.writable:
            raise NeedsPerson(
                f"Dynamics 365: {table.entity.label} is only read by this connector.",
                "Change it in Dynamics 365, or choose another target entity in the flow.",
            )
        if key:
            stands, changed = self._writer.update(table, record, key)
        else:
            key = str(UUID(idempotency_key)) if idempotency_key else str(uuid4())
            stands, changed = self._writer.create(table, record, key)
        return Written(key, changed, self.link(entity, key), stands)

    def link(self, entity: str, key: str) -> str:
        return f"{self._client.origin}/main.aspx?pagetype=entityrecord&etn={entity}&id={key}" if key else ""

    def quota_owner(self) -> str:
        """The application user of an environment: Dataverse counts by user."""
        tenant, client = self.values["tenant"].lower(), self.values["client_id"].lower()
        return f"{self.name} {tenant}/{client}/{self._client.origin.lower()}"

    def close(self) -> None:
        self._client.close()

    def expected_total(self, entity: str, record: Record) -> Decimal:
        """Needs the record's currency; asks for the organization's and the currency's precision once."""
        if entity != ORDERS:
            raise NotImplementedError(entity)
        currency = record.get("transactioncurrencyid")
        places = self._organization.pricing_places()
        if not is_guid(currency) or places is None:
            raise NeedsPerson(
                "Dynamics 365: the total of an order cannot be foretold without its currency and the organization's "
                "pricing precision.",
                "Map the order's currency, and let the application user read the table organization.",
            )
        precision = Precision(places, self._organization.currency_places(str(currency)))
        return order_total(record, precision, lambda line: self._list_price(record, line))

    def _list_price(self, record: Record, line: Record) -> Decimal | None:
        wanted = {
            "pricelevelid": record.get("pricelevelid"),
            "productid": line.get("productid"),
            "uomid": line.get("uomid"),
        }
        items = self.find("productpricelevel", **wanted)
        amount = items[0]["amount"] if items else None
        return amount if isinstance(amount, Decimal) else None

    def _table(self, name: str) -> Table:
        if name not in TABLES:
            raise NeedsPerson(
                f"Dynamics 365: this connector does not speak of {name!r}.",
                f"Choose one of {', '.join(TABLES)} in the flow.",
            )
        return self._organization.orders() if name == ORDERS else TABLES[name]
