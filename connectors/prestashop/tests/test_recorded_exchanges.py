"""Every recorded exchange with a real shop, replayed against the shop's state as the recorded bodies tell it: status,
error codes and element structure must be the same, and for readings the values too."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.prestashop.sandbox import PrestaShopSandbox
from connectors.prestashop.tests.rebuilt import Rebuilt
from connectors.prestashop.tests.recordings import EXCHANGES, Exchange, read_exchanges
from connectors.sandbox import Fault, Request

LEFT_OUT = dict(
    line.split("\t") for line in (Path(__file__).parent / "exchanges_left_out.tsv").read_text().splitlines() if line
)
FOUND = read_exchanges() if EXCHANGES.is_dir() else []
NAMES = [one.name for one in FOUND if one.name not in LEFT_OUT]
MADE_BY_THE_WEB_SERVER = {"server", "date", "connection", "transfer-encoding", "set-cookie"}

needs_recordings = pytest.mark.shared("prestashop/exchanges")


@lru_cache(maxsize=1)
def rebuilt() -> Rebuilt:
    return Rebuilt(FOUND)


@needs_recordings
@pytest.mark.parametrize("name", NAMES)
def test_the_sandbox_answers_as_the_recorded_shop_did(name: str) -> None:
    index = next(position for position, one in enumerate(FOUND) if one.name == name)
    exchange = FOUND[index]
    sandbox = rebuilt().before(index)
    prepare(sandbox, exchange)
    answer = sandbox.handle(Request(exchange.method, exchange.target, exchange.headers, exchange.body))
    assert answer.status == exchange.status
    assert {name.lower() for name, _ in answer.headers} == header_names(exchange)
    body = b"" if exchange.method == "HEAD" else answer.body
    if not exchange.answer.startswith(b"<?xml"):
        assert body[:15] == exchange.answer[:15]
        return
    expected, given = etree.fromstring(exchange.answer), etree.fromstring(body)
    assert error_codes(given) == error_codes(expected)
    if not error_codes(expected):
        values = exchange.method == "GET"
        in_order = "sort=" in exchange.target
        assert shape(given, values, in_order) == shape(expected, values, in_order)


@needs_recordings
def test_every_exchange_is_replayed_or_named_with_its_reason() -> None:
    assert len(NAMES) >= 360
    assert {one.name for one in FOUND} == set(NAMES) | ({one.name for one in FOUND} & set(LEFT_OUT))
    assert all(reason.strip() for reason in LEFT_OUT.values())


def prepare(sandbox: PrestaShopSandbox, exchange: Exchange) -> None:
    """What was switched at the shop for this one exchange."""
    if exchange.name == "911-webservice-switched-off":
        sandbox.switch_webservice(on=False)
    elif exchange.name == "912-database-down":
        sandbox.faults = [Fault("html")]
    elif exchange.name == "902-eall-post-customer":
        sandbox.faults = [Fault("error_after")]
    elif exchange.name in ("690-wrong-host-header", "702-other-host-header"):
        sandbox.domain = "127.0.0.1:8800"


def header_names(exchange: Exchange) -> set[str]:
    return {name.lower() for name in exchange.answer_headers} - MADE_BY_THE_WEB_SERVER


def error_codes(document: Any) -> list[str]:
    """Warnings that repeat count once: how many there are hangs on the PHP of the recorded shop."""
    codes = [one.text for one in document.iter("code")] if document.find("errors") is not None else []
    return [code for position, code in enumerate(codes) if position == 0 or code != codes[position - 1]]


def shape(node: Any, values: bool, in_order: bool) -> Any:
    """Names, order, nesting and attributes; ids in addresses and the texts only where values are to be compared. The
    rows of a list that nobody sorted are brought into order of id first."""
    children = [shape(one, values, in_order) for one in node]
    if not in_order and len({one.tag for one in node}) == 1 and all(one.find("id") is not None for one in node):
        children.sort(key=lambda one: int(next(cell[2] for cell in one[3] if cell[0] == "id") or 0) if values else 0)
    attributes = {name: text if values else re.sub(r"\d+", "#", text) for name, text in node.attrib.items()}
    text = (node.text or "").strip() if values and node.tag != "description" else ""
    return (node.tag, sorted(attributes.items()), text, children)
