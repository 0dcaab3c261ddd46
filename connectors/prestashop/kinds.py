"""What an order state means, whatever the shop calls it."""

from connectors.base import Record

# The e-mail template names the purpose of a state even where a module made the state.
BY_TEMPLATE = {
    "order_canceled": "cancelled",
    "refund": "refunded",
    "payment_error": "payment_error",
    "outofstock": "backorder",
    "shipped": "shipped",
    "preparation": "processing",
}
# The ids of every installation (those above 8 vary); their template may have been taken away.
BY_ID = {5: "delivered", 6: "cancelled", 7: "refunded", 8: "payment_error"}


def kind_of(state: Record) -> str:
    """One of the choices of order_states.kind, from template, id and flags of an order_states record."""
    if state["id"] == 5 and state["shipped"]:
        return "delivered"
    if state["template"] in BY_TEMPLATE:
        return BY_TEMPLATE[state["template"]]
    if state["id"] in BY_ID and not state["template"]:
        return BY_ID[state["id"]]
    if state["shipped"]:
        return "shipped"
    if state["delivery"]:
        return "processing"
    return "paid" if state["paid"] else "awaiting_payment"
