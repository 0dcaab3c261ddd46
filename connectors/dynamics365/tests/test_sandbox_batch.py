"""Several operations in one request: order, change sets, references, failures."""

import json
import re

import httpx
import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import ORDER_ID, ROOT, Api, write_in

TYPE = 'multipart/mixed; boundary="batch_1"'


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


def operation(method, path, body=None, number=None, **headers):
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {number}"] if number is not None else []
    lines += ["", f"{method} {path} HTTP/1.1", "Content-Type: application/json; type=entry"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", json.dumps(body) if body is not None else "", ""])


def change_set(*operations):
    inner = "".join(f"--changeset_1\r\n{one}" for one in operations)
    return f'Content-Type: multipart/mixed; boundary="changeset_1"\r\n\r\n{inner}--changeset_1--\r\n\r\n'


def send(api, *parts, content=None, **headers):
    content = content or "".join(f"--batch_1\r\n{one}" for one in parts) + "--batch_1--\r\n"
    names = {"Content-Type": TYPE} | {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.post(f"{ROOT}$batch", content=content, headers=names)


def statuses(answer):
    assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=batchresponse_")
    return [int(one) for one in re.findall(r"HTTP/1\.1 (\d+) ", answer.text)]


def test_operations_are_answered_one_by_one(api):
    answer = send(
        api,
        operation("POST", f"{ROOT}contacts", {"lastname": "A"}),
        operation("POST", f"{api.sandbox.address}{ROOT}contacts", {"lastname": "B"}, Prefer="return=representation"),
        operation("GET", "contacts?$select=lastname&$orderby=lastname%20desc"),
    )
    assert answer.status_code == 200
    assert statuses(answer) == [204, 201, 200]
    listed = json.loads(re.findall(r"\r\n\r\n(\{.*\})", answer.text)[-1])
    assert [one["lastname"] for one in listed["value"]] == ["B", "A"]


def test_a_change_set_echoes_its_content_ids_and_addresses(api):
    answer = send(
        api,
        change_set(
            operation("POST", "contacts", {"lastname": "A"}, 1),
            operation("PATCH", "$1", {"jobtitle": "Countess"}, 2, If_Match="*"),
            operation("PUT", "$1/firstname", {"value": "Ada"}, 3),
        ),
    )
    assert statuses(answer) == [204, 204, 204]
    assert "boundary=changesetresponse_" in answer.text
    assert re.findall(r"(?i)content-id: (\d)", answer.text) == ["1", "2", "3"]
    [row] = api.rows("contacts")
    assert (row["firstname"], row["jobtitle"]) == ("Ada", "Countess")
    assert f"OData-EntityId: {api.sandbox.address}{ROOT}contacts({row['contactid']})" in answer.text


def test_a_bind_may_name_what_the_change_set_made_before(api):
    order = api.order() | {"customerid_contact@odata.bind": "$1"}
    line = write_in() | {"salesorderid@odata.bind": "$2"}
    answer = send(
        api,
        change_set(
            operation("POST", "contacts", {"lastname": "New"}, 1),
            operation("PATCH", f"salesorders({ORDER_ID})", order, 2, If_None_Match="*"),
            operation("POST", "salesorderdetails", line, 3),
        ),
    )
    assert statuses(answer) == [204, 204, 204]
    found = api.one(f"salesorders({ORDER_ID})?$expand=customerid_contact,order_details")
    assert (found["customerid_contact"]["lastname"], found["totalamount"]) == ("New", 4)


def test_a_change_set_that_fails_leaves_nothing_and_has_one_answer(api):
    answer = send(
        api,
        change_set(
            operation("POST", "contacts", {"lastname": "A"}, 1), operation("POST", "contacts", {"nickname": "x"}, 2)
        ),
        operation("POST", "contacts", {"lastname": "never run"}),
    )
    assert answer.status_code == 400
    assert statuses(answer) == [400]
    assert "0x80048d19" in answer.text
    assert api.rows("contacts") == []


def test_the_rest_is_run_only_where_that_was_asked_for(api):
    parts = [operation("GET", "contacts(00000000-0000-0000-0000-000000000001)"), operation("GET", "contacts")]
    stopped = send(api, *parts)
    assert (stopped.status_code, statuses(stopped)) == (400, [404])
    whole = send(api, *parts, Prefer="odata.continue-on-error")
    assert (whole.status_code, statuses(whole)) == (200, [404, 200])


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ([operation("PATCH", "$7", {"jobtitle": "x"}, 1)], "Content-ID Reference: '$7' does not exist"),
        ([operation("POST", "contacts", {"lastname": "A"})], "Content-ID"),
        ([operation("GET", "contacts", number=1)], "GET"),
    ],
)
def test_a_change_set_holds_only_writes_with_ids_that_were_declared(api, operations, message):
    answer = send(api, change_set(*operations))
    assert answer.status_code == 400
    assert message in answer.text
    assert api.rows("contacts") == []


@pytest.mark.parametrize(
    ("content", "type"),
    [
        (b"", TYPE),
        (b"rubbish", TYPE),
        (f"--batch_1\n{operation('GET', 'contacts')}--batch_1--\n".replace("\r\n", "\n").encode(), TYPE),
        (f"--batch_1\r\n{operation('GET', 'contacts')}".encode(), TYPE),
        (b"--batch_1\r\nno colon\r\n\r\nGET contacts HTTP/1.1\r\n--batch_1--", TYPE),
        (b"--batch_1\r\nContent-Type: application/http\r\n\r\n\xff\xfe\r\n--batch_1--", TYPE),
        (b'--batch_1\r\nContent-Type: multipart/mixed; boundary="c"\r\n\r\nx\r\n--batch_1--', TYPE),
        (f"--batch_1\r\n{operation('GET', 'contacts')}--batch_1--\r\n".encode(), "application/json"),
        (f"--batch_1\r\n{operation('POST', '$batch')}--batch_1--\r\n".encode(), TYPE),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_whole(api, content, type):
    answer = send(api, content=content or b" ", Content_Type=type)
    assert answer.status_code in (400, 501)


def test_a_malformed_batch_is_answered_in_json(api):
    answer = send(api, content=b"--other--")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["error"]["code"] == "0x80060888"


def test_at_most_a_thousand_operations_fit(api):
    assert send(api, *[operation("GET", "WhoAmI")] * 1001).status_code == 400


def test_the_outer_request_needs_the_token(api):
    with httpx.Client(transport=api.sandbox.transport(), base_url=api.sandbox.address) as client:
        answer = client.post(f"{ROOT}$batch", content="x", headers={"Content-Type": TYPE})
    assert answer.status_code == 401


# Operations on many records


def test_many_are_made_changed_and_upserted_at_once(api):
    kind = "Microsoft.Dynamics.CRM.contact"
    action = "contacts/Microsoft.Dynamics.CRM."
    targets = [{"@odata.type": kind, "lastname": name} for name in "AB"]
    ids = api.post(f"{action}CreateMultiple", {"Targets": targets}).json()["Ids"]
    changes = [{"@odata.type": kind, "contactid": id, "jobtitle": "x"} for id in ids]
    assert api.post(f"{action}UpdateMultiple", {"Targets": changes}).status_code == 204
    assert {row["jobtitle"] for row in api.rows("contacts")} == {"x"}
    upserts = [
        {"@odata.type": kind, "@odata.id": f"contacts({ids[0]})", "jobtitle": "y"},
        {"@odata.type": kind, "@odata.id": f"contacts({ORDER_ID})", "lastname": "C"},
    ]
    results = api.post(f"{action}UpsertMultiple", {"Targets": upserts}).json()["Results"]
    assert [one["RecordCreated"] for one in results] == [False, True]
    assert api.one(f"contacts({ids[0]})")["jobtitle"] == "y"


@pytest.mark.parametrize(
    "body", [{}, {"Targets": []}, {"Targets": [5]}, {"Targets": [{"lastname": "no type"}]}, {"Targets": "x"}]
)
def test_many_with_one_that_is_wrong_make_none(api, body):
    good = {"@odata.type": "Microsoft.Dynamics.CRM.contact", "lastname": "A"}
    if body.get("Targets") and isinstance(body["Targets"], list):
        body = {"Targets": [good, *body["Targets"]]}
    assert api.post("contacts/Microsoft.Dynamics.CRM.CreateMultiple", body).status_code == 400
    assert api.rows("contacts") == []
