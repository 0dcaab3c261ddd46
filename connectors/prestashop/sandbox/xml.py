"""The webservice's XML: what it writes, in its own order and with its own attributes, and what it reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.prestashop.sandbox.errors import MalformedXml, broken_xml
from connectors.prestashop.sandbox.schema import RESOURCES, Association, Field, Record, Resource

OPENING = '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'
CLOSING = "</prestashop>\n"


@dataclass(frozen=True)
class Display:
    """Which fields of a record are written: None is all; `rows` limits the fields of an association's rows."""

    fields: frozenset[str] | None = None
    rows: tuple[tuple[str, frozenset[str] | None], ...] | None = None

    def association_fields(self, name: str) -> frozenset[str] | None:
        """The fields of this association's rows to show; None is all of them, an empty set is none at all."""
        if self.rows is None:
            return None
        return dict(self.rows).get(name, frozenset())


EVERYTHING = Display()


class Writer:
    """Writes records. `api` is the webservice's own address; `languages` the ids to write of an i18n field."""

    def __init__(self, api: str, languages: Sequence[str]) -> None:
        self._api = api
        self._languages = languages

    def record(self, resource: Resource, record: Record, display: Display = EVERYTHING) -> str:
        wanted = display.fields
        lines = [f"<{resource.node}>\n"]
        if wanted is None or "id" in wanted:
            lines.append(f"\t<id>{cdata(record['id'])}</id>\n")
        lines += [self._field(one, record) for one in resource.fields if wanted is None or one.name in wanted]
        shown = [one for one in resource.associations if display.association_fields(one.name) != frozenset()]
        if shown:
            lines.append("<associations>\n")
            lines += [self._association(one, record, display.association_fields(one.name)) for one in shown]
            lines.append("</associations>\n")
        lines.append(f"</{resource.node}>\n")
        return "".join(lines)

    def reference(self, resource: Resource, record: Record) -> str:
        return f'<{resource.node} id="{record["id"]}" xlink:href="{self._api}/{resource.name}/{record["id"]}"/>\n'

    def _field(self, field: Field, record: Record) -> str:
        marks = ' notFilterable="true"' if field.computed else ""
        value = record[field.name]
        if field.i18n:
            return f"\t<{field.name}{marks}>{self._texts(value)}</{field.name}>\n"
        # The shop leaves the link out for id fields without a value only: current_state 0 keeps one.
        if field.link and not (field.name.startswith("id_") and value in ("", "0")):
            marks = f' xlink:href="{self._api}/{self._path(field, record)}{value}"{marks}'
        return f"\t<{field.name}{marks}>{cdata(value)}</{field.name}>\n"

    def _path(self, field: Field, record: Record) -> str:
        return f"{field.link}/{record['id']}/" if field.link == "images/products" else f"{field.link}/"

    def _texts(self, value: dict[str, str] | str) -> str:
        if isinstance(value, str):
            return "".join(f'<language id="{one}">{cdata(value)}</language>' for one in self._languages)
        return "".join(
            f'<language id="{one}" xlink:href="{self._api}/languages/{one}">{cdata(value.get(one, ""))}</language>'
            for one in self._languages
        )

    def _association(self, association: Association, record: Record, wanted: frozenset[str] | None) -> str:
        marks = f' nodeType="{association.node}"'
        marks += ' virtualEntity="true"' if association.virtual else f' api="{association.api}"'
        rows = record["associations"].get(association.name, [])
        if not rows:
            return f"<{association.name}{marks}/>\n"
        lines = [f"<{association.name}{marks}>\n"]
        for row in rows:
            lines.append(f"\t<{association.node}{self._row_link(association, record, row)}>\n")
            for field in association.fields:
                if wanted is None or field.name in wanted:
                    value = row.get(field.name, "")
                    link = f' xlink:href="{self._api}/{field.link}/{value}"' if field.link else ""
                    lines.append(f"\t<{field.name}{link}>{cdata(value)}</{field.name}>\n")
            lines.append(f"\t</{association.node}>\n")
        lines.append(f"</{association.name}>\n")
        return "".join(lines)

    def _row_link(self, association: Association, record: Record, row: dict[str, str]) -> str:
        # Rows link to their record only where the association has a resource's own name.
        if association.name == "images":
            product = record.get("id_product", record["id"])
            return f' xlink:href="{self._api}/images/products/{product}/{row.get("id", "")}"'
        if association.virtual or (
            association.name not in RESOURCES and association.name not in ("tags", "attachments")
        ):
            return ""
        return f' xlink:href="{self._api}/{association.name}/{row.get("id", "")}"'

    def schema(self, resource: Resource, synopsis: bool) -> str:
        lines = [f"<{resource.node}>\n"]
        if not synopsis:
            lines.append(f"\t<id>{cdata('')}</id>\n")
        for field in resource.fields:
            if field.refused and not synopsis:
                continue
            marks = _synopsis(field) if synopsis else ""
            lines.append(f"\t<{field.name}{marks}>{self._schema_value(field, synopsis)}</{field.name}>\n")
        if resource.associations:
            lines.append("<associations>\n")
            lines += [self._schema_rows(one, synopsis) for one in resource.associations]
            lines.append("</associations>\n")
        lines.append(f"</{resource.node}>\n")
        return "".join(lines)

    def _schema_value(self, field: Field, synopsis: bool) -> str:
        if not field.i18n:
            return cdata("")
        link = ' xlink:href="{}/languages/{}" format="isUnsignedId" ' if synopsis else ""
        return "".join(
            f'<language id="{one}"{link.format(self._api, one)}>{cdata("")}</language>' for one in self._languages
        )

    def _schema_rows(self, association: Association, synopsis: bool) -> str:
        marks = f' nodeType="{association.node}"'
        marks += ' virtualEntity="true"' if association.virtual else f' api="{association.api}"'
        lines = [f"<{association.name}{marks if synopsis else ''}>\n\t<{association.node}>\n"]
        for field in association.fields:
            link = f' xlink:href="{self._api}/{field.link}/"' if field.link and synopsis else ""
            lines.append(f"\t<{field.name}{link}{_synopsis(field) if synopsis else ''}>{cdata('')}</{field.name}>\n")
        lines.append(f"\t</{association.node}>\n</{association.name}>\n")
        return "".join(lines)


def _synopsis(field: Field) -> str:
    marks = ' notFilterable="true"' if field.computed else ""
    marks += ' required="true"' if field.required else ""
    marks += f' maxSize="{field.max_length}"' if field.max_length else ""
    marks += f' format="{field.format}"' if field.format else ""
    marks += ' read_only="true"' if field.refused else ""
    marks += ' readOnly="true"' if field.refused or field.readonly else ""
    return marks


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>') if ']]>' in text else text}]]>"


def document(parts: Iterable[str]) -> bytes:
    return (OPENING + "".join(parts) + CLOSING).encode()


@dataclass
class Sent:
    """One object of a request body: texts by field, texts by language id for an i18n field, rows by association."""

    fields: dict[str, str | dict[str, str]]
    rows: dict[str, list[dict[str, str]]]

    def text(self, name: str) -> str:
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else ""


def parse(body: bytes) -> list[Sent]:
    """The objects in a request body. Raises MalformedXml."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise broken_xml(body, str(error)) from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise MalformedXml(body, "a document type is not accepted")
    return [_sent(node) for node in root if isinstance(node.tag, str)]


def _sent(node: Any) -> Sent:
    sent = Sent({}, {})
    for child in node:
        if not isinstance(child.tag, str):
            continue
        if child.tag == "associations":
            sent.rows = {
                one.tag: [{cell.tag: text_of(cell) for cell in row if isinstance(cell.tag, str)} for row in _rows(one)]
                for one in _rows(child)
            }
        elif len(child) and child[0].tag == "language":
            sent.fields[child.tag] = {one.get("id", ""): text_of(one) for one in child.iterchildren("language")}
        else:
            sent.fields[child.tag] = text_of(child)
    return sent


def _rows(node: Any) -> list[Any]:
    return [one for one in node if isinstance(one.tag, str)]


def text_of(node: Any) -> str:
    return node.text or ""
