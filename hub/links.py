"""Where a person opens a message's record: in the shop's own screens, and in the ERP's."""

from dataclasses import dataclass

from connectors.errors import ConnectorError
from hub.connecting import connector_of
from hub.models import Connection, CrossReference, Message


@dataclass(frozen=True)
class Link:
    """`href` is empty where the system has no screen for it, or where the connection's settings are not complete."""

    label: str
    name: str
    href: str


def links_of(message: Message) -> list[Link]:
    """The record in the source, and each that it became in the target."""
    pair, lane = message.flow.pair, message.lane
    found = [Link(pair.source.label, f"{lane.entity} {lane.key}", link(pair.source, lane.entity, lane.key))]
    names = {"source_entity": lane.entity, "source_key": lane.key}
    for one in CrossReference.objects.filter(pair=pair, **names).order_by("target_entity"):
        number = message.number if one.target_entity == message.flow.target_entity else ""
        href = safe(one.link) or link(pair.target, one.target_entity, one.target_key)
        found.append(Link(pair.target.label, f"{one.target_entity} {number or one.target_key}", href))
    return found


def link(connection: Connection, entity: str, key: str) -> str:
    """Asks nobody: a connector makes it from its settings."""
    try:
        return safe(connector_of(connection).link(entity, key))
    except ConnectorError:
        return ""


def safe(href: str) -> str:
    """Only what a browser may be sent to."""
    return href if href.startswith(("https://", "http://")) else ""
