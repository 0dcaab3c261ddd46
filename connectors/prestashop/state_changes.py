"""A new state of an order, added to its history.

The shop may answer with a failure after it has saved (PHP warnings become a 500), so every failure that leaves this
open is settled by a look. It has no place for an idempotency key, so what tells a change of ours from others is its
place: it has a higher id than the newest change that the order had before the first try (`after_history`).

The shop first moves stock, state and payments, then adds the row to the history, then mails. Where it broke off in
between, the order stands in the wanted state and its history does not say so. That counts as written: the state was
asked for and is there, and a second try could only run the shop's modules again or take back what staff did since. Only
where a mail was asked for, which then cannot have left, is the change in doubt: a second try adds row and mail.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from connectors.base import Record, Written
from connectors.errors import ConnectorError, InDoubt, RecordRefused, TryLater
from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.entities.order_parts import ORDER_HISTORY
from connectors.prestashop.failures import FailedAnswer
from connectors.prestashop.orders import HALF_MADE
from connectors.prestashop.records import Records

TAKES = ("after_history", "from_state", "id_employee", "id_order", "id_order_state", "send_email")


class StateInDoubt(InDoubt):
    """A state change whose outcome is unknown. `after_history` is the id of the newest change that the order had before
    the first try (0: none): pass it in the record of a repeat, which then recognises its own change whatever happened
    to the order since."""

    def __init__(self, message: str, after_history: int) -> None:
        super().__init__(message)
        self.after_history = after_history
        self.resume = {"after_history": after_history}


@dataclass(frozen=True)
class Wanted:
    """A state change as asked for; ids as text, `after` None on the first try, `before` empty for any state."""

    order: str
    state: str
    employee: str
    mail: bool
    after: int | None
    before: str = ""

    @property
    def fields(self) -> dict[str, str]:
        employee = {"id_employee": self.employee} if self.employee else {}
        return {"id_order": self.order, "id_order_state": self.state, **employee}


class StateChanges:
    def __init__(self, client: Client, records: Records) -> None:
        self._client = client
        self._records = records

    def set_state(self, record: Record, link: Callable[[str], str]) -> Written:
        """Adds a state change from `{id_order, id_order_state, from_state?, send_email?, id_employee?,
        after_history?}`; `link` gives an order's address in the back office. With `from_state` an order that has left
        this state stays as it is: staff have moved it on. The shop mails its customer only where `send_email` is True.
        The record that comes back carries `after_history`; key and id are empty where the order stands in the state and
        its history has no row of it. Raises NotFound, RecordRefused, TryLater, StateInDoubt."""
        wanted = _wanted(record)
        order = self._client.row("orders", wanted.order)
        self._refuse_impossible(order, wanted.state)
        newest = self._newest(wanted.order)
        after = wanted.after if wanted.after is not None else int(newest["id"]) if newest else 0
        found = self._already(wanted, order, newest)
        if found is None and wanted.before and order.get("current_state") != wanted.before:
            found = _state_of(order)
        if found is not None:
            return self._written(found, link, after, changed=False)
        failed: InDoubt | None = None
        try:
            self._client.create(
                "order_histories", "order_history", wanted.fields, {"sendemail": "1"} if wanted.mail else {}
            )
        except InDoubt as error:
            failed = error
        try:
            rows = self._later(wanted.order, after)
            stored = [one for one in rows if one.get("id_order_state") == wanted.state]
            now = order if stored else self._client.row("orders", wanted.order)
        except ConnectorError as error:
            words = failed.message if failed else "The write was accepted."
            raise StateInDoubt(f"{words} Reading it back failed.", after) from error
        if stored:
            return self._written(stored[-1], link, after, changed=True)
        if _stands(wanted, now, rows, failed):
            return self._written(_state_of(now), link, after, changed=True)
        raise _absent(wanted, order, now, rows, failed, after)

    def _already(self, wanted: Wanted, order: Row, newest: Row | None) -> Row | None:
        """The change that makes another one needless: ours of an earlier try, or the state that the order stands in."""
        if wanted.after is not None:
            later = self._later(wanted.order, wanted.after)
            ours = [one for one in later if one.get("id_order_state") == wanted.state]
            if ours:
                return ours[0]
        if order.get("current_state") != wanted.state:
            return None
        if newest and newest.get("id_order_state") == wanted.state:
            return newest
        return None if wanted.mail else _state_of(order)

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

    def _later(self, order: str, after: int) -> list[Row]:
        return list(self._client.pages("order_histories", {"id_order": f"[{order}]"}, after=after))

    def _written(self, row: Row, link: Callable[[str], str], after: int, *, changed: bool) -> Written:
        record = self._records.plain(ORDER_HISTORY, row) | {"after_history": after}
        return Written(row.get("id", ""), changed, link(row.get("id_order", "")), record)


def _wanted(record: Record) -> Wanted:
    unknown = sorted(set(record) - set(TAKES))
    if unknown:
        raise RecordRefused(
            f"order_histories {unknown[0]}: a state change has no such field.",
            f"It takes {', '.join(TAKES)}.",
            field=unknown[0],
        )
    if not isinstance(record.get("send_email", False), bool):
        raise RecordRefused("order_histories send_email: it must be yes or no.", field="send_email")
    return Wanted(
        _id(record, "id_order"),
        _id(record, "id_order_state"),
        _id(record, "id_employee") if record.get("id_employee") is not None else "",
        bool(record.get("send_email")),
        _after(record.get("after_history")),
        _id(record, "from_state") if record.get("from_state") is not None else "",
    )


def _id(record: Record, name: str) -> str:
    value = str(record.get(name) or "")
    if isinstance(record.get(name), bool) or not re.fullmatch(r"[1-9]\d{0,9}", value, re.ASCII):
        raise RecordRefused(f"order_histories {name}: {value or 'nothing'} is not an id of the shop.", field=name)
    return value


def _after(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,10}", str(value), re.ASCII):
        raise RecordRefused(
            "order_histories after_history: it must be the number that the first try gave.", field="after_history"
        )
    return int(str(value))


def _state_of(order: Row) -> Row:
    """What stands for a row of the history where the shop wrote none."""
    return {"id_order": order["id"], "id_order_state": order.get("current_state", "")}


def _stands(wanted: Wanted, now: Row, rows: list[Row], failed: InDoubt | None) -> bool:
    """Whether the order stands in the wanted state, though its history has no new row, and the shop is done with it."""
    if rows or now.get("current_state") != wanted.state:
        return False
    return failed is None or (isinstance(failed, FailedAnswer) and not wanted.mail)


def _absent(
    wanted: Wanted, before: Row, now: Row, rows: list[Row], failed: InDoubt | None, after: int
) -> ConnectorError:
    """The error for a state change that the history does not show."""
    order, state = f"orders/{wanted.order}", f"state {wanted.state}"
    if failed is None:
        return RecordRefused(
            f"{order}: the shop accepted {state} and kept something else.",
            "A module of the shop may have changed it: look at the order in the back office.",
            field="id_order_state",
        )
    if now.get("current_state") == wanted.state:
        return StateInDoubt(
            f"{order} stands in {state}, but its history does not show the change: the shop broke off in between"
            f"{', before it mailed its customer' if wanted.mail else ''}.",
            after,
        )
    if not isinstance(failed, FailedAnswer):
        return StateInDoubt(
            f"{order}: the answer to writing {state} was lost, and the shop does not show it so far.", after
        )
    if rows or now.get("current_state") != before.get("current_state"):
        return StateInDoubt(
            f"{order}: the shop failed while it stored {state}, and somebody else has changed the order meanwhile.",
            after,
        )
    return TryLater(
        f"{order}: the shop failed before it stored {state}; the order still stands in state {now['current_state']}."
    )
