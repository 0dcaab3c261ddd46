"""Does the connection work: whose key, what it may do, and what a shop should be told about before orders flow."""

from datetime import timedelta

import httpx

from connectors.base import CheckResult
from connectors.errors import NeedsPerson
from connectors.prestashop.client import Client
from connectors.prestashop.failures import KEYS
from connectors.prestashop.notes import PATCH_SINCE, version_of
from connectors.prestashop.records import Records
from connectors.prestashop.rights import RIGHTS, Right, allowed, missing

CLOCK_TOLERANCE = timedelta(seconds=60)
TESTED = ((8, 0), (8, 2))


def check(client: Client, records: Records) -> CheckResult:
    """Raises SignInRefused, TryLater, or NeedsPerson where the address is no PrestaShop webservice."""
    root = client.root()
    if root.root is None or root.root.tag != "api":
        raise NeedsPerson(
            "This address answers, but not with a PrestaShop webservice's list of resources.",
            "Correct the shop's address in the connection.",
        )
    rights = allowed(root)
    absent = missing(rights)
    shop = root.root.get("shopName") or "the shop"
    facts = [("Shop", shop), ("PrestaShop", client.version or "unknown"), ("Clock", _clock(client.ahead))]
    warnings = [_words(one) for one in absent]
    may_read = {resource for resource, methods in rights.items() if "GET" in methods}
    if "configurations" in may_read:
        facts.append(("Time zone", records.zone.key))
    for resource, label, field in (("languages", "Languages", "iso_code"), ("currencies", "Currencies", "iso_code")):
        if resource in may_read:
            facts.append((label, ", ".join(sorted(row.get(field, "?") for row in client.pages(resource)))))
    facts.append(("Key may", _summary(rights)))
    warnings += _doubts(client)
    if "orders" in may_read:
        warnings += _half_made(client)
    needed = [one for one in absent if one.needed]
    if needed:
        return CheckResult(
            False,
            f"{shop} answers, but the webservice key lacks {_count(len(needed), 'right')} that reading orders needs.",
            tuple(facts),
            tuple(warnings),
        )
    return CheckResult(True, f"Connected to {shop}, PrestaShop {client.version}.", tuple(facts), tuple(warnings))


def _words(right: Right) -> str:
    return (
        f"The key may not {right.method} {right.resource}, which is needed {right.why}: in the back office, {KEYS}, "
        f"tick {right.method} in the row {right.resource}."
    )


def _summary(rights: dict[str, set[str]]) -> str:
    """What the key may do; writing that no flow needs is only counted, since a key should have none of it."""
    writing = {(one.resource, one.method) for one in RIGHTS if one.method != "GET"}
    granted = {(name, method) for name, methods in rights.items() for method in methods - {"GET", "HEAD"}}
    used = ", ".join(f"{method} {name}" for name, method in sorted(granted & writing))
    idle = len(granted - writing)
    reads = _count(sum("GET" in methods for methods in rights.values()), "resource")
    more = f"; {_count(idle, 'further right')} to write that no flow needs" if idle else ""
    return f"read {reads}; {used or 'write nothing'}{more}"


def _clock(ahead: timedelta) -> str:
    seconds = round(ahead.total_seconds())
    if abs(seconds) <= 1:
        return "the same as ours"
    return f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} ours"


def _doubts(client: Client) -> list[str]:
    found = []
    if abs(client.ahead) > CLOCK_TOLERANCE:
        found.append(f"The shop's clock is {_clock(client.ahead)}: have both clocks set by a time server.")
    version = version_of(client.version)
    if version < PATCH_SINCE:
        found.append(f"PrestaShop {client.version or 'of unknown version'} cannot change the note of an order (8.0+).")
    if not TESTED[0] <= version <= TESTED[1]:
        found.append(f"This connector was tried with PrestaShop 8.0 to 8.2, not with {client.version or 'this one'}.")
    url = httpx.URL(client.base)
    if url.scheme == "http" and url.host not in ("localhost", "127.0.0.1", "::1"):
        found.append("The address begins with http://, so the key can be read on the way: use https://.")
    return found


def _half_made(client: Client) -> list[str]:
    rows = client.rows("orders", {"current_state": "[0]"}, display="[id]", sort="[id_DESC]", limit=10)
    if not rows:
        return []
    ids = ", ".join(row["id"] for row in rows)
    return [f"Orders that were never completed and are not carried over: {ids}. Look at them in the back office."]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
