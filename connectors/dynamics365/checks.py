"""Does a connection work, as whom, and what is missing: every finding at once, in words."""

from collections import defaultdict
from dataclasses import dataclass, field

import httpx

from connectors.base import CheckResult
from connectors.dynamics365.client import Client, Row
from connectors.dynamics365.entities import TABLES, Table
from connectors.dynamics365.failures import Task
from connectors.dynamics365.organization import Organization
from connectors.dynamics365.wire import selection
from connectors.errors import NeedsPerson, SignInRefused

SKEW_SECONDS = 120
ENOUGH_PLACES = 4
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass
class Findings:
    facts: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check(client: Client, organization: Organization) -> CheckResult:
    """Signs in anew, then asks for one row of every table that is needed. Rights to write show only when something is
    written. Raises SignInRefused, TryLater, NeedsPerson where not even the environment answers."""
    client.entra.forget()
    who = client.get("/WhoAmI", Task("ask who we are, table", TABLES["organization"]))
    found = Findings()
    found.facts.append(("Application user", str(who.get("UserId") or "unknown")))
    readable = _readable_tables(client, found)
    if "organization" in readable:
        _organization(organization, found)
    if {"pricelevel", "transactioncurrency"} <= readable:
        _currencies(client, found)
    _reference_column(organization, found)
    _clock(client, found)
    _plain_text(client, found)
    name = next((value for label, value in found.facts if label == "Organization"), client.origin)
    if found.faults:
        return CheckResult(
            False, f"{name} answers, but: {found.faults[0]}", tuple(found.facts), tuple(found.faults + found.warnings)
        )
    return CheckResult(True, f"Connected to {name}.", tuple(found.facts), tuple(found.warnings))


def _readable_tables(client: Client, found: Findings) -> set[str]:
    readable = set()
    lines = [child for table in TABLES.values() for child in table.rows.values()]
    for table in [*TABLES.values(), *lines]:
        try:
            client.get(f"/{table.entity_set}", Task("read", table), {"$select": table.key, "$top": "1"})
            readable.add(table.name)
        except SignInRefused as error:
            found.faults.append(f"{error.message} {error.hint}")
    found.facts.append(("Tables that may be read", ", ".join(sorted(readable)) or "none"))
    return readable


def _organization(organization: Organization, found: Findings) -> None:
    found.facts.append(("Organization", str(organization.facts().get("name") or "without a name")))
    places = organization.pricing_places()
    found.facts.append(("Decimals of unit prices", "unknown" if places is None else str(places)))
    if places is not None and places < ENOUGH_PLACES:
        found.warnings.append(
            f"Unit prices keep {places} decimals: net prices of a shop often need {ENOUGH_PLACES}, and what is cut "
            "becomes a rounding line of the order. Settings, Administration, System Settings, General: set the pricing "
            "decimal precision."
        )

    if organization.facts().get("oobpricecalculationenabled") is False:
        found.warnings.append(
            "The system price calculation is switched off: a plug-in of your organization computes the totals, so they "
            "cannot be foretold and every order will be held with both totals. Switch it on under App settings, "
            "Overview, System Settings, Sales (Use system prices in calculations), if no plug-in needs it."
        )


def _currencies(client: Client, found: Findings) -> None:
    codes = {
        row.get("transactioncurrencyid"): row.get("isocurrencycode") for row in _active(client, "transactioncurrency")
    }
    lists: dict[str, list[str]] = defaultdict(list)
    for row in _active(client, "pricelevel"):
        code = codes.get(row.get("_transactioncurrencyid_value"))
        lists[str(code or "?")].append(str(row.get("name")))
    for code, names in sorted(lists.items()):
        found.facts.append((f"Price lists in {code}", ", ".join(names)))
    bare = sorted(str(code) for code in codes.values() if str(code) not in lists)
    if bare:
        found.warnings.append(f"No active price list in {', '.join(bare)}: orders in that currency cannot be written.")


def _active(client: Client, name: str) -> list[Row]:
    table: Table = TABLES[name]
    query = {"$select": selection(table), "$filter": f"statecode eq {table.active}", "$orderby": f"{table.key} asc"}
    return list(client.rows(table, Task("read", table), query))


def _reference_column(organization: Organization, found: Findings) -> None:
    try:
        organization.orders()
    except NeedsPerson as error:
        found.faults.append(f"{error.message} {error.hint}")


def _clock(client: Client, found: Findings) -> None:
    skew = client.clock_skew
    if skew is not None and abs(skew) > SKEW_SECONDS:
        found.warnings.append(
            f"The environment's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's: "
            "set this machine's clock by a time server, or changes will be read late."
        )


def _plain_text(client: Client, found: Findings) -> None:
    for what, address in (("environment", client.origin), ("sign-in", client.entra.address)):
        url = httpx.URL(address)
        if url.scheme == "http" and url.host not in LOCAL_HOSTS:
            found.warnings.append(
                f"The {what} address {url.host} is called without encryption, so whoever is in between reads the "
                "secret, the tokens and the orders: enter it with https://."
            )
