"""A folder of recorded resources in place of the seed."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.prestashop.tests.recordings import ORDERS
from connectors.prestashop.tests.shop_client import LINK, ShopClient, codes

OPENING = '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'
ORDER = """<order>
  <id><![CDATA[812]]></id>
  <id_currency><![CDATA[1]]></id_currency>
  <id_shop><![CDATA[1]]></id_shop>
  <current_state><![CDATA[2]]></current_state>
  <reference><![CDATA[QWERTZUIO]]></reference>
  <total_paid><![CDATA[41.330000]]></total_paid>
  <note><![CDATA[  kept as it is ]]></note>
  <associations><order_rows><order_row>
    <id>1700</id><product_id>5</product_id><product_quantity>3</product_quantity>
    <product_name><![CDATA[Tea & Cake]]></product_name><unit_price_tax_incl>13.776667</unit_price_tax_incl>
  </order_row></order_rows></associations>
</order>"""
CURRENCIES = "".join(
    f"<currency><id>{key}</id><iso_code>{iso}</iso_code><precision>2</precision></currency>"
    for key, iso in ((3, "PLN"), (9, "EUR"))
)


@pytest.fixture
def shop() -> ShopClient:
    return ShopClient()


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_records_come_out_as_they_went_in(shop: ShopClient, tmp_path: Path) -> None:
    write(tmp_path, "orders/812.xml", f"{OPENING}{ORDER}</prestashop>")
    write(tmp_path, "currencies/all.xml", f"{OPENING}<currencies>{CURRENCIES}</currencies></prestashop>")
    shop.sandbox.load_folder(tmp_path)
    assert shop.ids("orders") == ["812"]
    assert shop.ids("currencies") == ["3", "9"]
    order = shop.get("orders/812")
    assert (order.findtext("note"), order.findtext("total_paid")) == ("  kept as it is ", "41.330000")
    assert order.findtext("associations/order_rows/order_row/product_name") == "Tea & Cake"


def test_what_a_shop_cannot_be_without_is_filled_in(shop: ShopClient, tmp_path: Path) -> None:
    write(tmp_path, "orders/812.xml", f"{OPENING}{ORDER}</prestashop>")
    shop.sandbox.load_folder(tmp_path)
    settings = shop.get("configurations", display="full", **{"filter[name]": "[PS_TIMEZONE|PS_VERSION_DB]"})
    assert [one.findtext("value") for one in settings] == ["Europe/Paris", "8.2.1"]
    assert len(shop.ids("order_states")) == 13
    assert shop.ids("customer_threads") == shop.ids("products") == []
    row = shop.rows("order_details", 812)[0]
    assert (row["id"], row["total_price_tax_incl"]) == ("1700", "41.330000")


def test_the_settings_name_languages_and_currencies_that_are_there(shop: ShopClient, tmp_path: Path) -> None:
    write(tmp_path, "currencies/all.xml", f"{OPENING}<currencies>{CURRENCIES}</currencies></prestashop>")
    shop.sandbox.load_folder(tmp_path)
    found = shop.get("configurations", display="full", **{"filter[name]": "[PS_CURRENCY_DEFAULT]"})
    assert found[0].findtext("value") == "3"


def test_a_loaded_order_lives_on(shop: ShopClient, tmp_path: Path) -> None:
    write(tmp_path, "orders/812.xml", f"{OPENING}{ORDER}</prestashop>")
    shop.sandbox.load_folder(tmp_path)
    body = "<h><id_order>812</id_order><id_order_state>4</id_order_state></h>"
    assert shop.send("POST", "order_histories", body).status_code == 201
    assert shop.order(812)["current_state"] == "4"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"{OPENING}<order><id>1</id>\n<note>oops</order></prestashop>",
            r"orders/1\.xml, line 4: .*no well-formed XML",
        ),
        (f"{OPENING}<customer><id>1</id></customer></prestashop>", r"orders/1\.xml, line 3: <customer> is no order"),
        (f'{OPENING}<orders><order id="1"/></orders></prestashop>', r"orders/1\.xml, line 3: .*display=full"),
        ("<!DOCTYPE a><prestashop/>", r"orders/1\.xml, line 1: a document type"),
        ("", r"orders/1\.xml, line 1: "),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_nothing_is_taken(
    shop: ShopClient, tmp_path: Path, text: str, words: str
) -> None:
    write(tmp_path, "orders/1.xml", text)
    with pytest.raises(ValueError, match=words):
        shop.sandbox.load_folder(tmp_path)
    assert len(shop.ids("products")) == 13


def test_a_folder_without_recordings_is_refused(shop: ShopClient, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no recorded resource"):
        shop.sandbox.load_folder(tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        shop.sandbox.load_folder(tmp_path / "nowhere")


@pytest.mark.shared("prestashop/orders")
def test_every_recorded_record_comes_out_as_it_went_in(shop: ShopClient) -> None:
    shop.sandbox.load_folder(ORDERS)
    compared = 0
    for path in sorted(ORDERS.glob("*/*.xml")):
        for child in etree.parse(path).getroot():
            for node in [child] if child.find("id") is not None else child:
                given = shop.get(f"{path.parent.name}/{node.findtext('id')}")
                assert flat(given) == flat(node), path
                compared += 1
    assert compared > 1000


def flat(node: Any) -> Any:
    """Names, texts, order and attributes; of a link only what follows the shop's own address."""
    attributes = {name: text.partition("/api/")[2] if name == LINK else text for name, text in node.attrib.items()}
    return (node.tag, attributes, (node.text or "").strip(), [flat(one) for one in node])


def test_refusals_stay_after_loading(shop: ShopClient, tmp_path: Path) -> None:
    write(tmp_path, "orders/812.xml", f"{OPENING}{ORDER}</prestashop>")
    shop.sandbox.load_folder(tmp_path)
    assert codes(shop.http.get("orders", params={"filter[nope]": "[1]"}))[0] == "32"
