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
  <id_currency><![CDATA[9]]></id_currency>
  <id_customer><![CDATA[77]]></id_customer>
  <id_address_delivery><![CDATA[501]]></id_address_delivery>
  <id_address_invoice><![CDATA[502]]></id_address_invoice>
  <id_carrier><![CDATA[31]]></id_carrier>
  <id_lang><![CDATA[4]]></id_lang>
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
DETAIL = """<order_detail>
  <id>1700</id><id_order>812</id_order><product_id>5</product_id><product_quantity>3</product_quantity>
  <product_name><![CDATA[Tea & Cake]]></product_name><unit_price_tax_incl>13.776667</unit_price_tax_incl>
  <unit_price_tax_excl>11.480556</unit_price_tax_excl><total_price_tax_incl>41.330000</total_price_tax_incl>
  <associations><taxes><tax><id>6</id></tax></taxes></associations>
</order_detail>"""
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An order with what nobody can make up, and no more."""
    write(tmp_path, "orders/812.xml", f"{OPENING}{ORDER}</prestashop>")
    write(tmp_path, "order_details/1700.xml", f"{OPENING}{DETAIL}</prestashop>")
    write(tmp_path, "currencies/all.xml", f"{OPENING}<currencies>{CURRENCIES}</currencies></prestashop>")
    return tmp_path


def test_records_come_out_as_they_went_in(shop: ShopClient, folder: Path) -> None:
    shop.sandbox.load_folder(folder)
    assert shop.ids("orders") == ["812"]
    assert shop.ids("currencies") == ["3", "9"]
    order = shop.get("orders/812")
    assert (order.findtext("note"), order.findtext("total_paid")) == ("  kept as it is ", "41.330000")
    assert order.findtext("associations/order_rows/order_row/product_name") == "Tea & Cake"


def test_what_a_shop_cannot_be_without_is_filled_in(shop: ShopClient, folder: Path) -> None:
    shop.sandbox.load_folder(folder)
    settings = shop.get("configurations", display="full", **{"filter[name]": "[PS_TIMEZONE|PS_VERSION_DB]"})
    assert [one.findtext("value") for one in settings] == ["Europe/Paris", "8.2.1"]
    assert len(shop.ids("order_states")) == 13
    assert shop.get("order_states/2").findtext("name/language[@id='4']") == "Payment accepted"
    assert shop.get("products/5").findtext("name/language") == "Tea & Cake"
    for name in ("customer_threads", "order_payments", "order_cart_rules", "order_carriers"):
        assert shop.ids(name) == []


def test_whom_an_order_names_is_nobody_in_particular_where_the_folder_lacks_them(
    shop: ShopClient, folder: Path
) -> None:
    shop.sandbox.load_folder(folder)
    assert {name: shop.ids(name) for name in ("customers", "addresses", "carriers", "languages", "countries")} == {
        "customers": ["77"],
        "addresses": ["501", "502"],
        "carriers": ["31"],
        "languages": ["4"],
        "countries": [],
    }
    assert shop.get("customers/77").findtext("email") == "customer-77@unrecorded.invalid"
    assert shop.get("addresses/501").findtext("id_customer") == "77"
    assert shop.get("carriers/31").findtext("name") == "Carrier 31"


def test_a_recorded_address_keeps_a_country_that_was_not_recorded_without_its_code(
    shop: ShopClient, folder: Path
) -> None:
    address = "<address><id>501</id><lastname>Real</lastname><id_country>8</id_country></address>"
    write(folder, "addresses/501.xml", f"{OPENING}{address}</prestashop>")
    shop.sandbox.load_folder(folder)
    assert shop.get("addresses/501").findtext("lastname") == "Real"
    country = shop.get("countries/8")
    assert (country.findtext("name/language"), country.findtext("iso_code")) == ("Country 8", "")


def test_a_tax_is_worked_out_where_the_prices_leave_no_doubt(shop: ShopClient, folder: Path) -> None:
    shop.sandbox.load_folder(folder)
    assert shop.get("taxes/6").findtext("rate") == "20.000"


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "orders/812.xml",
            "<current_state><![CDATA[2]",
            "<current_state><![CDATA[14]",
            r"order_states/14 for order 812\.",
        ),
        ("order_details/1700.xml", ">13.776667<", ">13.78<", r"taxes/6 for order 812\."),
        (
            "order_details/1700.xml",
            "<id>6</id></tax>",
            "<id>6</id></tax><tax><id>7</id></tax>",
            r"taxes/6 .*; taxes/7 ",
        ),
        ("order_details/1700.xml", ">11.480556<", ">0<", r"taxes/6 for order 812\."),
    ],
)
def test_what_decides_about_money_is_not_made_up(
    shop: ShopClient, folder: Path, file: str, old: str, new: str, words: str
) -> None:
    text = (folder / file).read_text()
    assert old in text
    write(folder, file, text.replace(old, new))
    with pytest.raises(ValueError, match=words):
        shop.sandbox.load_folder(folder)
    assert len(shop.ids("products")) == 13


def test_where_some_records_are_recorded_a_missing_one_stays_missing(shop: ShopClient, folder: Path) -> None:
    text = (folder / "orders" / "812.xml").read_text()
    write(folder, "orders/813.xml", text.replace("[812]", "[813]").replace("[9]", "[2]"))
    write(folder, "customers/5.xml", f"{OPENING}<customer><id>5</id><lastname>Real</lastname></customer></prestashop>")
    shop.sandbox.load_folder(folder)
    assert shop.ids("orders") == ["812", "813"]
    assert (shop.ids("customers"), shop.ids("currencies")) == (["5"], ["3", "9"])


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("currencies/x.xml", "<currency><id>4</id><iso_code>JPY</iso_code></currency>", "currency 4 has no precision"),
        (
            "currencies/x.xml",
            "<currency><id>9</id><precision>4</precision></currency>",
            "currency 9 stands in .*, too, and differs",
        ),
        (
            "configurations/x.xml",
            "<configuration><id>1</id><name>PS_TIMEZONE</name><value>Mars/Base</value></configuration>",
            "PS_TIMEZONE is 'Mars/Base'",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    shop: ShopClient, folder: Path, file: str, content: str, words: str
) -> None:
    write(folder, file, f"{OPENING}{content}</prestashop>")
    with pytest.raises(ValueError, match=words):
        shop.sandbox.load_folder(folder)


def test_many_orders_with_the_same_gap_are_counted(shop: ShopClient, tmp_path: Path) -> None:
    orders = "".join(ORDER.replace("[812]", f"[{number}]") for number in range(9, 18))
    write(tmp_path, "orders/all.xml", f"{OPENING}<orders>{orders}</orders></prestashop>")
    with pytest.raises(ValueError, match=r"currencies/9 for order 9, order 10, .*, order 14 and 3 more;"):
        shop.sandbox.load_folder(tmp_path)


def test_a_reset_leads_back_to_the_folder(shop: ShopClient, folder: Path) -> None:
    shop.sandbox.load_folder(folder)
    loaded = shop.sandbox.dump()
    shop.send("PATCH", "orders", "<order><id>812</id><note>changed</note></order>")
    assert shop.sandbox.dump() != loaded
    assert shop.http.post(f"{shop.sandbox.address}/_sandbox/reset").status_code == 200
    assert shop.sandbox.dump() == loaded


def test_the_settings_name_languages_and_currencies_that_are_there(shop: ShopClient, tmp_path: Path) -> None:
    write(tmp_path, "currencies/all.xml", f"{OPENING}<currencies>{CURRENCIES}</currencies></prestashop>")
    shop.sandbox.load_folder(tmp_path)
    found = shop.get("configurations", display="full", **{"filter[name]": "[PS_CURRENCY_DEFAULT]"})
    assert found[0].findtext("value") == "3"


def test_a_loaded_order_lives_on(shop: ShopClient, folder: Path) -> None:
    shop.sandbox.load_folder(folder)
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


@pytest.mark.shared("prestashop/orders")
def test_recorded_orders_with_rows_and_currencies_alone_keep_their_taxes(shop: ShopClient, tmp_path: Path) -> None:
    for name in ("orders", "order_details", "currencies"):
        (tmp_path / name).symlink_to(ORDERS / name)
    shop.sandbox.load_folder(tmp_path)
    assert len(shop.ids("orders")) == 21
    assert [one.findtext("rate") for one in shop.get("taxes", display="full")] == ["20.000"]


def test_refusals_stay_after_loading(shop: ShopClient, folder: Path) -> None:
    shop.sandbox.load_folder(folder)
    assert codes(shop.http.get("orders", params={"filter[nope]": "[1]"}))[0] == "32"
