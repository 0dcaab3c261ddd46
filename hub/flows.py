"""Flows as data: the default ones that each ERP's folder brings, read and checked as a whole."""

import json
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import connectors
from mappings.problems import BadRule
from mappings.rules import Mapping, read_mapping
from mappings.transforms import LookupTable


@dataclass(frozen=True)
class Flow:
    """From an entity of the shop to an entity of the ERP: steps in their order, with the mappings and lookup tables
    that they name. `settings` are the answers that a pair may change, `report` the paths that identify a record."""

    name: str
    label: str
    source: str
    target: str
    settings: Dictionary[str, Any]
    steps: tuple[dict[str, Any], ...]
    mappings: Dictionary[str, Mapping]
    tables: Dictionary[str, LookupTable]
    report: Dictionary[str, str]


def read_json(path: Path) -> Any:
    """Numbers with a point come as Decimal. Raises BadRule naming file and line."""
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except ValueError as error:
        raise BadRule(f"{path.name}: {error}") from error


@cache
def default_flow(system: str, name: str) -> Flow:
    """The flow that the ERP's folder brings under this name. Raises BadRule, and FileNotFoundError for no such flow."""
    folder = Path(connectors.__path__[0]) / system / "defaults"
    data = read_json(folder / f"flow_{name}.json")
    mappings = {one: read_mapping(one, read_json(folder / f"mapping_{one}.json")) for one in data["mappings"]}
    return Flow(
        name=name,
        label=data["label"],
        source=data["from"],
        target=data["to"],
        settings={one["name"]: one["default"] for one in data["settings"]},
        steps=tuple(data["steps"]),
        mappings=mappings,
        tables={one["name"]: _table(one) for one in read_json(folder / "tables.json")},
        report=data["report"],
    )


def _table(data: dict[str, Any]) -> LookupTable:
    return LookupTable(data["name"], data["label"], {one["from"]: one["to"] for one in data["entries"]})
