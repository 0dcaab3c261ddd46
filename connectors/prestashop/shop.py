"""PrestaShop as a connector: what it can be asked, and who answers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import httpx

from connectors.base import (
    Change,
    CheckResult,
    Connector,
    Cursor,
    Pace,
    Record,
    Setting,
    Value,
    Written,
    pace_settings,
)
from connectors.errors import ConnectorError, NeedsPerson
from connectors.prestashop.catalogue import Catalogue
from connectors.prestashop.changes import Feed
from connectors.prestashop.checking import check
from connectors.prestashop.client import HOST, Client
from connectors.prestashop.entities import ENTITIES
from connectors.prestashop.events import events
from connectors.prestashop.items import Items
from connectors.prestashop.notes import Notes
from connectors.prestashop.orders import Orders
from connectors.prestashop.reading import Reader
from connectors.prestashop.records import Records
from connectors.prestashop.state_changes import StateChanges
from connectors.session import Session

# PrestaShop names no limit; a small shop shares its few PHP processes with its customers.
PACE = Pace(calls=0, seconds=0, at_once=8)
SETTINGS = (
    Setting("address", "Shop address", help="As customers type it, for example https://shop.example or .../store."),
    Setting("key", "Webservice key", secret=True, help="32 characters, from Advanced Parameters > Webservice."),
    Setting(
        "key_in_url",
        "Send the key in the address",
        default="no",
        choices=("no", "yes"),
        help="Only where the shop's web server strips the Authorization header: addresses end up in its access log.",
    ),
    Setting("id_shop", "Shop id", required=False, help="Only where one PrestaShop runs several shops."),
    Setting("overlap", "Overlap in seconds", default="300", help="How far a poll looks back behind the last change."),
    Setting("page_size", "Records a page", default="50", help="1 to 1000; fewer where the shop runs out of memory."),
    Setting(
        "admin_address",
        "Back-office address",
        required=False,
        help="With its secret folder, for example https://shop.example/admin123; for links to orders.",
    ),
    *pace_settings(PACE),
)
WHOLE_NUMBERS = {"overlap": (0, 86_400), "page_size": (1, 1000), "id_shop": (1, 1_000_000)}
BACK_OFFICE_PAGES = {
    "orders": "index.php/sell/orders/{key}/view",
    "customers": "index.php/sell/customers/{key}/view",
    "addresses": "index.php/sell/addresses/{key}/edit",
    "products": "index.php/sell/catalog/products/{key}",
}


class PrestaShop(Connector):
    name = "prestashop"
    label = "PrestaShop"
    settings = SETTINGS
    entities = ENTITIES
    pace = PACE

    def __init__(self, settings: Mapping[str, str], session: Session | None = None) -> None:
        """Raises NeedsPerson naming what is missing or wrong among the settings."""
        super().__init__(settings, session)
        _check_numbers(self.values)
        _check_admin_address(self.values["admin_address"].strip())
        self._client = Client(self.values, self.session)
        self._records = Records(self._client, self.session.cache, self.values["id_shop"])
        items = Items(self._client, self._records.cached)
        orders = Orders(self._client, self._records, items)
        self._reader = Reader(self._client, self._records, orders, Catalogue(self._client, self._records, items))
        self._state_changes = StateChanges(self._client, self._records)
        self._notes = Notes(self._client)

    events = staticmethod(events)

    def check(self) -> CheckResult:
        """Also names every right that the key lacks, and orders that were never completed."""
        return check(self._client, self._records)

    def changes(self, entity: str, since: Cursor | None = None) -> Iterator[Change]:
        """Orders, customers, addresses and products, by date_upd. What is deleted does not appear, nor what leaves
        date_upd as it was: payments, tracking numbers, stock, an edited address of an order."""
        feed = Feed(
            self._client,
            self._records.zone,
            entity,
            overlap=timedelta(seconds=int(self.values["overlap"])),
            page_size=int(self.values["page_size"]),
        )
        return feed.since(since)

    def read(self, entity: str, key: str) -> Record:
        """One record: an order with all that belongs to it, a customer with its addresses. Raises NotFound, and Skip
        for an order whose checkout broke off half-way."""
        return self._reader.read(self._known(entity), key)

    def read_many(self, entity: str, keys: Sequence[str]) -> dict[str, Record | ConnectorError]:
        """In a call a resource (and page) for all of them. A record that breaks the answer for all is found out."""
        return self._reader.read_many(self._known(entity), keys)

    def find(self, entity: str, **fields: Value) -> list[Record]:
        """Records that are not deleted, by ascending id. Text is compared without regard to case, as the shop does.
        Several orders may share a reference."""
        return self._reader.find(self._known(entity), fields)

    def write(self, entity: str, record: Record, key: str | None = None, *, idempotency_key: str = "") -> Written:
        """`order_histories` takes a new state of an order, `orders` with a key its note; nothing else can be written.
        The shop keeps no idempotency key: a repeat finds the state or the note already there, and a state of its own
        that was changed again since by the `after_history` of the StateInDoubt before it."""
        if entity == "order_histories" and key is None:
            return self._state_changes.set_state(record, lambda order: self.link("orders", order))
        if entity == "orders" and key is not None:
            return self._notes.set_note(record, key, lambda order: self.link("orders", order))
        raise NeedsPerson(
            f"PrestaShop: {entity} {'cannot be created' if key is None else 'cannot be changed'} from here.",
            "Only a new state of an order (order_histories) and an order's note can be written.",
        )

    def link(self, entity: str, key: str) -> str:
        """The back office may ask for a confirmation before it opens the page."""
        admin = self.values["admin_address"].strip().rstrip("/")
        page = BACK_OFFICE_PAGES.get(entity, "")
        return f"{admin}/{page.format(key=key)}" if admin and page and key.isdecimal() else ""

    def quota_owner(self) -> str:
        """The shop: host, port and folder, whoever's key and whichever of several shops in one PrestaShop."""
        return f"{self.name} {self._client.place}"

    def close(self) -> None:
        self._client.close()

    def _known(self, entity: str) -> str:
        if not any(one.name == entity for one in self.entities):
            raise NeedsPerson(f"PrestaShop has no {entity} here.", "Choose one of the entities of the connection.")
        return entity


def _check_numbers(values: Mapping[str, str]) -> None:
    for one in SETTINGS:
        least, most = WHOLE_NUMBERS.get(one.name, (0, 0))
        text = values[one.name]
        if most and text and not (re.fullmatch(r"\d{1,7}", text, re.ASCII) and least <= int(text) <= most):
            raise NeedsPerson(
                f"PrestaShop connection: {one.label} must be a whole number from {least} to {most}.",
                "Correct it in the connection's settings.",
                field=one.name,
            )


def _check_admin_address(address: str) -> None:
    """It becomes a link that people press, so nothing but a web address will do."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError):
        url = httpx.URL()
    usable = (
        url.scheme in ("http", "https") and HOST.fullmatch(url.host) and not (url.userinfo or url.query or url.fragment)
    )
    if address and not (usable and re.fullmatch(r"""[^\s"'<>\\]+""", address)):
        raise NeedsPerson(
            "PrestaShop connection: the back-office address must begin with https:// (or http://), and end with the "
            "folder.",
            "Enter it as the browser shows it on the sign-in page, for example https://shop.example/admin123.",
            field="admin_address",
        )
