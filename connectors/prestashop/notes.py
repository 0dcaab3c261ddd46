"""An order's private note. Nothing else of an order is written, and never a whole one: PUT writes back stale invoice
and delivery numbers."""

import re
from collections.abc import Callable

from connectors.base import Record, Written
from connectors.errors import ConnectorError, InDoubt, NeedsPerson, RecordRefused, TryLater
from connectors.prestashop.client import Client
from connectors.prestashop.failures import FailedAnswer

PATCH_SINCE = (8, 0)


class Notes:
    def __init__(self, client: Client) -> None:
        self._client = client

    def set_note(self, record: Record, key: str, link: Callable[[str], str]) -> Written:
        """Replaces the private note of an order (`{note}`); `link` gives an order's back-office address. An answer that
        leaves open whether it was stored is settled by a look. Raises NeedsPerson before PrestaShop 8.0, NotFound,
        RecordRefused, TryLater, InDoubt."""
        note = _note(record, key)
        stored = self._stored(key)
        if _same_text(stored, note):
            return Written(key, changed=False, link=link(key), record={"id": int(key), "note": stored})
        if version_of(self._client.version) < PATCH_SINCE:
            raise NeedsPerson(
                f"orders/{key}: PrestaShop {self._client.version or '(unknown version)'} cannot change a note alone.",
                "This needs PrestaShop 8.0 or later: update the shop, or switch off the step that writes the note.",
                field="note",
            )
        failed: InDoubt | None = None
        try:
            self._client.patch("orders", key, "order", {"note": note})
        except InDoubt as error:
            failed = error
        try:
            stored = self._stored(key)
        except ConnectorError as error:
            words = failed.message if failed else "The write was accepted."
            raise InDoubt(f"{words} Reading it back failed.") from error
        if _same_text(stored, note):
            return Written(key, changed=True, link=link(key), record={"id": int(key), "note": stored})
        raise _absent(f"orders/{key}", failed)

    def _stored(self, key: str) -> str:
        return str(self._client.row("orders", key).get("note", ""))


def version_of(text: str) -> tuple[int, int]:
    """Major and minor number of a PrestaShop version; zeros where it is unknown."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _note(record: Record, key: str) -> str:
    other = sorted(set(record) - {"note", "id"})
    if other or not isinstance(record.get("note"), str):
        name = other[0] if other else "note"
        raise RecordRefused(
            f"orders/{key} {name}: of an order only the note can be written, as text.",
            "Remove the field from the mapping; a state is written to order_histories.",
            field=name,
        )
    return str(record["note"])


def _absent(order: str, failed: InDoubt | None) -> ConnectorError:
    """The error for a note that the read-back does not show."""
    if isinstance(failed, FailedAnswer):
        return TryLater(f"{order}: the shop failed before it stored the note; the order's note is not the new one.")
    if failed:
        return InDoubt(f"{order}: the answer to writing the note was lost, and the shop does not show it so far.")
    return RecordRefused(
        f"{order}: the shop accepted the note and kept something else.",
        "A module of the shop may have changed it: look at the order in the back office.",
        field="note",
    )


def _same_text(one: str, other: str) -> bool:
    """Whether two texts are the same for a shop, which trims them and may change line ends."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
