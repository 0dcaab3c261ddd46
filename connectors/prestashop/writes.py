"""What is written back to a shop: a new state of an order, and an order's private note. Nothing else, and never a
whole order: PUT writes back stale invoice and delivery numbers.

The shop may answer with a failure after it has saved (PHP warnings become a 500), so every failure that leaves this
open is settled by a look. It has no place for an idempotency key: a state counts as already set where the order's
newest state change is to it.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from connectors.base import Record, Written
from connectors.errors import ConnectorError, InDoubt, NeedsPerson, RecordRefused, TryLater
from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.entities.order_parts import ORDER_HISTORY
from connectors.prestashop.failures import FailedAnswer
from connectors.prestashop.orders import HALF_MADE
from connectors.prestashop.records import Records

Found = TypeVar("Found")
PATCH_SINCE = (8, 0)
STATE_FIELDS = {"id_order", "id_order_state", "id_employee", "send_email"}


class Writes:
    def __init__(self, client: Client, records: Records) -> None:
        self._client = client
        self._records = records

    def set_state(self, record: Record, link: Callable[[str], str]) -> Written:
        """Adds a state change from `{id_order, id_order_state, send_email?, id_employee?}`; `link` gives an order's
        back-office address. The shop mails its customer only where `send_email` is True. Raises NotFound,
        RecordRefused, TryLater, InDoubt."""
        order, fields = self._state_fields(record)
        row = self._client.row("orders", order)
        self._refuse_impossible(row, fields["id_order_state"])
        newest = self._newest(order)
        if newest and newest.get("id_order_state") == fields["id_order_state"] == row.get("current_state"):
            return self._changed_state(newest, link, changed=False)
        mail = {"sendemail": "1"} if record.get("send_email") else {}
        failed: InDoubt | None = None
        try:
            self._client.create("order_histories", "order_history", fields, mail)
        except InDoubt as error:
            failed = error
        before = int(newest["id"]) if newest else 0
        rows = _look(lambda: self._client.rows("order_histories", _later(order, before)), failed)
        stored = [one for one in rows if one.get("id_order_state") == fields["id_order_state"]]
        if stored:
            return self._changed_state(stored[-1], link, changed=True)
        raise _absent(f"orders/{order}", f"state {fields['id_order_state']}", "id_order_state", failed)

    def set_note(self, record: Record, key: str, link: Callable[[str], str]) -> Written:
        """Replaces the private note of an order (`{note}`). Raises NeedsPerson before PrestaShop 8.0, NotFound,
        RecordRefused, TryLater, InDoubt."""
        note = _note(record, key)
        stored = self._client.row("orders", key).get("note", "")
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
        stored = _look(lambda: self._client.row("orders", key), failed).get("note", "")
        if _same_text(stored, note):
            return Written(key, changed=True, link=link(key), record={"id": int(key), "note": stored})
        raise _absent(f"orders/{key}", "the note", "note", failed)

    def _state_fields(self, record: Record) -> tuple[str, dict[str, str]]:
        unknown = sorted(set(record) - STATE_FIELDS)
        if unknown:
            raise RecordRefused(
                f"order_histories {unknown[0]}: a state change has no such field.",
                f"It takes {', '.join(sorted(STATE_FIELDS))}.",
                field=unknown[0],
            )
        if not isinstance(record.get("send_email", False), bool):
            raise RecordRefused("order_histories send_email: it must be yes or no.", field="send_email")
        fields = {name: _id(record, name) for name in ("id_order", "id_order_state")}
        if record.get("id_employee") is not None:
            fields["id_employee"] = _id(record, "id_employee")
        return fields["id_order"], fields

    def _refuse_impossible(self, order: Row, state: str) -> None:
        """PrestaShop itself answers these with an empty 500."""
        if order.get("current_state", "") in HALF_MADE:
            raise RecordRefused(
                f"orders/{order['id']} was never completed in the shop, so it can take no state.",
                "Look at the order in the shop's back office.",
            )
        if self._records.known("order_states", state) is None:
            raise RecordRefused(
                f"orders/{order['id']}: the shop has no order state {state}.",
                "Correct the lookup table of order states.",
                field="id_order_state",
            )

    def _newest(self, order: str) -> Row | None:
        rows = self._client.rows("order_histories", {"id_order": f"[{order}]"}, sort="[id_DESC]", limit=1)
        return rows[0] if rows else None

    def _changed_state(self, row: Row, link: Callable[[str], str], *, changed: bool) -> Written:
        return Written(row["id"], changed, link(row.get("id_order", "")), self._records.plain(ORDER_HISTORY, row))


def version_of(text: str) -> tuple[int, int]:
    """Major and minor number of a PrestaShop version; zeros where it is unknown."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _later(order: str, before: int) -> dict[str, str]:
    return {"id_order": f"[{order}]", "id": f">[{before}]"}


def _id(record: Record, name: str) -> str:
    value = str(record.get(name) or "")
    if isinstance(record.get(name), bool) or not re.fullmatch(r"[1-9]\d{0,9}", value, re.ASCII):
        raise RecordRefused(f"order_histories {name}: {value or 'nothing'} is not an id of the shop.", field=name)
    return value


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


def _look(read: Callable[[], Found], failed: InDoubt | None) -> Found:
    """Reads back after a write. Where that fails as well, the write stays in doubt."""
    try:
        return read()
    except ConnectorError as error:
        raise InDoubt(f"{failed.message if failed else 'The write was accepted.'} Reading it back failed.") from error


def _absent(order: str, what: str, field: str, failed: InDoubt | None) -> ConnectorError:
    """The error for a write that the read-back does not show."""
    if isinstance(failed, FailedAnswer):
        return TryLater(f"{order}: the shop failed before it stored {what}; nothing was changed.")
    if failed:
        return InDoubt(f"{order}: the answer to writing {what} was lost, and the shop does not show it so far.")
    return RecordRefused(
        f"{order}: the shop accepted {what} and kept something else.",
        "A module of the shop may have changed it: look at the order in the back office.",
        field=field,
    )


def _same_text(one: str, other: str) -> bool:
    """Whether two texts are the same for a shop, which trims them and may change line ends."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
