"""What the platform adds to and asks of a record, table by table."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.dynamics365.sandbox import catalogue, orders, pricing
from connectors.dynamics365.sandbox.environment import Environment, round_half_up
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Table

BASE_PLACES = 4


def prepare(environment: Environment, table: Table, row: Row, before: Row | None) -> None:
    """Fills in what the platform decides before the row is stored. Raises Refused."""
    if rule := PREPARE.get(table.name):
        rule(environment, row, before)
    currency = table.columns.get("transactioncurrencyid")
    if currency and currency.is_lookup:
        settle_currency(environment, table, row)


def settle_currency(environment: Environment, table: Table, row: Row) -> None:
    """A row with an amount and no currency is in the base currency; its exchange rate is the currency's of now."""
    amounts = (name for name, column in table.columns.items() if column.type == "Money")
    if row["transactioncurrencyid"] is None and any(row.get(name) is not None for name in amounts):
        row["transactioncurrencyid"] = environment.organization["basecurrencyid"]
    currency = environment.currency_of(row)
    row["exchangerate"] = currency["exchangerate"] if currency else None


def round_amounts(environment: Environment, table: Table, row: Row) -> None:
    """Rounds amounts and decimals to their precision, and renews the amounts in the base currency."""
    for name, column in table.columns.items():
        value = row.get(name)
        if column.type == "Money" and not name.endswith("_base"):
            rate = row.get("exchangerate")
            if isinstance(value, Decimal):
                row[name] = environment.rounded(column, row, value)
            row[f"{name}_base"] = round_half_up(row[name] / rate, BASE_PLACES) if value is not None and rate else None
        elif column.type == "Decimal" and isinstance(value, Decimal):
            row[name] = environment.rounded(column, row, value)


def refuse_closed(environment: Environment, table: Table, before: Row, values: dict[str, Any]) -> None:
    """A closed order takes nothing but a new state."""
    if table.name == "salesorder":
        orders.refuse_closed(before, values)


def after_save(environment: Environment, table: Table, row: Row, before: Row | None) -> None:
    if table.name == "salesorderdetail":
        for order in {row["salesorderid"], (before or row)["salesorderid"]}:
            retotal(environment, order[1])
    elif table.name == "salesorder" and before is not None and row["pricelevelid"] != before["pricelevelid"]:
        reprice(environment, row)
    elif table.name == "uomschedule" and before is None:
        catalogue.add_base_unit(environment, row)


def before_delete(environment: Environment, table: Table, row: Row) -> None:
    if table.name == "salesorder":
        orders.refuse_delete(row)
    elif table.name == "salesorderdetail":
        orders.open_order(environment, row)


def after_delete(environment: Environment, table: Table, row: Row) -> None:
    if table.name == "salesorderdetail":
        retotal(environment, row["salesorderid"][1])


def retotal(environment: Environment, order_id: str) -> None:
    order = dict(environment.store.rows["salesorder"][order_id])
    pricing.total(environment, order)
    order["modifiedon"] = environment.now()
    round_amounts(environment, environment.tables["salesorder"], order)
    environment.store.put("salesorder", order)


def reprice(environment: Environment, order: Row) -> None:
    """Another price list gives other prices to the lines that follow it."""
    table = environment.tables["salesorderdetail"]
    for line in environment.store.where(table.name, "salesorderid", ("salesorder", order["salesorderid"])):
        renewed = dict(line)
        prepare(environment, table, renewed, line)
        round_amounts(environment, table, renewed)
        environment.store.put(table.name, renewed)
    retotal(environment, order["salesorderid"])


def prepare_contact(environment: Environment, row: Row, before: Row | None) -> None:
    parts = (row["firstname"], row["middlename"], row["lastname"])
    row["fullname"] = " ".join(one for one in parts if one) or None


Rule = Callable[[Environment, Row, Row | None], None]
PREPARE: dict[str, Rule] = {
    "contact": prepare_contact,
    "salesorder": orders.prepare_order,
    "salesorderdetail": orders.prepare_line,
    "product": catalogue.prepare_product,
    "uom": catalogue.prepare_unit,
    "pricelevel": catalogue.prepare_price_list,
    "productpricelevel": catalogue.prepare_price_list_item,
    "transactioncurrency": catalogue.prepare_currency,
}
