"""The public client prestapyt drives the sandbox on a port: nobody here wrote it."""

from collections.abc import Iterator
from typing import Any

import prestapyt
import pytest

from connectors.prestashop.sandbox import PrestaShopSandbox
from connectors.prestashop.sandbox.rights import DISABLED, READ_ORDERS
from connectors.serving import serving

pytestmark = pytest.mark.filterwarnings("ignore:.*version:UserWarning")  # it knows shops up to 1.7 and says so


@pytest.fixture
def sandbox() -> Iterator[PrestaShopSandbox]:
    sandbox = PrestaShopSandbox()
    with serving(sandbox):
        yield sandbox


@pytest.fixture
def client(sandbox: PrestaShopSandbox) -> Iterator[Any]:
    client = prestapyt.PrestaShopWebServiceDict(sandbox.address, sandbox.announcement()["key"])
    yield client
    client.client.close()


def test_it_gets_a_record_with_languages_and_rows(sandbox: PrestaShopSandbox, client: Any) -> None:
    order_id = sandbox.place_order([(1,), (4,)])
    order = client.get("orders", order_id)["order"]
    assert order["reference"] == sandbox.store.tables["orders"][order_id]["reference"]
    assert [one["product_id"] for one in order["associations"]["order_rows"]["order_row"]] == ["1", "4"]
    names = client.get("products", 1)["product"]["name"]["language"]
    assert [one["value"] for one in names] == ["Dawn desk lamp", "Lampe de bureau Aube"]


def test_it_searches_with_filters_sorting_and_dates(sandbox: PrestaShopSandbox, client: Any) -> None:
    first, second = (sandbox.place_order([(1,)], state=state) for state in (2, 10))
    assert client.search("orders") == [first, second]
    assert client.search("orders", options={"filter[current_state]": "[10]"}) == [second]
    options = {"filter[date_upd]": ">[2000-01-01 00:00:00]", "date": 1, "sort": "[id_DESC]", "limit": "0,50"}
    assert client.search("orders", options=options) == [second, first]
    assert client.search("orders", options={"filter[id]": "[777]"}) == []


def test_it_reads_lists_in_full_and_in_part(sandbox: PrestaShopSandbox, client: Any) -> None:
    found = client.get("customers", options={"display": "[id,email]", "filter[id]": "[1|2]", "sort": "[id_ASC]"})
    assert found["customers"]["customer"][1] == {"id": "2", "email": "owen@whitfield.example"}
    full = client.get("order_states", options={"display": "full", "filter[id]": "[4]"})
    assert full["order_states"]["order_state"]["shipped"] == "1"


def test_it_adds_edits_and_deletes(sandbox: PrestaShopSandbox, client: Any) -> None:
    address = {"id_customer": 1, "id_country": 8, "alias": "Work & Co", "lastname": "Roe", "firstname": "Ann"}
    place = {"address1": "1 rue <X>".replace("<X>", "Y"), "city": "Metz"}
    added = client.add("addresses", {"address": {**address, **place}})["prestashop"]["address"]
    stored = client.get("addresses", added["id"])["address"]
    assert (stored["alias"], stored["deleted"]) == ("Work & Co", "0")
    client.edit("addresses", {"address": {**stored, "city": "Nancy"}})
    assert client.get("addresses", added["id"])["address"]["city"] == "Nancy"
    client.delete("addresses", resource_ids=added["id"])
    with pytest.raises(prestapyt.PrestaShopWebServiceError):
        client.get("addresses", added["id"])


def test_it_deletes_many_at_once(sandbox: PrestaShopSandbox, client: Any) -> None:
    client.delete("customers", resource_ids=[3, 4])
    assert client.search("customers", options={"sort": "[id_ASC]"}) == [1, 2]


def test_it_edits_part_of_a_record_by_reading_it_first(sandbox: PrestaShopSandbox, client: Any) -> None:
    client.partial_edit("customers", 2, {"customer": {"note": "by prestapyt"}})
    customer = client.get("customers", 2)["customer"]
    assert (customer["note"], customer["lastname"]) == ("by prestapyt", "Whitfield")


def test_it_moves_an_order_through_its_history(sandbox: PrestaShopSandbox, client: Any) -> None:
    order_id = sandbox.place_order([(1,)])
    client.add("order_histories", {"order_history": {"id_order": order_id, "id_order_state": 4}})
    assert client.get("orders", order_id)["order"]["current_state"] == "4"


def test_it_reads_the_shops_errors(sandbox: PrestaShopSandbox, client: Any) -> None:
    with pytest.raises(prestapyt.PrestaShopWebServiceError) as refused:
        client.get("orders", options={"filter[nope]": "[1]"})
    assert int(refused.value.ps_error_code) == 32
    with pytest.raises(prestapyt.PrestaShopWebServiceError) as refused:
        client.add("customers", {"customer": {"firstname": "A", "lastname": "B", "passwd": "abcdefgh"}})
    assert int(refused.value.ps_error_code) == 41


@pytest.mark.parametrize("key", ["Z" * 32, DISABLED.key])
def test_it_recognises_a_refused_key(sandbox: PrestaShopSandbox, key: str) -> None:
    client = prestapyt.PrestaShopWebServiceDict(sandbox.address, key)
    with pytest.raises(prestapyt.PrestaShopAuthenticationError):
        client.get("orders")
    client.client.close()


def test_it_asks_for_headers_alone(sandbox: PrestaShopSandbox, client: Any) -> None:
    assert client.head("orders")["PSWS-Version"] == "8.2.1"


def test_a_key_without_the_right_is_told_so(sandbox: PrestaShopSandbox) -> None:
    client = prestapyt.PrestaShopWebServiceDict(sandbox.address, READ_ORDERS.key)
    assert client.search("orders") == []
    with pytest.raises(prestapyt.PrestaShopWebServiceError):
        client.delete("orders", resource_ids=1)
    client.client.close()
