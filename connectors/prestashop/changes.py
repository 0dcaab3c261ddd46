"""The feed of changes: by date_upd and id, a page at a time, in the shop's own time.

date_upd has one second, the shop writes it without zone, and a transaction may commit a moment after its date. So
1. a page is asked for by what follows its last row (same second and higher id, then later seconds), never by offset;
2. a row younger than the overlap, or one whose hour autumn may repeat, gets a cursor without key: the next feed goes
   back by the overlap (and by the hour that is put back) and hands it out again;
3. an older row gets a cursor with its id: the next feed goes on exactly behind it, so that however many rows share
   the overlap's window, stopping half-way always makes progress;
4. every row must stand behind the one before it, by second and id: a shop that answers otherwise would be asked for
   ever.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.base import Change, Cursor
from connectors.errors import NeedsPerson
from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.failures import unfiltered
from connectors.prestashop.values import WIRE_MOMENT, clock_goes_back_soon, moment, wall_clock

# What to ask for besides id and date_upd.
FEEDS = {"orders": "reference", "customers": "deleted", "addresses": "deleted", "products": "active"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SORT = "[date_upd_ASC,id_ASC]"
Position = tuple[str, int]  # date_upd in the shop's own words, and id
LAST_ID = 2**63


class Feed:
    """Changes of one resource. `overlap` is how far the next feed goes back behind a young row."""

    def __init__(self, client: Client, zone: ZoneInfo, resource: str, *, overlap: timedelta, page_size: int) -> None:
        if resource not in FEEDS:
            raise NeedsPerson(
                f"PrestaShop does not say when {resource} changed.",
                f"Only {', '.join(FEEDS)} can be followed by date; read the others as a whole.",
            )
        self._client = client
        self._zone = zone
        self._resource = resource
        self._overlap = overlap
        self._page_size = page_size

    def since(self, cursor: Cursor | None) -> Iterator[Change]:
        """Oldest first; None is from the beginning. An order whose checkout broke off comes, too, and so does one whose
        date cannot be read: reading it says so, and nothing that the shop keeps is passed over in silence."""
        reached = cursor or Cursor(EPOCH)
        for row in self._rows(cursor):
            try:
                at = moment(row["date_upd"], f"{self._resource}/{row['id']} date_upd", self._zone) or EPOCH
                reached = Cursor(at, row["id"] if self._settled(at) else "")
            except NeedsPerson:
                at = reached.at
            yield Change(self._resource, row["id"], at, reached, deleted=row.get("deleted") == "1")

    def _rows(self, cursor: Cursor | None) -> Iterator[Row]:
        if cursor is None:
            page = self._page({}, ("", 0))
        elif cursor.key and cursor.at > EPOCH:
            second = wall_clock(cursor.at, self._zone).strftime(WIRE_MOMENT)
            yield from self._rest_of(second, cursor.key)
            page = self._later_than(second)
        else:
            page = self._later_than(self._start(cursor.at))
        while page:
            yield from page
            if len(page) < self._page_size:
                return
            second = page[-1]["date_upd"]
            yield from self._rest_of(second, page[-1]["id"])
            page = self._later_than(second)

    def _rest_of(self, second: str, key: str) -> Iterator[Row]:
        """The rows of one second behind an id."""
        while True:
            page = self._page({"date_upd": f"[{second}]", "id": f">[{key}]"}, (second, int(key)))
            yield from page
            if len(page) < self._page_size:
                return
            key = page[-1]["id"]

    def _later_than(self, second: str) -> list[Row]:
        return self._page({"date_upd": f">[{second}]"}, (second, LAST_ID))

    def _page(self, filters: dict[str, str], behind: Position) -> list[Row]:
        shown = f"[id,date_upd,{FEEDS[self._resource]}]"
        page = self._client.rows(self._resource, filters, display=shown, sort=SORT, limit=self._page_size, dates=True)
        for row in page:
            position = self._position(row)
            if position <= behind:
                raise unfiltered(self._resource)
            behind = position
        return page

    def _position(self, row: Row) -> Position:
        if not row.get("date_upd"):
            raise NeedsPerson(
                f"{self._resource}/{row['id']} date_upd: the shop does not say when this record changed.",
                "A module of the shop, or a cache before it, changes what the webservice answers.",
                field="date_upd",
            )
        return str(row["date_upd"]), int(row["id"])

    def _start(self, at: datetime) -> str:
        """The wall clock from which on everything that may be later than `at` is found. The comparison is a strict
        one, so it starts a second early."""
        start = max(at, EPOCH + self._overlap + timedelta(days=1)) - self._overlap - timedelta(seconds=1)
        return (wall_clock(start, self._zone) - clock_goes_back_soon(start, self._zone)).strftime(WIRE_MOMENT)

    def _settled(self, at: datetime) -> bool:
        """Whether no row can appear any more that sorts before this one."""
        age = self._client.now() - at
        repeats = clock_goes_back_soon(at, self._zone) > timedelta(0)
        return age > self._overlap + (timedelta(hours=3) if repeats else timedelta(0))
