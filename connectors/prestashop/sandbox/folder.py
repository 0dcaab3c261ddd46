"""A folder of recorded resources as the shop's data: `<resource>/*.xml`, a record or a list a file."""

from pathlib import Path
from typing import Any

from lxml import etree

from connectors.prestashop.sandbox.schema import RESOURCES, Record, Resource
from connectors.prestashop.sandbox.store import Store
from connectors.prestashop.sandbox.xml import text_of


def read(path: Path) -> Store:
    """The records as they stand in the files. Raises ValueError naming the file and, for broken XML, the line."""
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder. Name a folder that holds <resource>/*.xml.")
    store = Store()
    found = False
    first: dict[tuple[str, str], tuple[Path, Record]] = {}
    for name, resource in RESOURCES.items():
        for file in sorted((path / name).glob("*.xml"), key=lambda one: (len(one.stem), one.stem)):
            found = True
            for record in _records(file, resource):
                known = first.setdefault((name, record["id"]), (file, record))
                if known[1] != record:
                    raise ValueError(
                        f"{file}: {resource.node} {record['id']} stands in {known[0]}, too, and differs there."
                    )
                store.insert(name, dict(record), int(record["id"]))
    if not found:
        raise ValueError(
            f"{path} holds no recorded resource. It needs files like orders/1.xml or order_states/all.xml."
        )
    return store


def _records(file: Path, resource: Resource) -> list[Record]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.parse(str(file), parser).getroot()
    except etree.XMLSyntaxError as error:
        raise ValueError(f"{file}, line {error.lineno}: this is no well-formed XML: {error.msg}.") from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise ValueError(f"{file}, line 1: a document type is not accepted.")
    nodes = [
        node
        for child in root
        for node in (child if child.tag == resource.plural and not _is_record(child) else [child])
    ]
    return [_record(file, resource, node) for node in nodes]


def _is_record(node: Any) -> bool:
    return any(one.tag == "id" for one in node)


def _record(file: Path, resource: Resource, node: Any) -> Record:
    where = f"{file}, line {node.sourceline}"
    if node.tag != resource.node:
        raise ValueError(f"{where}: <{node.tag}> is no {resource.node}, which files in {resource.name} hold.")
    record: Record = {"associations": {}}
    for child in node:
        field = resource.by_name.get(child.tag)
        if child.tag == "id":
            record["id"] = text_of(child).strip()
        elif child.tag == "associations":
            record["associations"] = {
                rows.tag: [{cell.tag: text_of(cell) for cell in row} for row in rows]
                for rows in child
                if resource.association(rows.tag)
            }
        elif field and field.i18n:
            record[child.tag] = {one.get("id", ""): text_of(one) for one in child}
        elif field:
            record[child.tag] = text_of(child)
    if not record.get("id", "").isdigit():
        raise ValueError(f"{where}: this {resource.node} has no id. A list must be recorded with display=full.")
    if resource.name == "currencies" and not str(record.get("precision", "")).isdigit():
        raise ValueError(f"{where}: currency {record['id']} has no precision, and its amounts cannot do without.")
    return record
