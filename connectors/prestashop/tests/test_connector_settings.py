"""The settings are data, forgive how an address is typed, and name what is wrong."""

from collections.abc import Iterator

import pytest

from connectors.base import Field
from connectors.errors import NeedsPerson
from connectors.prestashop import connector as PrestaShop
from connectors.prestashop.client import api_address
from connectors.prestashop.tests.connector_shop import Shop

KEY = "K" * 32


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://shop.example", "https://shop.example/api"),
        ("https://shop.example/", "https://shop.example/api"),
        ("https://shop.example/api", "https://shop.example/api"),
        ("https://shop.example/api/", "https://shop.example/api"),
        (" shop.example ", "https://shop.example/api"),
        ("http://127.0.0.1:8800//api//", "http://127.0.0.1:8800/api"),
        ("https://shop.example/de/store/", "https://shop.example/de/store/api"),
        ("https://shop.example/store/api", "https://shop.example/store/api"),
        ("https://bücher.example", "https://xn--bcher-kva.example/api"),
    ],
)
def test_an_address_is_taken_as_people_type_it(typed: str, address: str):
    assert api_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://shop.example",
        "https://",
        "https://KEY@shop.example",
        "https://shop.example/?a=1",
        "https://a b/",
        "://",
        "https://[",
        "https://shop.example:port",
    ],
)
def test_an_unusable_address_says_so(typed: str):
    with pytest.raises(NeedsPerson) as caught:
        PrestaShop({"address": typed, "key": KEY})
    assert caught.value.field == "address"


def test_a_shop_in_a_sub_folder_is_called_there(shop: Shop):
    with pytest.raises(NeedsPerson):
        shop.connect(address="http://sandbox.test/store").check()
    assert shop.calls[0].url == "http://sandbox.test/store/api"


def test_missing_and_wrong_settings_are_named_together():
    with pytest.raises(NeedsPerson) as caught:
        PrestaShop({"key_in_url": "maybe"})
    for words in ("Shop address is missing", "Webservice key is missing", "must be one of no, yes"):
        assert words in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            (name, text)
            for name in ("overlap", "page_size")
            for text in ("-1", "x", "٥٠", "5²", "5_0", "1e2", " 50", "50\n")
        ],
        *[("overlap", "86401"), ("page_size", "0"), ("page_size", "1001"), ("page_size", "5000"), ("id_shop", "all")],
        *[("overlap", "99999999999999999999"), ("page_size", "0x10"), ("overlap", "1.5")],
    ],
)
def test_numbers_out_of_range_are_named(name: str, value: str):
    with pytest.raises(NeedsPerson) as caught:
        PrestaShop({"address": "https://shop.example", "key": KEY, name: value})
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("name", "value"), [("overlap", "0"), ("overlap", "86400"), ("page_size", "1"), ("page_size", "1000")]
)
def test_numbers_at_the_edge_are_taken(name: str, value: str):
    assert PrestaShop({"address": "https://shop.example", "key": KEY, name: value}).values[name] == value


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)//shop.example",
        "data:text/html,x",
        "ftp://shop.example/admin1",
        "shop.example/admin1",
        "/admin1",
        "https://",
        "https:///admin1",
        "https://user:word@shop.example/admin1",
        "https://shop.example/admin1/index.php?token=x",
        "https://shop.example/admin1#x",
        "https://shop.example/adm in",
        'https://shop.example/"><script>',
        "https://[",
    ],
)
def test_a_back_office_address_that_is_no_web_address_is_named(typed: str):
    with pytest.raises(NeedsPerson, match="back-office address") as caught:
        PrestaShop({"address": "https://shop.example", "key": KEY, "admin_address": typed})
    assert caught.value.field == "admin_address"


@pytest.mark.parametrize(
    "typed", ["", "https://shop.example/adm1", " http://127.0.0.1:8800/adm1/ ", "https://bücher.example/a"]
)
def test_a_web_address_of_a_back_office_is_taken(typed: str):
    PrestaShop({"address": "https://shop.example", "key": KEY, "admin_address": typed})


def test_only_the_key_is_secret():
    assert [one.name for one in PrestaShop.settings if one.secret] == ["key"]


def test_links_lead_to_the_back_office_where_its_address_is_known():
    plain = PrestaShop({"address": "https://shop.example", "key": KEY})
    linked = PrestaShop({"address": "https://shop.example", "key": KEY, "admin_address": "https://shop.example/adm1/"})

    assert plain.link("orders", "44") == ""
    assert linked.link("orders", "44") == "https://shop.example/adm1/index.php/sell/orders/44/view"
    assert linked.link("taxes", "1") == linked.link("orders", "44/../x") == ""


def every_field(fields: tuple[Field, ...]) -> Iterator[Field]:
    for one in fields:
        yield one
        yield from every_field(one.fields)


def test_every_entity_describes_itself():
    for entity in PrestaShop.entities:
        names = [one.name for one in entity.fields]
        assert len(names) == len(set(names)), entity.name
        assert entity.field(entity.key), entity.name
        assert not entity.number or entity.field(entity.number), entity.name
        assert entity.writable == any(one.writable for one in entity.fields), entity.name
        for field in every_field(entity.fields):
            assert field.label, (entity.name, field.name)
            assert field.type not in ("rows",) or field.fields, (entity.name, field.name)
            assert field.type != "money" or field.unit, (entity.name, field.name)
            assert not {"passwd", "secure_key", "token"} & {field.name}


@pytest.mark.parametrize("entity", [one.name for one in PrestaShop.entities])
def test_records_hold_exactly_the_fields_of_their_entity(shop: Shop, entity: str):
    key = shop.order()
    for resource in ("order_carriers", "order_cart_rules", "order_payments", "customer_threads", "customer_messages"):
        shop.store.insert(resource, {"id_order": key, "order_reference": "AAAAAAAAA", "id_customer_thread": "1"})

    described = PrestaShop.entity(shop.connect(), entity)
    records = shop.connect().find(entity)

    assert records
    for record in records:
        assert set(record) == {one.name for one in described.fields}
    if entity == "orders":
        for field in described.fields:
            value = records[0][field.name]
            nested = value if isinstance(value, list) else [value]
            for one in nested if field.fields else []:
                assert one is None or set(one) == {part.name for part in field.fields}, field.name
