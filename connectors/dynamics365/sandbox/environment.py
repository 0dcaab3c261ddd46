"""The environment: its tables, rows, settings and who is calling."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from connectors.dynamics365.sandbox import unspoken
from connectors.dynamics365.sandbox.errors import invalid, no_resource, not_implemented
from connectors.dynamics365.sandbox.store import Row, Store
from connectors.dynamics365.sandbox.tables import Column, Table


@dataclass
class Switches:
    """What a tester turns: all off, the environment behaves as a fresh one does. `token_lifetime` in seconds;
    `time_limit` are the seconds of execution allowed in five minutes, and each call is charged `call_milliseconds`."""

    token_lifetime: int = 3599
    secret_expired: bool = False
    application_user_missing: bool = False
    security_role_missing: bool = False
    duplicate_status: int = 500
    request_limit: int | None = None
    time_limit: int | None = None
    call_milliseconds: int = 0
    concurrency_limit: int | None = None
    retry_after: int = 10


@dataclass
class Environment:
    tables: dict[str, Table]
    store: Store
    clock: Callable[[], datetime]
    user: str
    business_unit: str
    organization_id: str
    switches: Switches = field(default_factory=Switches)

    def table_of_set(self, name: str) -> Table:
        """Raises Refused where no table has this entity set: 404, and 501 where the service has one."""
        for table in self.tables.values():
            if table.set == name:
                return table
        if name in unspoken.SETS:
            raise not_implemented(f"the table of '{name}'")
        raise no_resource(name)

    def now(self) -> str:
        return wire_time(self.clock())

    @property
    def organization(self) -> Row:
        return self.store.rows["organization"][self.organization_id]

    def target(self, reference: tuple[str, str] | None) -> Row | None:
        return self.store.get(*reference) if reference else None

    def currency_of(self, row: Row) -> Row | None:
        return self.target(row.get("transactioncurrencyid"))

    def places(self, column: Column, row: Row) -> int:
        """Decimal places kept in this column of this row: the column's, the organization's or the currency's."""
        if column.type == "Money" and column.source == 1:
            return int(self.organization["pricingdecimalprecision"])
        if column.type == "Money" and column.source == 2:
            currency = self.currency_of(row)
            return int((currency or self.organization)["currencyprecision" if currency else "currencydecimalprecision"])
        return column.precision if column.precision is not None else 10

    def rounded(self, column: Column, row: Row, value: Decimal) -> Decimal:
        """Raises Refused where the value does not fit the column."""
        if (column.high is not None and value > column.high) or (column.low is not None and value < column.low):
            raise invalid(f"The value {value} of '{column.name}' is outside the valid range.", "0x80044330")
        return round_half_up(value, self.places(column, row))


def round_half_up(value: Decimal, places: int) -> Decimal:
    """Halves away from zero. Microsoft documents the precision of amounts, not how halves are rounded: this is what
    its SQL Server does, and unconfirmed."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def wire_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
