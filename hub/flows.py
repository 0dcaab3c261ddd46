"""Flows as data: the default ones that each ERP's folder brings, and what a flow is while a record walks along it."""

import json
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from connectors import folder_of
from mappings.problems import BadRule
from mappings.rules import Mapping, read_mapping
from mappings.transforms import LookupTable


@dataclass(frozen=True)
class Flow:
    """From an entity of the shop to an entity of the ERP: steps in their order, with the mappings and lookup tables
    that they name. `settings` are the answers that a pair may change, `report` the paths that identify a record,
    `versions` the numbers of the published versions: {"flow": 1, "order": 3}."""

    name: str
    label: str
    source: str
    target: str
    settings: Dictionary[str, Any]
    steps: tuple[dict[str, Any], ...]
    mappings: Dictionary[str, Mapping]
    tables: Dictionary[str, LookupTable]
    report: Dictionary[str, str]
    versions: Dictionary[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Defaults:
    """The files of one flow in an ERP's folder, as they stand there."""

    flow: dict[str, Any]
    mappings: dict[str, dict[str, Any]]
    tables: list[dict[str, Any]]


def read_json(path: Path) -> Any:
    """Numbers with a point come as Decimal. Raises BadRule naming file and line."""
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except ValueError as error:
        raise BadRule(f"{path.name}: {error}") from error


@cache
def defaults_of(system: str, name: str) -> Defaults:
    """What the ERP's folder brings under this name. Raises BadRule, and FileNotFoundError for no such flow."""
    folder = folder_of(system) / "defaults"
    flow = read_json(folder / f"flow_{name}.json")
    mappings = {one: read_json(folder / f"mapping_{one}.json") for one in flow["mappings"]}
    return Defaults(flow, mappings, read_json(folder / "tables.json"))


@cache
def default_names(system: str) -> tuple[str, ...]:
    """The flows that the ERP's folder brings, each behind those whose records its own wait for. Raises BadRule."""
    folder = folder_of(system) / "defaults"
    left = {file.stem.removeprefix("flow_"): read_json(file) for file in sorted(folder.glob("flow_*.json"))}
    names: list[str] = []
    while left:
        sources = {one["from"] for one in left.values()}
        free = [name for name, one in left.items() if not _waits_for(one) & (sources - {one["from"]})]
        names += free or left
        left = {name: one for name, one in left.items() if name not in names}
    return tuple(names)


def _waits_for(flow: dict[str, Any]) -> set[str]:
    return {step["reference"]["entity"] for step in flow["steps"] if "reference" in step}


@cache
def default_flow(system: str, name: str) -> Flow:
    """The flow itself. Raises as `defaults_of` does."""
    given = defaults_of(system, name)
    return Flow(
        name=name,
        label=given.flow["label"],
        source=given.flow["from"],
        target=given.flow["to"],
        settings={one["name"]: one["default"] for one in given.flow["settings"]},
        steps=tuple(given.flow["steps"]),
        mappings={one: read_mapping(one, data) for one, data in given.mappings.items()},
        tables={one["name"]: _table(one) for one in given.tables},
        report=given.flow["report"],
    )


def _table(data: dict[str, Any]) -> LookupTable:
    return LookupTable(data["name"], data["label"], {one["from"]: one["to"] for one in data["entries"]})
