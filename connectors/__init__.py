"""The systems that the hub can speak to: a folder here is a system."""

import importlib
import pkgutil
from functools import cache

from connectors.base import Connector
from connectors.sandbox import Sandbox


@cache
def systems() -> dict[str, type[Connector]]:
    """Every connector by name: each folder here but the tests."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg and module.name != "tests":
            package = importlib.import_module(f"{__name__}.{module.name}")
            found[module.name] = package.connector
    return found


def sandbox_of(system: str) -> type[Sandbox]:
    """The sandbox class of a system; raises KeyError where there is no such system."""
    if system not in systems():
        raise KeyError(system)
    sandbox: type[Sandbox] = importlib.import_module(f"{__name__}.{system}.sandbox").sandbox
    return sandbox
