"""What an answer's body is written in: XML, or JSON where the request asks for it. What comes in is always XML."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from connectors.prestashop.sandbox.errors import error_xml
from connectors.prestashop.sandbox.headers import XML
from connectors.prestashop.sandbox.rights import Key
from connectors.prestashop.sandbox.root import root
from connectors.prestashop.sandbox.schema import Record, Resource
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.xml import EVERYTHING, Display, Writer, document
from connectors.sandbox import Request


class Output(Protocol):
    """Bodies of answers; every record comes with its order rows in place."""

    content_type: tuple[str, str]

    def one(self, resource: Resource, record: Record) -> bytes: ...

    def listing(self, resource: Resource, records: Sequence[Record], display: Display | None) -> bytes:
        """`display` None is ids only."""

    def saved(self, resource: Resource, records: Sequence[Record]) -> bytes: ...

    def schema(self, resource: Resource, *, synopsis: bool) -> bytes: ...

    def errors(self, errors: Iterable[tuple[int, str]]) -> bytes: ...

    def root(self, key: Key, shop: Shop) -> bytes: ...


def wants_json(request: Request) -> bool:
    """Either parameter or either header; `Accept` counts for nothing, and any other format is XML."""
    places = (request.query.get(name, "") for name in ("output_format", "io_format"))
    headers = (request.headers.get(name, "") for name in ("Output-Format", "Io-Format"))
    return "JSON" in (*places, *headers)


class XmlOutput:
    """`api` is the webservice's own address, `languages` the ids of those to write."""

    content_type = XML

    def __init__(self, api: str, languages: Sequence[str]) -> None:
        self._api = api
        self._writer = Writer(api, languages)

    def one(self, resource: Resource, record: Record) -> bytes:
        return document([self._writer.record(resource, record)])

    def listing(self, resource: Resource, records: Sequence[Record], display: Display | None) -> bytes:
        if display is None:
            rows = [self._writer.reference(resource, one) for one in records]
        else:
            rows = [self._writer.record(resource, one, display) for one in records]
        return document([f"<{resource.plural}>\n", *rows, f"</{resource.plural}>\n"])

    def saved(self, resource: Resource, records: Sequence[Record]) -> bytes:
        return document([self._writer.record(resource, one, EVERYTHING) for one in records])

    def schema(self, resource: Resource, *, synopsis: bool) -> bytes:
        return document([self._writer.schema(resource, synopsis)])

    def errors(self, errors: Iterable[tuple[int, str]]) -> bytes:
        return document(error_xml(errors))

    def root(self, key: Key, shop: Shop) -> bytes:
        return document(root(key, self._api, shop))
