"""Many records are read at once in as few calls as one, and each is what reading it alone gives."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import ConnectorError, NeedsPerson, NotFound, SignInRefused, Skip, TryLater
from connectors.prestashop.tests.connector_shop import Shop
from connectors.sandbox import Fault

STRANGE = ("99999", "0", "abc", "", "007", "44/../customers", "4 4", "١", "9" * 12)


def told(found: Any) -> Any:
    """A record, or all that an error says."""
    if isinstance(found, ConnectorError):
        return type(found), {name: value for name, value in vars(found).items() if name != "__notes__"}
    return found


def alone(shop: Shop, entity: str, key: str, **settings: str) -> Any:
    try:
        return shop.connect(**settings).read(entity, key)
    except ConnectorError as error:
        return told(error)


def together(shop: Shop, entity: str, keys: Iterable[str], **settings: str) -> dict[str, Any]:
    found = shop.connect(**settings).read_many(entity, list(keys))
    return {key: told(one) for key, one in found.items()}


def breaking(what: str, word: str) -> Any:
    """A shop that fails as soon as one of the asked orders is the one called `word`."""

    def answer(request: httpx.Request, response: httpx.Response) -> Any:
        asked = [part for value in request.url.params.values() for part in re.findall(r"\w+", value)]
        if request.url.path != "/api/order_details" or word not in asked:
            return None
        return (
            httpx.Response(500, request=request) if what == "fails" else response.content[:-40] + b"</x></prestashop>"
        )

    return answer


@pytest.mark.parametrize("page_size", ["50", "3"])
def test_every_sample_order_is_read_among_others_as_it_is_read_alone(shop: Shop, page_size: str):
    keys = [str(key) for key in shop.sandbox.place_samples()["orders"]]
    assert len(keys) > 25
    keys += [shop.order(), shop.order(date_add="yesterday"), shop.order(id_currency=77), *STRANGE, keys[0]]

    found = together(shop, "orders", keys, page_size=page_size)

    assert list(found) == list(dict.fromkeys(keys))
    for key, one in found.items():
        assert one == alone(shop, "orders", key, page_size=page_size), key
    kinds = {one[0] for one in found.values() if isinstance(one, tuple)}
    assert kinds == {Skip, NotFound, NeedsPerson}


@pytest.mark.parametrize("entity", ["customers", "addresses", "order_states", "products", "order_payments", "items"])
def test_records_of_every_kind_are_read_among_others_as_they_are_read_alone(shop: Shop, entity: str):
    shop.sandbox.place_samples()
    number = "item_number" if entity == "items" else "id"
    keys = [str(one[number]) for one in shop.connect().find(entity)[:12]]

    found = together(shop, entity, [*keys, *STRANGE])

    assert [key for key, one in found.items() if isinstance(one, dict) and key not in STRANGE] == keys
    for key, one in found.items():
        assert one == alone(shop, entity, key), key


def test_twenty_orders_take_no_more_calls_than_one(shop: Shop):
    keys = [shop.order(id_customer=1 + number % 4, reference=f"REFERENC{number}") for number in range(20)]
    for key in keys:
        shop.store.insert("order_payments", {"order_reference": shop.row("orders", key)["reference"], "amount": "1"})
        thread = shop.store.insert("customer_threads", {"id_order": key})
        shop.store.insert("customer_messages", {"id_customer_thread": thread["id"], "message": f"About {key}"})
    counts = []
    for some in (keys[:1], keys):
        prestashop = shop.connect(page_size="200")
        prestashop.read_many("orders", keys)  # warm
        shop.calls.clear()
        found = prestashop.read_many("orders", some)
        assert [found[key]["messages"][0]["message"] for key in some] == [f"About {key}" for key in some]
        assert all(len(found[key]["payments"]) == 1 for key in some)
        counts.append(len(shop.calls))

    assert counts[0] == counts[1] == 9


def test_nothing_is_asked_for_no_keys_and_an_empty_answer_comes(shop: Shop):
    assert shop.connect().read_many("orders", []) == {}
    assert shop.calls == []


def test_half_made_orders_are_told_without_asking_for_what_belongs_to_them(shop: Shop):
    keys = [shop.order(current_state=0) for _ in range(3)]

    found = shop.connect().read_many("orders", keys)

    assert [type(found[key]) for key in keys] == [Skip] * 3
    assert found[keys[0]].record["reference"] == "AAAAAAAAA"
    assert shop.sent("GET", "order_details") == []


def test_orders_that_one_cart_was_split_into_share_their_payments(shop: Shop):
    keys = [shop.order(reference="SPLITCART"), shop.order(reference="ANOTHER"), shop.order(reference="splitcart")]
    shop.store.insert("order_payments", {"order_reference": "SPLITCART", "amount": "20"})

    found = shop.connect().read_many("orders", keys)

    assert [len(found[key]["payments"]) for key in keys] == [1, 0, 1]


@pytest.mark.parametrize("reference", ["A,B", "A|B", "", "É"])
def test_references_that_no_list_can_carry_find_their_payments_all_the_same(shop: Shop, reference: str):
    keys = [shop.order(reference=reference), shop.order(reference="OTHER")]
    shop.store.insert("order_payments", {"order_reference": reference, "amount": "20"})

    found = together(shop, "orders", keys)

    assert found[keys[0]] == alone(shop, "orders", keys[0])
    assert len(found[keys[0]]["payments"]) == bool(reference)
    assert found[keys[1]]["payments"] == []


def test_messages_of_several_conversations_come_in_the_order_in_which_they_were_written(shop: Shop):
    key, other = shop.order(), shop.order()
    threads = [shop.store.insert("customer_threads", {"id_order": one})["id"] for one in (key, other, key)]
    for number, thread in enumerate([*threads, *reversed(threads)]):
        shop.store.insert("customer_messages", {"id_customer_thread": thread, "message": str(number)})

    found = shop.connect(page_size="2").read_many("orders", [key, other])

    assert [one["message"] for one in found[key]["messages"]] == ["0", "2", "3", "5"]
    assert [one["message"] for one in found[other]["messages"]] == ["1", "4"]


@pytest.mark.parametrize(("field", "value"), [("date_upd", "31.12.2025"), ("current_state", 99), ("id_currency", 77)])
def test_one_bad_order_fails_alone(shop: Shop, field: str, value: Any):
    good, bad, last = shop.order(), shop.order(**{field: value}), shop.order()

    found = shop.connect().read_many("orders", [good, bad, last])

    assert isinstance(found[bad], NeedsPerson)
    assert f"orders/{bad} {field}" in found[bad].message
    assert found[bad].record["reference"] == "AAAAAAAAA"
    assert [found[key]["id"] for key in (good, last)] == [int(good), int(last)]


def test_a_bad_line_fails_its_own_order_alone(shop: Shop):
    good, bad = shop.order(), shop.order()
    line = shop.line(bad, product_quantity="77")

    prestashop = shop.connect(lambda request, answer: answer.content.replace(b"[CDATA[77]]", b"[CDATA[many]]"))
    found = prestashop.read_many("orders", [good, bad])

    assert f"order_details/{line} product_quantity" in found[bad].message
    assert found[good]["order_rows"][0]["item_number"] == "LUM-AUBE"


@pytest.mark.parametrize(("what", "error"), [("fails", TryLater), ("breaks the XML", NeedsPerson)])
def test_an_order_that_breaks_the_answer_for_all_is_found_out_and_the_others_are_read(
    shop: Shop, what: str, error: type[ConnectorError]
):
    keys = [shop.order() for _ in range(9)]

    found = shop.connect(breaking(what, keys[4])).read_many("orders", keys)

    assert [key for key in keys if isinstance(found[key], ConnectorError)] == [keys[4]]
    assert isinstance(found[keys[4]], error)
    assert not getattr(found[keys[4]], "outage", False)
    assert found[keys[4]].record["reference"] == "AAAAAAAAA"


def test_a_shop_that_is_away_or_refuses_the_key_is_told_once_for_all(shop: Shop):
    keys = [shop.order() for _ in range(3)]
    shop.sandbox.faults = [Fault("status", status=503, path="order_details")]
    with pytest.raises(TryLater) as caught:
        shop.connect().read_many("orders", keys)
    assert caught.value.outage
    with pytest.raises(SignInRefused):
        shop.connect(key="X" * 32).read_many("orders", keys)


def test_lines_of_another_order_are_refused_instead_of_attached(shop: Shop):
    first, second = shop.order(), shop.order()
    prestashop = shop.connect(
        lambda request, answer: answer.content.replace(
            b"<![CDATA[%d]]></id_order>" % int(second), b"<![CDATA[%d]]></id_order>" % int(first)
        )
    )

    with pytest.raises(NeedsPerson, match="Reading order_details: the shop sends records that were not asked for"):
        prestashop.read("orders", second)


def test_an_order_that_a_list_leaves_out_is_asked_for_alone(shop: Shop):
    first, second = shop.order(), shop.order()

    def leaving_out(request: httpx.Request, answer: httpx.Response) -> bytes | None:
        if request.url.path != "/api/orders":
            return None
        return re.sub(
            rb"<order>\s*<id><!\[CDATA\[%s\]\]></id>.*?</order>\n" % second.encode(), b"", answer.content, flags=re.S
        )

    found = shop.connect(leaving_out).read_many("orders", [first, second])

    assert [found[key]["id"] for key in (first, second)] == [int(first), int(second)]
    assert len(shop.sent("GET", f"orders/{second}")) == 1


# Customers


def address(shop: Shop, customer: str = "3", **fields: Any) -> int:
    row = {"id_customer": customer, "alias": "home", "city": "Nantes", "id_country": "8", "deleted": "0",
           "date_upd": "2026-03-01 10:00:00"}  # fmt: skip
    return int(shop.store.insert("addresses", row | {name: str(value) for name, value in fields.items()})["id"])


@pytest.fixture
def nobody(shop: Shop) -> str:
    """A customer without any address."""
    return str(shop.store.insert("customers", {**shop.row("customers", "2"), "email": "nobody@mail.example"})["id"])


def test_a_customer_comes_with_its_addresses_and_the_one_that_was_changed_last(shop: Shop, nobody: str):
    keys = [
        address(shop, nobody, date_upd="2026-03-02 10:00:00"),
        address(shop, nobody, date_upd="2026-03-05 10:00:00", id_state=4),
        address(shop, nobody, date_upd="2026-03-05 10:00:00", city="Rennes"),
        address(shop, nobody, date_upd="0000-00-00 00:00:00"),
    ]
    address(shop, nobody, date_upd="2026-03-09 10:00:00", deleted=1)

    customer = shop.connect().read("customers", nobody)

    assert [one["id"] for one in customer["addresses"]] == keys
    assert customer["addresses"] == [shop.connect().read("addresses", str(key)) for key in keys]
    assert customer["address"] == customer["addresses"][2]
    assert customer["address"]["date_upd"] == datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


def test_a_customer_without_address_has_none(shop: Shop, nobody: str):
    customer = shop.connect().read("customers", nobody)

    assert (customer["addresses"], customer["address"]) == ([], None)


def test_the_customer_of_an_order_comes_without_addresses(shop: Shop):
    assert not {"address", "addresses"} & set(shop.connect().read("orders", shop.order())["customer"])


def test_addresses_take_one_more_call_however_many_customers(shop: Shop):
    counts = []
    for keys in (["1"], ["1", "2", "3", "4"]):
        prestashop = shop.connect()
        prestashop.read_many("customers", ["1", "2", "3", "4"])  # warm
        shop.calls.clear()
        prestashop.read_many("customers", keys)
        counts.append(len(shop.calls))
    assert counts == [2, 2]


def test_one_bad_address_fails_its_own_customer_alone(shop: Shop, nobody: str):
    key = address(shop, nobody, date_add="never")

    found = shop.connect().read_many("customers", ["1", nobody])

    assert f"addresses/{key} date_add" in found[nobody].message
    assert found["1"]["addresses"]
