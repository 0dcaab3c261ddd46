"""What a change of an order's state brings with it: stock, invoice, payment, delivery note and mail.

There are no rules about which state may follow which: the shop accepts any.
"""

from decimal import Decimal

from connectors.prestashop.sandbox.errors import Crashed
from connectors.prestashop.sandbox.schema import Record, fixed
from connectors.prestashop.sandbox.shop import Shop

PAYMENT_NAMES = {
    "ps_wirepayment": "Wire payment",
    "ps_checkpayment": "Payments by check",
    "ps_cashondelivery": "Cash on delivery (COD)",
}


def post_history(shop: Shop, values: dict[str, str], send_mail: bool) -> Record:
    """Adds a history row and moves the order, every time anew even into the state that it has. Raises Crashed for an
    unknown order or state."""
    order = shop.store.get("orders", values["id_order"])
    state = shop.store.get("order_states", values["id_order_state"])
    if not order or not state:
        raise Crashed
    change_state(shop, order, state, link_payments=False)
    _break_where_told(shop)
    return _history(shop, order, state, values.get("id_employee", ""), send_mail)


def set_current_state(shop: Shop, order: Record, state_id: str) -> None:
    """The way of writing `current_state`: always with a mail, nothing where the state is the same, and payments booked
    before count against the invoice. Raises Crashed for an unknown state."""
    if state_id in ("", "0", order["current_state"]):
        return
    state = shop.store.get("order_states", state_id)
    if not state:
        raise Crashed
    change_state(shop, order, state, link_payments=not shop.store.find("order_invoices", id_order=order["id"]))
    _break_where_told(shop)
    _history(shop, order, state, "", send_mail=True)


def change_state(shop: Shop, order: Record, state: Record, *, link_payments: bool) -> None:
    old = shop.store.get("order_states", order["current_state"])
    _move_stock(shop, order, old, state)
    shop.store.change("orders", order, current_state=state["id"], valid=state["logable"], date_upd=shop.now())
    if state["invoice"] == "1" and order["invoice_number"] == "0":
        set_invoice(shop, order, link_payments)
    if state["paid"] == "1":
        _pay_rest(shop, order)
    if state["delivery"] == "1":
        _set_delivery(shop, order)


def begin(shop: Shop, order: Record, state: Record) -> None:
    """The first state of a new order: what was paid at the checkout is paid on its invoice. The mail goes out."""
    change_state(shop, order, state, link_payments=True)
    _history(shop, order, state, "", send_mail=True)


def _break_where_told(shop: Shop) -> None:
    """A module's hook may end the request here: the shop saves the order before it writes the history row."""
    if shop.store.break_after_state:
        shop.store.break_after_state -= shop.store.break_after_state > 0
        raise Crashed


def _history(shop: Shop, order: Record, state: Record, id_employee: str, send_mail: bool) -> Record:
    row = {"id_order": order["id"], "id_order_state": state["id"], "id_employee": id_employee, "date_add": shop.now()}
    added = shop.store.insert("order_histories", row)
    template = shop.text(state, "template", order["id_lang"])
    customer = shop.store.get("customers", order["id_customer"])
    if send_mail and state["send_email"] == "1" and template and customer:
        shop.mail(template, customer["email"], order=order["id"], state=state["id"])
    return added


def _move_stock(shop: Shop, order: Record, old: Record | None, new: Record) -> None:
    """Error and cancelled give the goods back; a state that counts as a sale takes them again."""
    if old is None:
        return
    given_back = {shop.store.configuration("PS_OS_ERROR", "8"), shop.store.configuration("PS_OS_CANCELED", "6")}
    if new["logable"] == "1" and old["logable"] == "0":
        sign = -1 if old["id"] in given_back else 0
    elif new["logable"] == "0":
        was_out = old["logable"] == "0" and old["id"] in given_back
        sign = 1 if new["id"] in given_back and not was_out else 0
    else:
        sign = 0
    if sign:
        for line in shop.store.find("order_details", id_order=order["id"]):
            add_stock(shop, line["product_id"], line["product_attribute_id"], sign * int(line["product_quantity"]))


def add_stock(shop: Shop, product_id: str, attribute_id: str, quantity: int) -> None:
    """Adds to the stock of one sellable item, and to the sum over its product's combinations."""
    for row in shop.store.find("stock_availables", id_product=product_id, id_shop=1):
        if row["id_product_attribute"] in (attribute_id, "0"):
            shop.store.change("stock_availables", row, quantity=int(row["quantity"]) + quantity)


def set_invoice(shop: Shop, order: Record, link_payments: bool) -> None:
    """Issues the invoice. With `link_payments`, what was paid on the order's reference so far counts for it."""
    store = shop.store
    number = store.next_number("order_invoices", "number")
    amounts = {
        name.replace("discounts", "discount"): order[name]
        for name in (
            *("total_discounts_tax_excl", "total_discounts_tax_incl", "total_paid_tax_excl", "total_paid_tax_incl"),
            *("total_products", "total_products_wt", "total_shipping_tax_excl", "total_shipping_tax_incl"),
            *("total_wrapping_tax_excl", "total_wrapping_tax_incl"),
        )
    }
    address = store.configuration("PS_SHOP_NAME", "Shop")
    row = {"id_order": order["id"], "number": str(number), "shop_address": address, "date_add": shop.now(), **amounts}
    invoice = store.insert("order_invoices", row)
    store.change("orders", order, invoice_number=number, invoice_date=invoice["date_add"])
    for resource in ("order_details", "order_carriers", "order_cart_rules"):
        for one in store.find(resource, id_order=order["id"]):
            store.change(resource, one, id_order_invoice=invoice["id"])
    store.invoice_payments[invoice["id"]] = []
    if link_payments:
        linked = {key for keys in store.invoice_payments.values() for key in keys}
        payments = store.find("order_payments", order_reference=order["reference"])
        store.invoice_payments[invoice["id"]] = [int(one["id"]) for one in payments if int(one["id"]) not in linked]


def _pay_rest(shop: Shop, order: Record) -> None:
    store = shop.store
    for invoice in store.find("order_invoices", id_order=order["id"]):
        linked = [store.get("order_payments", key) for key in store.invoice_payments.get(invoice["id"], [])]
        paid = sum((Decimal(one["amount"]) for one in linked if one), Decimal(0))
        rest = Decimal(fixed(Decimal(invoice["total_paid_tax_incl"]) - paid, 2))
        if rest > 0:
            name = PAYMENT_NAMES.get(order["module"]) or str(order["payment"])
            payment = add_payment(shop, order, rest, name)
            store.invoice_payments.setdefault(invoice["id"], []).append(int(payment["id"]))
            store.change("orders", order, total_paid_real=str(Decimal(order["total_paid_real"]) + rest))


def add_payment(shop: Shop, order: Record, amount: Decimal, method: str, transaction_id: str = "") -> Record:
    row = {
        "order_reference": order["reference"][:9],
        "id_currency": order["id_currency"],
        "amount": str(amount),
        "payment_method": method,
        "conversion_rate": "1",
        "transaction_id": transaction_id,
        "date_add": shop.now(),
    }
    return shop.store.insert("order_payments", row)


def _set_delivery(shop: Shop, order: Record) -> None:
    store, now = shop.store, shop.now()
    for invoice in store.find("order_invoices", id_order=order["id"]):
        if invoice["delivery_number"] == "0":
            number = store.next_number("order_invoices", "delivery_number")
            store.change("order_invoices", invoice, delivery_number=number, delivery_date=now)
            store.change("orders", order, delivery_number=number)
    store.change("orders", order, delivery_date=now)


def link_known_payments(shop: Shop) -> None:
    """Counts the payments of an order's reference against its invoice, where nothing says otherwise."""
    store = shop.store
    for invoice in store.tables["order_invoices"].values():
        order = store.get("orders", invoice["id_order"])
        if order and invoice["id"] not in store.invoice_payments:
            payments = store.find("order_payments", order_reference=order["reference"])
            store.invoice_payments[invoice["id"]] = [int(one["id"]) for one in payments]
