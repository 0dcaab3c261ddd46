"""PrestaShop's XML as plain rows, and rows as its XML; no value is interpreted here.

A row is a dict of field name to text; an i18n field is a dict of language id to text; `associations` is a dict of
association name to rows. Credentials and card data are left behind at this door, so that nothing above can leak them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

Row = dict[str, Any]

SECRETS = {"secure_key", "passwd", "last_passwd_gen", "reset_password_token", "reset_password_validity"}
SECRETS |= {"token", "download_hash", "card_number", "card_brand", "card_expiration", "card_holder"}
START = re.compile(rb"<\?xml\s|<prestashop[\s>/]")
DECLARED = re.compile(rb"<!ENTITY|<!DOCTYPE\s+prestashop")
DECLARATION = re.compile(rb"<!DOCTYPE|<!ENTITY")
END = re.compile(rb"</prestashop\s*>|<prestashop[^>]*/>")
DECLARES = "it carries a document type declaration"
# XML 1.0 has no way to carry these, yet a shop passes on what a customer pasted.
CONTROL_CHARACTERS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class NotPrestashop(Exception):
    """There is no PrestaShop document in this body."""


class CutOff(Exception):
    """The document starts and does not end."""


class Broken(Exception):
    """The document is complete and cannot be read, or carries a document type declaration."""


@dataclass
class Document:
    """`rows` are the records; `errors` are (code, message) pairs; `root` is the element below <prestashop>."""

    rows: list[Row] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    root: etree._Element | None = None


def read_document(body: bytes) -> Document:
    """Reads what a shop answered, with whatever its host printed before and after it cut away.
    Raises NotPrestashop, CutOff or Broken."""
    tree = _tree(body)
    root = next((one for one in tree if isinstance(one.tag, str)), None)
    if root is None:
        return Document()
    if root.tag == "errors":
        return Document(errors=[(_text(one, "code"), _text(one, "message")) for one in root.iterfind("error")])
    if root.get("id") is None and root.find("id") is None:
        return Document(rows=_rows(root), root=root)
    return Document(rows=[_row(root)], root=root)


def write_document(node: str, fields: Mapping[str, str]) -> bytes:
    """One record as PrestaShop reads it; every blank inside a node would become part of the value, so there is none.
    Raises ValueError naming the first field that holds a character XML cannot carry."""
    root = etree.Element("prestashop")
    record = etree.SubElement(root, node)
    for name, value in fields.items():
        if NOT_IN_XML.search(value):
            raise ValueError(name)
        etree.SubElement(record, name).text = value
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _tree(body: bytes) -> etree._Element:
    start = START.search(body)
    if start is None:
        raise NotPrestashop
    ends = list(END.finditer(body, start.start()))
    if not ends:
        raise CutOff if b"<prestashop" in body[start.start() :] or len(body) < 200 else NotPrestashop
    text = CONTROL_CHARACTERS.sub(b"", body[start.start() : ends[-1].end()])
    if DECLARATION.search(text, 0, text.find(b"<prestashop")) or DECLARED.search(body, 0, start.start()):
        raise Broken(DECLARES)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Broken(f"it is not well-formed XML at line {getattr(error, 'lineno', '?')}") from error
    if tree.getroottree().docinfo.internalDTD is not None:
        raise Broken(DECLARES)
    if tree.tag != "prestashop":
        raise NotPrestashop
    return tree


def _rows(container: etree._Element) -> list[Row]:
    return [_row(one) for one in container if isinstance(one.tag, str)]


def _row(node: etree._Element) -> Row:
    row: Row = {"id": node.get("id")} if node.get("id") else {}
    for child in node:
        if not isinstance(child.tag, str) or child.tag in SECRETS:
            continue
        if child.tag == "associations":
            row["associations"] = {one.tag: _rows(one) for one in child if isinstance(one.tag, str)}
        else:
            languages = child.findall("language")
            row[child.tag] = {one.get("id", ""): _inner(one) for one in languages} if languages else _inner(child)
    return row


def _inner(node: etree._Element) -> str:
    return "".join(str(part) for part in node.itertext()).strip()


def _text(node: etree._Element, name: str) -> str:
    found = node.find(name)
    return "" if found is None else _inner(found)
