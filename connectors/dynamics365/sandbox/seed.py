"""What stands in the environment from the start, and a catalogue for the items of a shop."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from connectors.dynamics365.sandbox import records
from connectors.dynamics365.sandbox.catalogue import base_unit_id
from connectors.dynamics365.sandbox.environment import Environment, round_half_up
from connectors.dynamics365.sandbox.payload import read_payload
from connectors.dynamics365.sandbox.store import Row

SEED: dict[str, Any] = json.loads((Path(__file__).parent / "seed.json").read_text())
NAMESPACE = UUID(SEED["namespace"])
# List prices differ from the shop's on purpose: an order line whose price is not overridden shows.
RATE_PLACES = 12
MARK_UP, SURCHARGE = Decimal("1.37"), Decimal("3")


def made_id(*names: str) -> str:
    return str(uuid5(NAMESPACE, "/".join(names)))


ORGANIZATION, BUSINESS_UNIT, USER = (made_id(name) for name in ("organization", "business unit", "application user"))
UNIT_GROUP = made_id("unit group")


def plant(environment: Environment) -> None:
    """The organization with its business unit and application user, two currencies, and a small catalogue."""
    base = ("transactioncurrency", made_id("currency", SEED["base"]))
    bare(environment, "businessunit", {"businessunitid": BUSINESS_UNIT, "name": SEED["organization"]})
    user: Row = {"systemuserid": USER, "fullname": "# Tillbridge", "lastname": "# Tillbridge"}
    user |= {"applicationid": SEED["client_id"], "businessunitid": ("businessunit", BUSINESS_UNIT)}
    user |= {"domainname": "tillbridge@sandbox.example", "internalemailaddress": "tillbridge@sandbox.example"}
    bare(environment, "systemuser", user)
    bare(
        environment,
        "organization",
        {"organizationid": ORGANIZATION, "name": SEED["organization"], "basecurrencyid": base},
    )
    catalogue(
        environment,
        [one | {"price": Decimal(one["price"])} for one in SEED["items"]],
        [one | {"rate": Decimal(one["rate"])} for one in SEED["currencies"]],
    )


def bare(environment: Environment, table: str, values: Row) -> None:
    """A row of a table whose rows only the platform makes."""
    row = records.defaults(environment, environment.tables[table]) | values
    records.stamp(environment, row, None)
    environment.store.put(table, row)


def upsert(environment: Environment, table_name: str, id: str, payload: dict[str, Any]) -> None:
    """The record under this id. An update leaves out columns that only a create takes, and is left out itself where
    nothing would change."""
    table = environment.tables[table_name]
    before = environment.store.get(table_name, id)
    if before is None:
        records.create(environment, table, {table.id: id, **payload})
        return
    fixed = {name for name in payload if name in table.columns and not table.columns[name].on_update}
    changes = {name: value for name, value in payload.items() if name not in fixed}
    draft = read_payload(environment, table, changes, {}, creating=False)
    if any(before[name] != value for name, value in draft.values.items()):
        records.update(environment, table, before, changes)


def catalogue(
    environment: Environment, items: Iterable[Mapping[str, Any]], currencies: Iterable[Mapping[str, Any]]
) -> None:
    """One unit, a currency and price list for each currency, an active product for each item with a price in each
    list. Ids follow from number and code, and products and currencies that are there already are kept: the same a
    second time changes nothing."""
    with environment.store.transaction():
        upsert(environment, "uomschedule", UNIT_GROUP, {"name": "Default Unit", "baseuomname": "Piece"})
        lists = [(add_currency(environment, one), one) for one in currencies]
        settle_base(environment)
        for item in items:
            product = add_product(environment, str(item["number"]), str(item["name"]))
            for price_list, currency in lists:
                price = Decimal(item["price"]) * Decimal(currency["rate"]) * MARK_UP + SURCHARGE
                amount = round_half_up(price, min(int(currency["precision"]), pricing_places(environment)))
                add_price(environment, product, price_list, amount)


def pricing_places(environment: Environment) -> int:
    return int(environment.organization["pricingdecimalprecision"])


def add_currency(environment: Environment, given: Mapping[str, Any]) -> str:
    """The id of the currency's price list."""
    code = str(given["iso_code"])
    name, symbol = SEED["symbols"].get(code, [code, code])
    known = environment.store.where("transactioncurrency", "isocurrencycode", code)
    id = known[0]["transactioncurrencyid"] if known else made_id("currency", code)
    values = {"currencyname": name, "isocurrencycode": code, "currencysymbol": symbol}
    rate = round_half_up(Decimal(given["rate"]), RATE_PLACES)
    values |= {"currencyprecision": int(given["precision"]), "exchangerate": rate}
    upsert(environment, "transactioncurrency", id, values)
    price_list = made_id("price list", code)
    bind = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({id})"}
    upsert(environment, "pricelevel", price_list, {"name": f"Web shop {code}", **bind})
    return price_list


def settle_base(environment: Environment) -> None:
    """The organization's base currency is the one whose rate is 1; where several are, the one that it already has."""
    at_par = [row for row in environment.store.all("transactioncurrency") if row["exchangerate"] == 1]
    references = [("transactioncurrency", row["transactioncurrencyid"]) for row in at_par]
    if references and environment.organization["basecurrencyid"] not in references:
        environment.store.put("organization", environment.organization | {"basecurrencyid": references[0]})


def add_product(environment: Environment, number: str, name: str) -> str:
    known = environment.store.where("product", "productnumber", number)
    id = str(known[0]["productid"]) if known else made_id("product", number)
    upsert(
        environment,
        "product",
        id,
        {
            "productnumber": number,
            "name": name[:100] or number,
            "quantitydecimal": 2,
            "defaultuomscheduleid@odata.bind": f"/uomschedules({UNIT_GROUP})",
            "defaultuomid@odata.bind": f"/uoms({base_unit_id(UNIT_GROUP)})",
        },
    )
    upsert(environment, "product", id, {"statecode": 0, "statuscode": 1})
    return id


def add_price(environment: Environment, product: str, price_list: str, amount: Decimal) -> None:
    upsert(
        environment,
        "productpricelevel",
        made_id("price", product, price_list),
        {
            "amount": amount,
            "productid@odata.bind": f"/products({product})",
            "pricelevelid@odata.bind": f"/pricelevels({price_list})",
            "uomid@odata.bind": f"/uoms({base_unit_id(UNIT_GROUP)})",
        },
    )
