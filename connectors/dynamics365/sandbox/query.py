"""Reading: one record, collections page by page, and related records."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import query_error
from connectors.dynamics365.sandbox.filters import Filter
from connectors.dynamics365.sandbox.literals import comparable
from connectors.dynamics365.sandbox.options import Options, read_options
from connectors.dynamics365.sandbox.rendering import render
from connectors.dynamics365.sandbox.store import Row
from connectors.dynamics365.sandbox.tables import Column, Table
from connectors.dynamics365.sandbox.wire import Call
from connectors.sandbox import Response

LARGEST_PAGE = 5000
LARGEST_COUNT = 5000


def read_row(environment: Environment, call: Call, table: Table, row: Row, *, expand: bool = True) -> dict[str, Any]:
    """One record with its context, as GET answers it and as a write does that asks for the representation."""
    options = read_options(environment, table, {k: v for k, v in call.options.items() if k in ("$select", "$expand")})
    if not expand:
        options.expanded = {}
    body: dict[str, Any] = {"@odata.context": context(call, table, options) + "/$entity"}
    return body | shown(environment, table, row, options, call.annotations)


def context(call: Call, table: Table, options: Options) -> str:
    chosen = [*(options.selected or []), *(f"{name}()" for name in options.expanded)]
    return f"{call.root}$metadata#{table.set}" + (f"({','.join(chosen)})" if chosen else "")


def shown(environment: Environment, table: Table, row: Row, options: Options, annotations: list[str]) -> dict[str, Any]:
    out = render(environment, table, row, options.selected, annotations)
    for name, inner in options.expanded.items():
        if name in table.navigations:
            column, target = table.navigations[name]
            reference = row.get(column.name)
            found = environment.store.get(*reference) if reference and reference[0] == target else None
            out[name] = found and shown(environment, environment.tables[target], found, inner, annotations)
        else:
            child, lookup = table.collections[name]
            rows = environment.store.where(child, lookup, (table.name, row[table.id]))
            chosen = choose(environment, environment.tables[child], inner, rows)[: inner.top]
            out[name] = [shown(environment, environment.tables[child], one, inner, annotations) for one in chosen]
    return out


def choose(environment: Environment, table: Table, options: Options, rows: Iterable[Row] | None = None) -> list[Row]:
    """The rows that the filter lets in, in the order asked for, and by id where that leaves it open."""
    if options.filter:
        filter = Filter(environment, table, options.filter)
        lets_in = filter.parse()
        candidates = candidate_rows(environment, table, filter) if rows is None else rows
        chosen = [one for one in candidates if lets_in(one)]
    else:
        chosen = list(environment.store.all(table.name) if rows is None else rows)
    chosen.sort(key=lambda row: str(row[table.id]))
    for name, descending in reversed(options.order):
        chosen.sort(key=sort_key(table.by_property[name]), reverse=descending)
    return chosen


def candidate_rows(environment: Environment, table: Table, filter: Filter) -> Iterable[Row]:
    """By index where the filter asks for one text or one lookup, so that finding a number does not read every row."""
    if not filter.equals:
        return environment.store.all(table.name)
    column, value = filter.equals[0]
    wanted = [(target, value) for target, _ in column.targets] if column.is_lookup else [value]
    return [row for one in wanted for row in environment.store.where(table.name, column.name, one)]


def sort_key(column: Column) -> Callable[[Row], tuple[bool, Any]]:
    """Nulls first, as SQL Server sorts them."""

    def key(row: Row) -> tuple[bool, Any]:
        value = comparable(column, row.get(column.name))
        return (value is not None, value)

    return key


def page_size(call: Call) -> int | None:
    """The page size asked for; None where none was. Raises Refused (400) where it is no positive number."""
    asked = call.prefer.get("odata.maxpagesize")
    if asked is None:
        return None
    if not asked.isdigit() or int(asked) < 1:
        raise query_error(f"Invalid value '{asked}' for odata.maxpagesize.")
    return min(int(asked), LARGEST_PAGE)


def read_collection(
    environment: Environment, call: Call, table: Table, rows: Iterable[Row] | None = None
) -> dict[str, Any]:
    """One page. A page number is counted in pages of the size asked for now: whoever follows a link with another size
    skips rows or reads them twice, as with the service."""
    options = read_options(environment, table, call.options)
    asked, number = page_size(call), page_number(call)
    size = asked or LARGEST_PAGE
    chosen = choose(environment, table, options, rows)
    total = len(chosen)
    if asked is None and options.top is not None:
        chosen = chosen[: options.top]
    page = chosen[(number - 1) * size : number * size]
    body: dict[str, Any] = {"@odata.context": context(call, table, options)}
    if options.count:
        body["@odata.count"] = min(total, LARGEST_COUNT)
    if call.annotations:
        body["@Microsoft.Dynamics.CRM.totalrecordcount"] = min(total, LARGEST_COUNT) if options.count else -1
        body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] = options.count and total > LARGEST_COUNT
    body["value"] = [shown(environment, table, row, options, call.annotations) for row in page]
    if len(chosen) > number * size:
        body["@odata.nextLink"] = next_link(call, table, number + 1, page)
    return body


def page_number(call: Call) -> int:
    token = call.options.get("$skiptoken")
    if token is None:
        return 1
    before, found, after = token.partition('pagenumber="')
    digits = after.partition('"')[0]
    if not found or not digits.isdigit() or not before.startswith("<cookie"):
        raise query_error("Invalid paging cookie in the $skiptoken query option.")
    return max(int(digits), 1)


def next_link(call: Call, table: Table, number: int, page: list[Row]) -> str:
    """The same address with the paging cookie, whose inner part is encoded twice as the service does it."""
    first, last = (f"{{{page[place][table.id].upper()}}}" for place in (0, -1))
    inner = f'<cookie page="{number - 1}"><{table.id} last={quoteattr(last)} first={quoteattr(first)} /></cookie>'
    tracking = "True" if "odata.track-changes" in call.prefer else "False"
    cookie = (
        f'<cookie pagenumber="{number}" pagingcookie="{quote(quote(inner, safe=""), safe="")}" '
        f'istracking="{tracking}" />'
    )
    return link(call, "$skiptoken", cookie)


def link(call: Call, name: str, value: str) -> str:
    """The call's own address with one more option in place of any token it had."""
    address, _, query = call.url.partition("?")
    kept = [one for one in query.split("&") if one and unquote(one.split("=")[0]) not in ("$skiptoken", "$deltatoken")]
    return address + "?" + "&".join([*kept, f"{name}={quote(value, safe='')}"])


def count(environment: Environment, call: Call, table: Table, rows: Iterable[Row] | None = None) -> Response:
    """The number of rows as plain text."""
    options = read_options(environment, table, call.options)
    number = min(len(choose(environment, table, options, rows)), LARGEST_COUNT)
    return Response(200, str(number).encode(), [("Content-Type", "text/plain")])
