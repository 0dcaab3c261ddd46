"""Faults of a sandbox, switched from the console: for trying out and training, where the hub runs for that."""

from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings

from connectors.sandbox import CONTROL
from hub.connecting import transports
from hub.models import Connection

SECONDS = 2.0
HERE = {"127.0.0.1", "localhost", "::1", "sandbox.test"}


@dataclass(frozen=True)
class Switch:
    name: str
    label: str
    fault: dict[str, Any]
    on: bool = False


FAULTS = (
    Switch("away", "Away: nobody answers", {"kind": "refused", "times": -1}),
    Switch("maintenance", "Under maintenance", {"kind": "maintenance", "times": -1}),
    Switch("slow", "Slow: 3 seconds an answer", {"kind": "slow", "times": -1, "seconds": 3}),
    Switch("expired", "Sign-in refused", {"kind": "expired", "times": -1}),
    Switch(
        "limited",
        "Too many requests, for 20 seconds",
        {"kind": "status", "times": -1, "status": 429, "retry_after": 20},
    ),
    Switch("lost", "Answers of writes are lost", {"kind": "lost", "times": 3, "method": "POST"}),
)


def switches(connection: Connection) -> list[Switch]:
    """Those of the connection's sandbox; none where it is no sandbox, or the hub is not for trying out."""
    client = _client(connection)
    if client is None:
        return []
    try:
        with client:
            found = client.get(f"{CONTROL}/faults").json()
        on = [{name: one[name] for name in ("kind", "status")} for one in found if one.get("times")]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return []
    return [Switch(one.name, one.label, one.fault, _is_on(one, on)) for one in FAULTS]


def _is_on(switch: Switch, on: list[dict[str, Any]]) -> bool:
    status = switch.fault.get("status")
    return any(one["kind"] == switch.fault["kind"] and status in (None, one["status"]) for one in on)


def switch(connection: Connection, name: str) -> str:
    """Switches this fault on and every other off; all off for an empty name. Returns what happened, in words."""
    wanted = next((one for one in FAULTS if one.name == name), None)
    client = _client(connection)
    if client is None:
        return "Nothing was switched: this connection leads to no sandbox."
    try:
        with client:
            client.post(f"{CONTROL}/faults", json=[wanted.fault] if wanted else []).raise_for_status()
    except httpx.HTTPError as error:
        return f"Nothing was switched: the sandbox did not answer ({error})."
    return f"The sandbox is now: {wanted.label.lower()}." if wanted else "The sandbox answers as it should."


def _client(connection: Connection) -> httpx.Client | None:
    """To the sandbox that one of the connection's addresses leads to."""
    if not settings.DEBUG and connection.name not in transports:
        return None
    for value in connection.settings.values():
        try:
            address = httpx.URL(str(value))
        except httpx.InvalidURL:
            continue
        if address.scheme in ("http", "https") and address.host in HERE:
            base = f"{address.scheme}://{address.netloc.decode()}"
            made = transports.get(connection.name)
            return httpx.Client(base_url=base, timeout=SECONDS, transport=made() if made else None)
    return None
