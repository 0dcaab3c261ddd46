"""Checks a file of what is set up, and turns its words into data: rules, conditions, secrets. Every fault is noted."""

import uuid
from typing import Any

from connectors import systems
from connectors.errors import NeedsPerson
from hub.applying.reading import VARIABLE, File, filled
from hub.exporting import VERSION
from hub.flow_versions import CONDITIONS, step_faults
from hub.models import Connection, LookupTable, Mapping, Pair
from hub.publishing import entity_of, rule_faults
from mappings.problems import BadRule
from mappings.transforms import folded
from mappings.wording import read_condition_text, read_transforms

Path = tuple[Any, ...]
Wanted = dict[str, Any]
CONNECTION = ("label", "system", "poll_seconds", "settings", "secrets")
PAIR = ("label", "shop", "erp", "namespace", "polls", "flows", "mappings", "tables")
FLOW = ("label", "from", "to", "on", "settings", "report", "steps")
MAPPING = ("label", "to", "values", "rules")
RULE = ("to", "from", "do", "when", "default")


def checked(file: File, keep_secrets: bool = False) -> Wanted:
    """{"connections": {name: …}, "pairs": {name: …}} as the rows are to be. Raises BadFile with every fault."""
    data = file.data
    file.known((), data, ("tillbridge", "connections", "pairs"), ("tillbridge",))
    if data.get("tillbridge") != VERSION:
        file.wrong(("tillbridge",), f"This version reads 'tillbridge: {VERSION}'.")
    file.refuse()
    wanted: Wanted = {"connections": {}, "pairs": {}}
    for name, one in _each(file, ("connections",), data.get("connections")):
        wanted["connections"][name] = _connection(file, ("connections", name), name, one, keep_secrets)
    for name, one in _each(file, ("pairs",), data.get("pairs")):
        wanted["pairs"][name] = _pair(file, ("pairs", name), one, wanted["connections"])
    file.refuse()
    return wanted


def _each(file: File, path: Path, value: Any) -> list[tuple[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        file.wrong(path, f"'{path[-1]}' must hold one block for each name.")
        return []
    for name in value:
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            file.wrong((*path, name), f"{name!r} is no name: letters, digits and hyphens only.")
    return list(value.items())


def _text(file: File, path: Path, value: Any, longest: int = 200) -> str:
    if not isinstance(value, str) or not value.strip():
        file.wrong(path, f"'{path[-1]}' must be a text.")
        return ""
    if len(value) > longest:
        file.wrong(path, f"'{path[-1]}' has {len(value)} characters, and {longest} fit.")
    return value


def _connection(file: File, path: Path, name: str, data: Any, keep_secrets: bool) -> Wanted:
    if not file.known(path, data, CONNECTION, ("label", "system")):
        return {}
    system = systems().get(str(data["system"]))
    if system is None:
        file.wrong(
            (*path, "system"), f"There is no system {data['system']!r}; there are {', '.join(sorted(systems()))}."
        )
        return {}
    seconds = data.get("poll_seconds", 60)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 5:
        file.wrong((*path, "poll_seconds"), "'poll_seconds' must be a whole number from 5 on.")
    secret_names = {one.name for one in system.settings if one.secret}
    known = tuple(one.name for one in system.settings if not one.secret)
    settings = data.get("settings") or {}
    for one in settings if isinstance(settings, dict) else ():
        if one in secret_names:
            file.wrong((*path, "settings", one), f"{one!r} is a secret: put it under 'secrets', as ${{NAME}}.")
    file.known((*path, "settings"), {k: v for k, v in settings.items() if k not in secret_names}, known)
    plain = {one: filled(file, (*path, "settings", one), str(value)) for one, value in settings.items()}
    secrets = _secrets(file, path, name, data.get("secrets") or {}, keep_secrets)
    stands = Connection.objects.filter(name=name).first()
    try:
        system({**(stands.answers() if stands and keep_secrets else {}), **plain, **secrets})
    except NeedsPerson as error:
        if not file.faults:
            file.wrong((*path, "settings"), f"{error.message} {error.hint}".strip())
    label = _text(file, (*path, "label"), data["label"])
    return {"label": label, "system": system.name, "poll_seconds": seconds, "settings": plain, "secrets": secrets}


def _secrets(file: File, path: Path, name: str, data: Any, keep: bool) -> dict[str, str]:
    """Their values, from the environment. A secret that is to be kept is left out."""
    found = {}
    stands = Connection.objects.filter(name=name).first()
    kept = set(stands.credentials.filter(retired_at=None).values_list("name", flat=True)) if stands else set()
    for one, value in data.items() if isinstance(data, dict) else ():
        place = (*path, "secrets", one)
        if not isinstance(value, str) or not VARIABLE.fullmatch(value):
            file.wrong(place, "A secret stands in no file: write ${NAME}, and set the environment variable NAME to it.")
            continue
        before = len(file.faults)
        text = filled(file, place, value)
        if not text and keep and one in kept:
            del file.faults[before:]
            continue
        if not text and len(file.faults) == before:
            file.wrong(place, f"The environment variable {value[2:-1]} is empty.")
        found[one] = text
    return found


def _pair(file: File, path: Path, data: Any, connections: Wanted) -> Wanted:
    if not file.known(path, data, PAIR, ("label", "shop", "erp")):
        return {}
    ends = {}
    for one in ("shop", "erp"):
        name = str(data[one])
        row = Connection.objects.filter(name=name).first()
        ends[one] = (connections.get(name) or {}).get("system") or (row.system if row else None)
        if ends[one] is None:
            file.wrong((*path, one), f"There is no connection {name!r}, neither here nor in the hub.")
    namespace = data.get("namespace")
    if namespace is not None:
        try:
            namespace = str(uuid.UUID(str(namespace)))
        except ValueError:
            file.wrong((*path, "namespace"), f"{namespace!r} is no UUID.")
    stands = Pair.objects.filter(name=path[-1]).first()
    tables = {
        name: _table(file, (*path, "tables", name), one)
        for name, one in _each(file, (*path, "tables"), data.get("tables"))
    }
    known = set(LookupTable.objects.filter(pair=stands).values_list("name", flat=True)) | tables.keys()
    mappings = {
        name: _mapping(file, (*path, "mappings", name), one, str(ends["erp"]), known)
        for name, one in _each(file, (*path, "mappings"), data.get("mappings"))
    }
    names = set(Mapping.objects.filter(pair=stands).values_list("name", flat=True)) | mappings.keys()
    flows = {
        name: _flow(file, (*path, "flows", name), one, names)
        for name, one in _each(file, (*path, "flows"), data.get("flows"))
    }
    return {
        "label": _text(file, (*path, "label"), data["label"]),
        "shop": str(data["shop"]),
        "erp": str(data["erp"]),
        "namespace": namespace,
        "polls": data.get("polls"),
        "tables": tables,
        "mappings": mappings,
        "flows": flows,
    }


def _table(file: File, path: Path, data: Any) -> Wanted:
    if not file.known(path, data, ("label", "entries"), ("label",)):
        return {}
    entries = data.get("entries") or {}
    if not isinstance(entries, dict):
        file.wrong((*path, "entries"), "'entries' must hold lines of 'their code: our code'.")
        return {}
    first: dict[str, str] = {}
    for theirs, ours in entries.items():
        place = (*path, "entries", theirs)
        if isinstance(ours, dict | list):
            file.wrong(place, f"What {theirs!r} is must be a text, a number or nothing.")
        if len(theirs) > 500 or not theirs.strip():
            file.wrong(place, "A code has from 1 to 500 characters.")
        if folded(theirs) in first:
            line = file.lines.get((*path, "entries", first[folded(theirs)]), 0)
            file.wrong(
                place, f"{theirs!r} is the same code as in line {line}: capitals and blanks at the ends do not count."
            )
        first.setdefault(folded(theirs), theirs)
    return {"label": _text(file, (*path, "label"), data["label"]), "entries": dict(entries)}


def _mapping(file: File, path: Path, data: Any, system: str, tables: set[str]) -> Wanted:
    if not file.known(path, data, MAPPING, ("label", "to", "rules")):
        return {}
    entity = entity_of(system, str(data["to"]))
    if entity is None:
        file.wrong((*path, "to"), f"The ERP has no entity {data['to']!r}.")
    before = len(file.faults)
    values = _rules(file, (*path, "values"), data.get("values") or [])
    wanted: Wanted = {"to": str(data["to"]), "values": values, "rules": _rules(file, (*path, "rules"), data["rules"])}
    if len(file.faults) == before:
        for place, words in rule_faults(str(path[-1]), wanted, entity, tables):
            file.wrong(_place(path, wanted, place), f"{place} {words}".strip())
    return {"label": _text(file, (*path, "label"), data["label"]), "data": wanted}


def _place(path: Path, wanted: Wanted, target: str) -> Path:
    """Where the rule stands that fills this target ("order_details.tax")."""
    rows, _, name = target.rpartition(".")
    for part in ("values", "rules"):
        for number, rule in enumerate(wanted[part]):
            if rule["to"] == (rows or name):
                for origin, one in enumerate(rule.get("rows", [])):
                    for inner, last in enumerate(one["rules"]):
                        if last["to"] == name:
                            return (*path, part, number, "rows", origin, "rules", inner)
                return (*path, part, number)
    return path


def _rules(file: File, path: Path, data: Any) -> list[Wanted]:
    if not isinstance(data, list):
        file.wrong(path, f"'{path[-1]}' must be a list of rules, each beginning with '- to: …'.")
        return []
    return [_rule(file, (*path, number), one) for number, one in enumerate(data)]


def _rule(file: File, path: Path, data: Any) -> Wanted:
    if isinstance(data, dict) and "rows" in data:
        if not file.known(path, data, ("to", "rows"), ("to",)) or not isinstance(data["rows"], list):
            return {"to": "", "rows": []}
        return {
            "to": str(data["to"]),
            "rows": [_origin(file, (*path, "rows", n), one) for n, one in enumerate(data["rows"])],
        }
    if not file.known(path, data, RULE, ("to",)):
        return {"to": ""}
    rule: Wanted = {"to": str(data["to"]), "transform": _does(file, (*path, "do"), data.get("do"))}
    rule |= {"from": str(data["from"])} if data.get("from") else {}
    rule |= {"default": data["default"]} if data.get("default") is not None else {}
    return rule | _when(file, path, data)


def _origin(file: File, path: Path, data: Any) -> Wanted:
    if not file.known(path, data, ("each", "when", "rules", "label"), ("rules",)):
        return {"rules": []}
    origin = {"rules": _rules(file, (*path, "rules"), data["rules"]), "label": str(data.get("label") or "")}
    origin |= {"each": str(data["each"])} if data.get("each") else {}
    return origin | _when(file, path, data)


def _does(file: File, path: Path, text: Any) -> list[Wanted]:
    try:
        return read_transforms(str(text or ""), "'do'")
    except BadRule as error:
        file.wrong(path, f"{error}.")
        return []


def _when(file: File, path: Path, data: Wanted) -> Wanted:
    found = _condition(file, (*path, "when"), data.get("when"))
    return {} if found is None else {"when": found}


def _condition(file: File, path: Path, text: Any) -> Wanted | None:
    try:
        return read_condition_text(str(text or ""), f"'{path[-1]}'")
    except BadRule as error:
        file.wrong(path, f"{error}.")
        return None


def _flow(file: File, path: Path, data: Any, mappings: set[str]) -> Wanted:
    if not file.known(path, data, FLOW, ("label", "from", "to", "steps", "report")):
        return {}
    if not isinstance(data.get("on", True), bool):
        file.wrong((*path, "on"), "'on' is true or false.")
    steps = _data(file, (*path, "steps"), data["steps"])
    if not isinstance(steps, list) or not all(isinstance(one, dict) for one in steps):
        file.wrong((*path, "steps"), "'steps' must be a list of steps, each with 'kind' and 'name'.")
        return {}
    for name, words in step_faults(steps, mappings):
        number = next((n for n, one in enumerate(steps) if one.get("name") == name), None)
        place = (*path, "steps") if number is None else (*path, "steps", number)
        file.wrong(place, f"Step '{name}' {words}")
    return {
        "label": _text(file, (*path, "label"), data["label"]),
        "from": str(data["from"]),
        "to": str(data["to"]),
        "on": data.get("on", True),
        "settings": data.get("settings") or {},
        "report": data["report"],
        "steps": steps,
    }


def _data(file: File, path: Path, value: Any) -> Any:
    """Steps as they are kept: `do` as transforms, conditions as data."""
    if isinstance(value, list):
        return [_data(file, (*path, number), one) for number, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found: Wanted = {}
    for name, one in value.items():
        if name == "do":
            found["transform"] = _does(file, (*path, name), one)
        elif name in CONDITIONS and isinstance(one, str):
            condition = _condition(file, (*path, name), one)
            found |= {} if condition is None else {name: condition}
        else:
            found[name] = _data(file, (*path, name), one)
    return found
