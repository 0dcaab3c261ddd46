"""The journal tells of every write when it began, when it was carried out and when its answer left."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from connectors.dynamics365.sandbox import sandbox as DynamicsSandbox
from connectors.dynamics365.tests.sandbox_support import ORDER_ID, Api, write_in
from connectors.prestashop.sandbox import sandbox as PrestaShopSandbox
from connectors.prestashop.sandbox.rights import FULL
from connectors.sandbox import Fault

ROOT = Path(__file__).resolve().parents[2]
UPSERT = "PATCH {address} HTTP/1.1\r\nContent-Type: application/json\r\nIf-None-Match: *\r\n\r\n{row}"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "journal.jsonl"


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def told(file: Path) -> list[tuple[object, ...]]:
    """Key, event and what was changed, in order; and proof that times never go back."""
    found = lines(file)
    times = [float(one["at"]) for one in found]
    assert times == sorted(times)
    return [(one["key"], one["event"], *([one["changed"]] if "changed" in one else [])) for one in found]


class Shop:
    def __init__(self, file: Path) -> None:
        self.sandbox = PrestaShopSandbox(journal=file)
        (self.first, *_) = self.sandbox.control("place", {"kinds": ["plain"]})["orders"]
        self.http = httpx.Client(
            transport=self.sandbox.transport(), base_url="http://sandbox.test/api/", auth=(FULL.key, "")
        )

    def send(self, method: str, path: str, inner: str) -> int:
        return self.http.request(method, path, content=f"<prestashop>{inner}</prestashop>".encode()).status_code

    def state(self, state: int) -> int:
        row = f"<id_order><![CDATA[{self.first}]]></id_order><id_order_state>{state}</id_order_state>"
        return self.send("POST", "order_histories", f"<order_history>{row}</order_history>")


@pytest.fixture
def shop(file):
    return Shop(file)


def test_a_write_begins_is_committed_and_ends_and_reads_leave_no_line(shop, file):
    assert shop.http.get(f"orders/{shop.first}").status_code == 200
    assert shop.state(3) == 201
    key = f"order_histories/{shop.first}"
    assert told(file) == [(key, "begin"), (key, "committed", True), (key, "end")]
    assert {(one["id"], one["method"]) for one in lines(file)} == {(1, "POST")}


def test_a_refused_write_is_committed_without_having_changed_anything(shop, file):
    assert shop.send("PATCH", "orders", f"<order><id>{shop.first}</id><gift>perhaps</gift></order>") == 400
    assert told(file)[1] == (f"orders/{shop.first}", "committed", False)


@pytest.mark.parametrize(("kind", "commits"), [("refused", []), ("lost", [True]), ("status", []), ("late", [True])])
def test_a_fault_before_the_commit_leaves_none_and_every_write_ends(shop, file, kind, commits):
    shop.sandbox.faults = [Fault(kind, method="POST", seconds=0)]
    try:
        shop.state(3)
    except httpx.RemoteProtocolError:
        assert kind in ("refused", "lost")
    found = told(file)
    assert [one[2] for one in found if one[1] == "committed"] == commits
    assert (found[0][1], found[-1][1]) == ("begin", "end")


def test_a_late_answer_ends_after_the_commit_of_a_write_that_came_later(shop, file, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr("connectors.sandbox.time.sleep", lambda seconds: go_on.wait(10))
    shop.sandbox.faults = [Fault("late", method="POST")]
    late = threading.Thread(target=shop.state, args=(3,))
    late.start()
    while len(told(file)) < 2:
        pass
    shop.state(4)
    go_on.set()
    late.join()
    assert [(one["id"], one["event"]) for one in lines(file)] == [
        (1, "begin"), (1, "committed"), (2, "begin"), (2, "committed"), (2, "end"), (1, "end"),
    ]  # fmt: skip


def test_a_write_that_breaks_in_the_middle_tells_that_it_changed_something(shop, file):
    shop.sandbox.break_after_state = 1
    assert shop.state(3) == 500
    assert told(file)[1][1:] == ("committed", True)


def test_a_journal_goes_on_behind_an_earlier_one(shop, file):
    shop.state(3)
    again = Shop(file)
    again.state(3)
    assert [one["id"] for one in lines(file)] == [1, 1, 1, 4, 4, 4]


@pytest.mark.parametrize(
    ("method", "path", "inner", "key"),
    [
        ("PUT", "orders/7", "<order/>", "orders/7"),
        ("PATCH", "customers", "<c><id> 12 </id></c>", "customers/12"),
        ("DELETE", "addresses?id=[3,4]", "", "addresses/3,4"),
        ("POST", "customers", "<customer><email>a@b.example</email></customer>", "customers"),
        ("POST", "order_histories&id_shop=1", "<h><id_order>9</id_order></h>", "order_histories/9"),
        ("POST", "orders?ps_method=PATCH", "<o><id>5</id></o>", "orders/5"),
        ("POST", "nothing", "\x00 <id_order", "nothing"),
    ],
)
def test_a_shops_write_goes_by_what_it_names(shop, file, method, path, inner, key):
    shop.send(method, path, inner)
    assert told(file)[0] == (key, "begin")


def test_a_reading_in_the_guise_of_a_post_leaves_no_line(shop, file):
    shop.send("POST", "orders?ps_method=GET", "")
    assert told(file) == []


@pytest.fixture
def api(file):
    sandbox = DynamicsSandbox(journal=file)
    return Api(sandbox)


def test_an_order_is_known_by_the_key_of_its_deep_insert(api, file):
    order = api.order([write_in()], salesorderid=ORDER_ID)
    before = len(lines(file))
    assert api.post("salesorders", order).status_code == 204
    key = f"salesorders/{ORDER_ID}"
    assert told(file)[before:] == [(key, "begin"), (key, "committed", True), (key, "end")]


def test_a_row_is_known_by_its_address_and_a_create_that_met_it_changed_nothing(api, file):
    key = str(UUID(int=7)).upper()
    for _ in range(2):
        api.patch(f"contacts({key})", {"lastname": "Byron"}, If_None_Match="*")
    assert [one for one in told(file) if one[1] == "committed"] == [
        (f"contacts/{key.lower()}", "committed", True),
        (f"contacts/{key.lower()}", "committed", False),
    ]


@pytest.mark.parametrize("address", ["/api/data/v9.2/contacts({key})", "contacts({key})"])
def test_a_batch_is_known_by_its_first_write_and_an_undone_one_changed_nothing(api, file, address):
    key, kept = str(UUID(int=7)), api.contact()
    before = len(lines(file))
    rows = [(address.format(key=key), '{"lastname": "B"}'), (f"/api/data/v9.2/contacts({kept})", '{"lastname": "C"}')]
    parts = [
        f"--c\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
        f"{UPSERT.format(address=one, row=row)}\r\n"
        for number, (one, row) in enumerate(rows)
    ]
    content = f'--b\r\nContent-Type: multipart/mixed; boundary="c"\r\n\r\n{"".join(parts)}--c--\r\n--b--\r\n'
    headers = {"Content-Type": 'multipart/mixed; boundary="b"'}
    answer = api.client.post("/api/data/v9.2/$batch", content=content.encode(), headers=headers)
    assert answer.status_code == 400
    assert told(file)[before:][1] == (f"contacts/{key}", "committed", False)


@pytest.mark.parametrize(
    ("method", "path", "content", "key"),
    [
        ("POST", "contacts", '{"lastname": "B"}', "contacts"),
        ("POST", "contacts", "[[[", "contacts"),
        ("POST", "contacts", '{"contactid": 5}', "contacts"),
        ("DELETE", "contacts(x%27)", "", "contacts/x'"),
        ("POST", "salesorders(A)/Microsoft.Dynamics.CRM.Close", "{}", "salesorders/a"),
        ("POST", "FulfillSalesOrder", "", "FulfillSalesOrder"),
    ],
)
def test_an_erps_write_goes_by_what_it_names(api, file, method, path, content, key):
    api.client.request(method, f"/api/data/v9.2/{path}", content=content)
    assert told(file)[0] == (key, "begin")


def test_signing_in_and_reading_leave_no_line(api, file):
    api.rows("contacts")
    api.client.post("/api/data/v9.2/$batch", content=b"--b--")
    assert told(file) == []


def test_a_sandbox_on_a_port_keeps_a_journal_where_it_is_told_to(tmp_path):
    file = tmp_path / "new" / "journal.jsonl"
    command = [sys.executable, "-u", "manage.py", "sandbox", "prestashop", "--journal", str(file)]
    environment = {**os.environ, "DEBUG": "true"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = next(re.search(r"http://\S+", line)[0] for line in process.stdout if "address" in line)
            httpx.request("DELETE", f"{address}/api/orders/1", auth=(FULL.key, ""))
            assert [one[1] for one in told(file)] == ["begin", "committed", "end"]
        finally:
            process.send_signal(signal.SIGTERM)
