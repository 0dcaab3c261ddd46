"""Who may call: the sandbox's keys and what each may do, and the shop's words for a refusal."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.prestashop.sandbox.errors import NOT_ACTIVE, Refused, nearest
from connectors.prestashop.sandbox.schema import RESOURCES
from connectors.sandbox import Request

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD")
FORBIDDEN = {"stock_availables": ("POST", "DELETE")}


@dataclass(frozen=True)
class Key:
    """`resources` names the methods allowed on each resource; None allows `methods` on all of them."""

    name: str
    key: str
    methods: tuple[str, ...] = METHODS
    resources: Mapping[str, tuple[str, ...]] | None = None
    active: bool = True

    def methods_for(self, resource: str) -> tuple[str, ...]:
        return self.methods if self.resources is None else self.resources.get(resource, ())


READS = {"orders": ("GET", "HEAD"), "stock_availables": ("GET",)}
FULL = Key("full", "TILLBRIDGEFULLACCESSKEY000000001")
READ_ORDERS = Key("read orders", "TILLBRIDGEREADORDERSKEY000000002", resources=READS)
DISABLED = Key("disabled", "TILLBRIDGEDISABLEDKEY00000000003", active=False)
WITHOUT_PATCH = Key(
    "without PATCH", "TILLBRIDGEWITHOUTPATCHKEY0000004", tuple(one for one in METHODS if one != "PATCH")
)
KEYS = (FULL, READ_ORDERS, DISABLED, WITHOUT_PATCH)


class NoKey(Exception):
    """No key was sent at all: a plain sentence, before the webservice starts."""


def sent_key(request: Request) -> str:
    """The key in the query or, as user name, in Basic authentication. Raises NoKey."""
    if "ws_key" in request.query:
        return request.query["ws_key"]
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise NoKey
    try:
        return base64.b64decode(credentials, validate=True).decode("utf-8", "replace").partition(":")[0]
    except (binascii.Error, ValueError) as error:
        raise NoKey from error


def signed_in(keys: tuple[Key, ...], key: str) -> Key:
    """Raises Refused 17, 18 or 20 with 21."""
    if not key:
        raise Refused(401, (17, "Authentication key is empty"))
    if len(key) != 32:
        raise Refused(401, (18, "Invalid authentication key format"))
    found = next((one for one in keys if one.key == key and one.active), None)
    if not found:
        raise Refused(401, *NOT_ACTIVE)
    return found


def check_resource(key: Key, resource: str) -> None:
    """Raises Refused 27 for a resource that does not exist, 26 for one that the key lacks."""
    if resource not in RESOURCES:
        listed = '", "'.join(RESOURCES)
        guess = nearest(resource, RESOURCES)
        raise Refused(
            400,
            (
                27,
                f'Resource of type "{resource}" does not exists. Did you mean: "{guess}"? The full list is: "{listed}"',
            ),
        )
    if not key.methods_for(resource):
        raise Refused(401, (26, f'Resource of type "{resource}" is not allowed with this authentication key'))


def check_method(key: Key, method: str, resource: str) -> None:
    """Raises Refused 23 for an unknown method, 25 for one that the key lacks, 101 for one that nobody may use."""
    if method not in METHODS:
        raise Refused(405, (23, f"Method {method} is not valid"))
    if method not in key.methods_for(resource):
        raise Refused(
            405, (25, f"Method {method} is not allowed for the resource {resource} with this authentication key")
        )
    if method in FORBIDDEN.get(resource, ()):
        raise Refused(405, (101, f"Method {method} is not allowed for the resource {resource}"))
