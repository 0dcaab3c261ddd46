"""`$select`, `$orderby`, `$top`, `$count` and `$expand` with what is nested in it."""

import re
from dataclasses import dataclass, field

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import not_implemented, query_error, unknown_column
from connectors.dynamics365.sandbox.tables import Table

KNOWN = {"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken"}
ELSEWHERE = {"fetchXml", "sql", "$apply", "savedQuery", "userQuery"}
EXPAND = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)


@dataclass
class Options:
    """`selected` are wire names, None for all; `order` are (wire name, descending)."""

    selected: list[str] | None = None
    filter: str = ""
    order: list[tuple[str, bool]] = field(default_factory=list)
    top: int | None = None
    count: bool = False
    expanded: dict[str, "Options"] = field(default_factory=dict)


def split(text: str, mark: str) -> list[str]:
    """Splits at the mark outside quotes and parentheses."""
    parts, depth, quoted, part = [], 0, False, ""
    for character in text:
        quoted ^= character == "'"
        if not quoted:
            depth += {"(": 1, ")": -1}.get(character, 0)
        if character == mark and not quoted and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [one.strip() for one in [*parts, part] if one.strip()]


def read_options(environment: Environment, table: Table, given: dict[str, str]) -> Options:
    """Raises Refused for options that are unknown or name unknown columns."""
    for name in given:
        if name == "$skip":
            raise query_error("Skip Clause is not supported in CRM")
        if name in ELSEWHERE:
            raise not_implemented(name)
        if name.startswith("$") and name not in KNOWN:
            raise query_error(f"The query parameter '{name}' is not supported.")
    options = Options(filter=given.get("$filter", ""), count=given.get("$count", "").lower() == "true")
    if given.get("$select") and given["$select"].strip() != "*":
        options.selected = [known(table, one) for one in split(given["$select"], ",") if one not in table.navigations]
    for one in split(given.get("$orderby", ""), ","):
        name, _, direction = one.partition(" ")
        if "/" in name:
            raise not_implemented(f"$orderby by a column of a related record, '{name}'")
        if direction.strip() not in ("", "asc", "desc"):
            raise query_error(f"Syntax error at '{one}' in the $orderby option.")
        options.order.append((known(table, name), direction.strip() == "desc"))
    if "$top" in given:
        if not given["$top"].isdigit():
            raise query_error(f"Invalid value '{given['$top']}' for the $top query option.")
        options.top = int(given["$top"])
    for one in split(given.get("$expand", ""), ","):
        expand(environment, table, options, one)
    return options


def known(table: Table, name: str) -> str:
    if name not in table.by_property:
        raise unknown_column(name, table.name)
    return name


def expand(environment: Environment, table: Table, options: Options, text: str) -> None:
    if "/" in text.partition("(")[0]:
        raise not_implemented(f"$expand of '{text}'")
    matched = EXPAND.fullmatch(text)
    if not matched:
        raise query_error(f"Syntax error at '{text}' in the $expand option.")
    name, inner = matched[1], matched[2] or ""
    if name in table.navigations:
        target = table.navigations[name][1]
    elif name in table.collections:
        target = table.collections[name][0]
    else:
        raise unknown_column(name, table.name)
    given = dict(one.split("=", 1) for one in split(inner, ";") if "=" in one)
    options.expanded[name] = read_options(environment, environment.tables[target], given)
