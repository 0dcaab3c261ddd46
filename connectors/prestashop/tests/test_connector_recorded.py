"""The 21 orders that a real shop's own checkout made, read through the sandbox."""

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.prestashop.tests.connector_shop import Shop

RECORDED = Path(__file__).resolve().parents[3].parent / "shared" / "prestashop" / "orders"
SECRETS = ("secure_key", "passwd", "reset_password_token", "card_", "token", "download_hash")

pytestmark = pytest.mark.shared("prestashop/orders")


@pytest.fixture
def recorded(shop: Shop) -> Shop:
    shop.sandbox.load_folder(RECORDED)
    return shop


def test_every_recorded_order_is_handed_out_and_read(recorded: Shop):
    prestashop = recorded.connect(page_size="4")

    read = [prestashop.read("orders", one.key) for one in prestashop.changes("orders")]

    files = sorted(int(one.stem) for one in (RECORDED / "orders").glob("*.xml"))
    assert [one["id"] for one in read] == files
    assert len(read) == 21
    assert not [name for name in SECRETS if f"'{name}" in repr(read)]


def test_the_totals_of_every_recorded_order_hold_to_its_smallest_unit(recorded: Shop):
    """The shop rounds the sum of a converted order on its own, so one unit may be between."""
    prestashop = recorded.connect()
    for order in prestashop.find("orders"):
        unit = Decimal(1).scaleb(-order["currency"]["precision"])
        parts = (
            order["total_products_wt"]
            + order["total_shipping_tax_incl"]
            + order["total_wrapping_tax_incl"]
            - order["total_discounts_tax_incl"]
        )
        assert abs(parts - order["total_paid_tax_incl"]) <= unit, order["id"]
        assert order["total_paid"] == order["total_paid_tax_incl"], order["id"]
        assert sum(line["total_price_tax_incl"] for line in order["order_rows"]) == order["total_products_wt"]
        assert sum(line["total_price_tax_excl"] for line in order["order_rows"]) == order["total_products"]


def test_recorded_orders_have_customer_addresses_and_numbered_lines(recorded: Shop):
    prestashop = recorded.connect()
    numbers = {item["item_number"] for item in prestashop.find("items")}
    for order in prestashop.find("orders"):
        assert order["customer"]["email"]
        assert order["delivery_address"]["country"]["iso_code"]
        assert order["carrier"] is None or order["carrier"]["id_reference"] in (1, 2)
        for line in order["order_rows"]:
            assert line["item_number"] in numbers
            assert line["tax_rate"] == 20
