"""What an employee does with orders in the back office, so that a shop goes on living while somebody watches."""

from collections.abc import Iterable

from connectors.prestashop.sandbox import states
from connectors.prestashop.sandbox.schema import Record
from connectors.prestashop.sandbox.shop import Shop

# A paid order is prepared, shipped and delivered. What is not paid, or over, gets no state that it should not have.
NEXT = {"2": "3", "11": "3", "3": "4", "4": "5"}


def look_after(shop: Shop, orders: Iterable[int]) -> list[int]:
    """Moves each order on to its next state; one that has none is saved as it is, which also sets its date_upd. Modules
    hear of both. Returns the ids. Raises ValueError for an order that is not there, before anything is changed."""
    rows = [shop.known("orders", one) for one in orders]
    for row in rows:
        _move_on(shop, row)
    return [int(row["id"]) for row in rows]


def _move_on(shop: Shop, order: Record) -> None:
    following = NEXT.get(order["current_state"], "")
    if shop.store.get("order_states", following):
        states.post_history(shop, {"id_order": order["id"], "id_order_state": following}, send_mail=False)
    else:
        shop.store.change("orders", order, date_upd=shop.now())
