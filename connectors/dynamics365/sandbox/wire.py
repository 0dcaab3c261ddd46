"""What comes in and goes out: one call, its preferences, and JSON whose numbers keep their scale."""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx

from connectors.dynamics365.sandbox.errors import Refused, payload_error
from connectors.sandbox import Response

JSON_TYPE = "application/json; odata.metadata=minimal"
PREFERENCE = re.compile(r'([\w.\-]+)(?:\s*=\s*("[^"]*"|[^,;\s]*))?')


@dataclass
class Call:
    """One operation on the Web API, sent alone or inside a batch. `path` is percent-decoded and relative to `root`
    (which ends with a slash); `url` is the whole address as sent; `references` are what `$n` stands for in a change
    set: entity set and id by Content-ID."""

    method: str
    path: str
    options: dict[str, str]
    headers: httpx.Headers
    body: bytes
    root: str
    url: str
    references: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def prefer(self) -> dict[str, str]:
        found = PREFERENCE.findall(self.headers.get("Prefer", ""))
        return {name.lower(): value.strip('"') for name, value in found}

    @property
    def wants_representation(self) -> bool:
        return self.prefer.get("return") == "representation"

    @property
    def annotations(self) -> list[str]:
        asked = self.prefer.get("odata.include-annotations", "")
        return [one.strip() for one in asked.split(",") if one.strip()]

    def condition(self, header: str) -> str | None:
        """The value of If-Match or If-None-Match; the text "null", which the docs advise to send, is none."""
        value = self.headers.get(header)
        return None if value is None or value.strip().lower() == "null" else value.strip()

    def json(self) -> dict[str, Any]:
        """The body as an object; numbers with a point are Decimal. Raises Refused (400)."""
        try:
            value = json.loads(self.body or b"", parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise payload_error(f"An unexpected character or end of input was found: {error}.") from error
        if not isinstance(value, dict):
            raise payload_error("An unexpected node was found when reading from the JSON reader: an object is needed.")
        return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def encode(value: Any) -> str:
    """JSON in which a Decimal is a number with all its digits."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{encode(one)}" for name, one in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(encode(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def json_response(status: int, value: Any, headers: list[tuple[str, str]] | None = None) -> Response:
    return Response(status, encode(value).encode(), [("Content-Type", JSON_TYPE), *(headers or [])])


def traced(response: Response) -> Response:
    """With the request's id under both of its names; pages of the gateway in front know of none."""
    kinds = dict(response.headers)
    if "REQ_ID" not in kinds and kinds.get("Content-Type") != "text/html":
        request_id = str(uuid4())
        response.headers += [("REQ_ID", request_id), ("x-ms-service-request-id", request_id)]
    return response


def refusal(error: Refused) -> Response:
    if error.body is not None:
        return Response(error.status, error.body, error.headers)
    return json_response(error.status, {"error": {"code": error.code, "message": error.message}}, error.headers)
