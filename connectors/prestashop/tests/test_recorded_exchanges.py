"""Every recorded exchange with a real shop, replayed against the shop's state as the recorded bodies tell it.

Compared are the status, the names of all headers and the values of those that stay the same, error codes, and the
structure of the body: names, nesting, order, attributes and, in JSON, types. A sentence or an empty body must be the
same to the letter; of a page only that it is one.

For a reading the values are compared too, but the shop's state was put together from that very answer. So it proves
that the sandbox filters, sorts, picks, converts and writes as the shop does, not that it would have come to those
values by itself: that is shown only for what earlier exchanges tell, and in the other tests. For a writing no values
are compared. The texts of descriptions and error messages are the sandbox's own; of the shop's root, only the
resources that both have are compared.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from connectors.prestashop.sandbox import PrestaShopSandbox
from connectors.prestashop.sandbox.schema import RESOURCES
from connectors.prestashop.tests.rebuilt import Rebuilt
from connectors.prestashop.tests.recordings import EXCHANGES, Exchange, read_exchanges
from connectors.sandbox import Fault, Request

LEFT_OUT = dict(
    line.split("\t") for line in (Path(__file__).parent / "exchanges_left_out.tsv").read_text().splitlines() if line
)
FOUND = read_exchanges() if EXCHANGES.is_dir() else []
NAMES = [one.name for one in FOUND if one.name not in LEFT_OUT]
MADE_BY_THE_WEB_SERVER = {"server", "date", "connection", "transfer-encoding", "set-cookie"}
SAME_EACH_TIME = ("Content-Type", "PSWS-Version", "WWW-Authenticate", "Location")

needs_recordings = pytest.mark.shared("prestashop/exchanges")


@lru_cache(maxsize=1)
def rebuilt() -> Rebuilt:
    return Rebuilt(FOUND)


@needs_recordings
@pytest.mark.parametrize("name", NAMES)
def test_the_sandbox_answers_as_the_recorded_shop_did(name: str) -> None:
    replay(name)


@needs_recordings
def test_every_exchange_is_replayed_or_named_with_its_reason() -> None:
    assert len(NAMES) >= 380
    assert {one.name for one in FOUND} == set(NAMES) | set(LEFT_OUT)
    assert all(reason.strip() for reason in LEFT_OUT.values())


@needs_recordings
@pytest.mark.parametrize("name", LEFT_OUT)
def test_an_exchange_that_is_left_out_could_not_be_replayed(name: str) -> None:
    with pytest.raises(AssertionError):
        replay(name)


def replay(name: str) -> None:
    index = next(position for position, one in enumerate(FOUND) if one.name == name)
    exchange = FOUND[index]
    sandbox = rebuilt().before(index)
    prepare(sandbox, exchange)
    answer = sandbox.handle(Request(exchange.method, exchange.target, exchange.headers, exchange.body))
    assert answer.status == exchange.status
    assert headers(httpx.Headers(answer.headers)) == headers(exchange.answer_headers)
    body = b"" if exchange.method == "HEAD" else answer.body
    if exchange.answer.startswith(b"<?xml"):
        compare_xml(exchange, body)
    elif exchange.answer_headers.get("Content-Type") == "application/json":
        compare_json(exchange, body)
    elif exchange.answer.startswith(b"<!DOCTYPE html>"):
        assert body.startswith(b"<!DOCTYPE html>")
    else:
        assert body == exchange.answer


def compare_xml(exchange: Exchange, body: bytes) -> None:
    expected, given = etree.fromstring(exchange.answer), etree.fromstring(body)
    assert error_codes(given) == error_codes(expected)
    if error_codes(expected):
        return
    if expected[0].tag == "api":
        for one in expected[0]:
            if one.tag not in RESOURCES:
                expected[0].remove(one)
    values = exchange.method == "GET"
    in_order = "sort=" in exchange.target or expected[0].tag == "api"
    assert shape(given, values, in_order) == shape(expected, values, in_order)


def compare_json(exchange: Exchange, body: bytes) -> None:
    """The names' order counts; how the shop writes a value is seen in the bytes, but for its line ends, which the
    recordings do not keep."""
    if exchange.status == 200:
        assert body.replace(rb"\r\n", rb"\n") == exchange.answer.replace(rb"\r\n", rb"\n")
        return
    expected, given = (json.loads(one)["errors"] for one in (exchange.answer, body))
    assert [one["code"] for one in given] == [one["code"] for one in expected]
    assert [[(name, type(value)) for name, value in one.items()] for one in given] == [
        [(name, type(value)) for name, value in one.items()] for one in expected
    ]


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


def headers(found: httpx.Headers) -> dict[str, str]:
    """By name; the values of those that hang on neither the moment nor the version of PHP."""
    kept = {name.lower(): "" for name in found if name.lower() not in MADE_BY_THE_WEB_SERVER}
    kept |= {name.lower(): found[name] for name in SAME_EACH_TIME if name in found}
    return kept | {"x-powered-by": re.sub(r"[\d.]+$", "", found.get("X-Powered-By", ""))}


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
