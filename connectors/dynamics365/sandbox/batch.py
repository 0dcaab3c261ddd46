"""`$batch`: several operations in one request, and change sets that succeed or fail as one."""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

import httpx

from connectors.dynamics365.sandbox import web_api
from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused, method_not_allowed, query_error
from connectors.dynamics365.sandbox.multipart import Part, boundary_of, read_parts, write_parts
from connectors.dynamics365.sandbox.references import bound, segments
from connectors.dynamics365.sandbox.wire import Call, refusal
from connectors.sandbox import Response

MOST_OPERATIONS = 1000
REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/1\.1")


def answer(environment: Environment, call: Call) -> Response:
    """200 with a part for each operation; 400 where one failed and the rest was not asked to go on. Raises nothing:
    a body that is no batch is answered in JSON."""
    try:
        if call.method != "POST":
            raise method_not_allowed(call.method)
        parts = read_parts(call.body, boundary_of(call.headers.get("Content-Type", "")))
        if sum(1 for one in parts for _ in operations(one)) > MOST_OPERATIONS:
            raise query_error(f"The number of operations in a batch is limited to {MOST_OPERATIONS}.")
        answered, failed = run(environment, call, parts)
    except Refused as error:
        return refusal(error)
    boundary = f"batchresponse_{uuid4()}"
    headers = [("Content-Type", f"multipart/mixed; boundary={boundary}"), ("OData-Version", "4.0")]
    return Response(400 if failed else 200, write_parts(answered, boundary), headers)


def operations(part: Part) -> Iterable[Part]:
    return read_parts(part.body, boundary_of(part.type)) if part.is_multipart else [part]


def run(environment: Environment, call: Call, parts: list[Part]) -> tuple[list[Part], bool]:
    """What was answered, and whether the batch was cut short by a failure."""
    go_on = "odata.continue-on-error" in call.prefer
    answered = []
    for part in parts:
        if part.is_multipart:
            one, failed = change_set(environment, call, part)
        else:
            response = web_api.answer(environment, inner(call, part, {}))
            one, failed = written(response, part.headers.get("Content-ID")), response.status >= 400
        answered.append(one)
        if failed and not go_on:
            return answered, True
    return answered, False


class Failed(Exception):
    """Undoes a change set; `part` is its one answer."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part = part


def change_set(environment: Environment, call: Call, part: Part) -> tuple[Part, bool]:
    boundary = f"changesetresponse_{uuid4()}"
    try:
        with environment.store.transaction():
            answered = write_all(environment, call, list(operations(part)))
    except Failed as failure:
        return failure.part, True
    headers = httpx.Headers({"Content-Type": f"multipart/mixed; boundary={boundary}"})
    return Part(headers, write_parts(answered, boundary)), False


def write_all(environment: Environment, call: Call, parts: list[Part]) -> list[Part]:
    references: dict[str, tuple[str, str]] = {}
    answered = []
    for one in parts:
        number = one.headers.get("Content-ID")
        if number is None:
            problem = query_error("Content-ID is a mandatory MIME part header for each operation of a change set.")
            raise Failed(written(refusal(problem), None))
        operation = inner(call, one, references)
        if operation.method == "GET":
            problem = query_error("A change set cannot hold a GET operation.")
            raise Failed(written(refusal(problem), number))
        response = web_api.answer(environment, operation)
        if response.status >= 400:
            raise Failed(written(response, number))
        if found := made(environment, operation, response):
            references[number] = found
        answered.append(written(response, number))
    return answered


def made(environment: Environment, call: Call, response: Response) -> tuple[str, str] | None:
    """Entity set and id of the record that an operation wrote, for `$n`."""
    address = dict(response.headers).get("OData-EntityId")
    if address:
        table, id = bound(environment, address, {})
        return environment.tables[table].set, id
    name = segments(call.path)[0].name
    if response.body and name in {table.set for table in environment.tables.values()}:
        return name, json.loads(response.body)[environment.table_of_set(name).id]
    return None


def inner(call: Call, part: Part, references: dict[str, tuple[str, str]]) -> Call:
    """The operation in a part. Raises Refused (400) where it cannot be read."""
    head, _, body = part.body.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").strip().split("\r\n")
    matched = REQUEST_LINE.fullmatch(first.strip())
    if not matched:
        raise query_error(f"The request line '{first}' of a batch part cannot be read.")
    headers = httpx.Headers(
        [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    )
    address, _, query = matched[2].partition("?")
    _, found, rest = address.partition("/api/data/")
    path = rest.partition("/")[2] if found else address
    return Call(
        method=matched[1],
        path=unquote(path),
        options=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=body,
        root=call.root,
        url=call.root + path + (f"?{query}" if query else ""),
        references=references,
    )


def written(response: Response, number: str | None) -> Part:
    headers: dict[str, Any] = {"Content-Type": "application/http", "Content-Transfer-Encoding": "binary"}
    if number is not None:
        headers["Content-ID"] = number
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return Part(httpx.Headers(headers), "\r\n".join([*lines, "", ""]).encode() + response.body)
