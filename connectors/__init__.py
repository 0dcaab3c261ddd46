"""The systems that the hub can speak to: a folder here is a system, and so is one in a folder that the environment
variable CONNECTORS names (several are separated as in PATH)."""

import importlib
import os
import pkgutil
from functools import cache
from pathlib import Path

from connectors.base import Connector
from connectors.sandbox import Sandbox


@cache
def systems() -> dict[str, type[Connector]]:
    """Every connector by name: each folder here but the tests, then those of CONNECTORS; a name that is taken here
    stays ours. Raises NotADirectoryError for a folder that CONNECTORS names and that is none."""
    for folder in filter(None, os.environ.get("CONNECTORS", "").split(os.pathsep)):
        if not Path(folder).is_dir():
            raise NotADirectoryError(f"CONNECTORS names {folder}, which is no folder.")
        __path__.append(str(Path(folder).resolve()))
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


def folder_of(system: str) -> Path:
    """Where the system's connector lies, with its defaults; raises KeyError where there is no such system."""
    if system not in systems():
        raise KeyError(system)
    return Path(importlib.import_module(f"{__name__}.{system}").__path__[0])
