"""The API: the same rows, rights and words as the console."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from hub.api import tokens
from hub.api.urls import router
from hub.models import ApiToken, AuditEntry, Connection, Message, Pair, UnmappedValue
from hub.pairing import poll
from hub.people import RIGHTS
from hub.tests.console import console, somebody

pytestmark = pytest.mark.django_db
OPERATOR, INTEGRATOR, APPROVER, MANAGER, AUDITOR, ADMINISTRATOR = ROLES = tuple(RIGHTS)
EVERYBODY, MENDS, LOOKS = set(ROLES), {OPERATOR, INTEGRATOR, ADMINISTRATOR}, {AUDITOR, ADMINISTRATOR}
EDITS = {OPERATOR, ADMINISTRATOR}
READS = {name: EVERYBODY for name, *_ in router.registry} | {"audit-entries": LOOKS}
ACTS = {
    "messages/": (MENDS, {"flow": "FLOW", "key": "1"}, 202),
    "messages/ID/send_again/": (MENDS, {}, 200),
    "messages/ID/skip/": (MENDS, {"reason": "By hand"}, 200),
    "problems/ID/note/": (EDITS, {"note": "Asked the shop"}, 200),
    "connections/ID/pause/": (MENDS, {"because": "Night"}, 200),
    "connections/ID/resume/": (MENDS, {}, 200),
    "connections/ID/test/": (MENDS, {}, 200),
    "lookup-tables/ID/entries/": (MENDS, {"theirs": "alma", "ours": "Alma"}, 201),
    "sync-jobs/": (
        MENDS,
        {"connection": "SHOP", "entity": "orders", "since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"},
        201,
    ),
    "batches/": (MENDS, {"action": "send again", "messages": ["MESSAGE"]}, 201),
    "batches/ID/cancel/": (MENDS, {}, 200),
}


class Caller:
    """A program with a token."""

    def __init__(self, role, pairs=None):
        self.user = somebody(role, f"{role}-{User.objects.count()}", pairs)
        self.token, plain = tokens.make("tests", self.user, role, None)
        self.client = Client(headers={"Authorization": f"Bearer {plain}"})

    def get(self, path, **query):
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path, data=None):
        return self.client.post(f"/api/v1/{path}", data or {}, content_type="application/json")


@pytest.fixture
def stopped(running):
    order = running.order([(10,)])
    message = running.receive(order)
    running.work()
    poll(running.pair)
    return running, Message.objects.get(pk=message.pk)


def filled(path, data, running, message, caller):
    """Path and body with the ids of today."""
    word = path.split("/")[0]
    batch = caller.post("batches/", {"action": "send again", "messages": [message.pk]}) if "cancel" in path else None
    ids = {
        "messages": message.pk,
        "problems": message.problem_id,
        "connections": running.erp.pk,
        "lookup-tables": running.pair.lookup_tables.get(name="payment_methods").pk,
        "batches": batch.json().get("id", 1) if batch else 1,
    }
    values = {"FLOW": running.flow.pk, "SHOP": running.shop.pk}
    data = {name: values.get(value, value) if isinstance(value, str) else value for name, value in data.items()}
    if "messages" in data:
        data["messages"] = [message.pk]
    return path.replace("ID", str(ids.get(word, 1))), data


def test_every_address_of_the_api_stands_in_these_tables():
    (inner,) = [one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/"]
    found = {str(one.pattern) for one in inner.url_patterns}
    for regular, plain in (("^", ""), ("$", ""), ("\\Z", ""), ("(?P<pk>[0-9]{1,18})", "ID")):
        found = {one.replace(regular, plain) for one in found}
    lists = {f"{one}/" for one in READS}
    ones = {f"{one}/ID/" for one in READS if one != "conservation"}
    assert found == lists | ones | ACTS.keys() | {"schema/", "docs/"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_it_may(stopped, role):
    caller = Caller(role)
    for name, allowed in READS.items():
        answer = caller.get(f"{name}/")
        assert answer.status_code == (200 if role in allowed else 403), name
        rows = answer.json() if name == "conservation" else answer.json().get("results", [])
        if role in allowed and rows and name != "conservation":
            assert caller.get(f"{name}/{rows[0]['id']}/").status_code == 200, name


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_what_it_may(stopped, role):
    running, message = stopped
    caller = Caller(role)
    for path, (allowed, data, status) in ACTS.items():
        Message.objects.filter(pk=message.pk).update(
            state="dead letter", outcome="", finished_at=None, problem=message.problem_id
        )
        address, body = filled(path, data, running, message, caller)
        answer = caller.post(address, body)
        expected = (status,) if role in allowed else (403, 404)
        assert answer.status_code in expected, (path, answer.content)


@pytest.mark.parametrize("path", sorted(ACTS))
def test_who_is_not_known_is_refused_in_the_one_shape(stopped, path):
    answer = Client().post(f"/api/v1/{path.replace('ID', '1')}", {}, content_type="application/json")
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"code", "message", "remedy"}
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_who_is_limited_to_another_pair_finds_nothing(stopped):
    running, message = stopped
    shop = Connection.objects.create(name="other-shop", label="Other", system="prestashop")
    other = Pair.objects.create(name="other", label="Other", source=shop, target=running.erp)
    caller = Caller(INTEGRATOR, [other])
    for name in READS.keys() - {"audit-entries", "conservation", "connections"}:
        ids = {one["id"] for one in caller.get(f"{name}/").json()["results"]}
        assert ids <= ({other.pk} if name == "pairs" else set()), name
    assert caller.get(f"messages/{message.pk}/").status_code == 404
    assert caller.post(f"messages/{message.pk}/send_again/").status_code == 404
    assert "flow" in caller.post("messages/", {"flow": running.flow.pk, "key": "1"}).json()["error"]["fields"]
    assert caller.get("conservation/").json() == []


def test_a_token_has_the_rights_of_its_role_alone(stopped):
    caller = Caller(ADMINISTRATOR)
    caller.user.groups.add(somebody(MANAGER, "mia").groups.first())
    _, plain = tokens.make("reads", User.objects.get(pk=caller.user.pk), MANAGER, None)
    client = Client(headers={"Authorization": f"Bearer {plain}"})
    assert client.get("/api/v1/messages/").status_code == 200
    assert client.get("/api/v1/audit-entries/").status_code == 403


@pytest.mark.parametrize("change", ["revoked", "expired", "switched off", "role gone", "wrong"])
def test_a_token_that_is_not_valid_is_refused(stopped, change):
    caller = Caller(MANAGER)
    assert caller.get("pairs/").status_code == 200
    if change == "revoked":
        ApiToken.objects.update(revoked_at=timezone.now())
    elif change == "expired":
        ApiToken.objects.update(expires_at=timezone.now())
    elif change == "switched off":
        User.objects.update(is_active=False)
    elif change == "role gone":
        caller.user.groups.clear()
    else:
        caller.client = Client(headers={"Authorization": "Bearer tb_nonsense"})
    answer = caller.get("pairs/")
    assert answer.status_code == 401
    assert "not valid" in answer.json()["error"]["message"]


def test_a_tokens_text_is_kept_nowhere(stopped):
    _, plain = tokens.make("x", somebody(MANAGER, "max"), MANAGER, None)
    row = ApiToken.objects.get(name="x")
    assert plain not in (row.digest, row.beginning)
    assert plain.startswith(row.beginning)


def test_pages_follow_the_key(stopped):
    running, _ = stopped
    for number in range(120):
        running.receive(5000 + number)
    caller = Caller(MANAGER)
    page, seen = caller.get("messages/", size=50).json(), []
    while True:
        seen += [one["id"] for one in page["results"]]
        if not page["next"]:
            break
        page = caller.client.get(page["next"]).json()
    assert seen == list(Message.objects.order_by("-pk").values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"stat": "waiting"}, "stat"),
        ({"size": "0"}, "size"),
        ({"size": "100000"}, "size"),
        ({"below": "x"}, "below"),
        ({"flow": "one"}, "flow"),
        ({"received_since": "yesterday"}, "received_since"),
    ],
)
def test_a_filter_that_is_none_is_refused_and_not_ignored(stopped, query, field):
    answer = Caller(MANAGER).get("messages/", **query)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_filters_narrow_down(stopped):
    _, message = stopped
    caller = Caller(MANAGER)
    query = {"state": "dead letter", "kind": "mapping", "reference": message.reference, "key": message.lane.key}
    (found,) = caller.get("messages/", **query).json()["results"]
    assert found["id"] == message.pk
    assert found["money"] == {"amount": f"{message.amount:f}", "currency": "EUR"}
    assert found["received_at"].endswith("Z")
    assert caller.get("messages/", received_since="2099-01-01T00:00:00Z").json()["results"] == []


def test_no_secret_and_no_personal_data_is_in_any_answer(stopped):
    running, message = stopped
    caller = Caller(ADMINISTRATOR)
    email = running.joined.shop.store.tables["customers"][
        int(running.joined.shop_order(message.lane.key)["id_customer"])
    ]
    secrets = [one.value for row in Connection.objects.all() for one in row.credentials.all()]
    for name in READS:
        text = caller.get(f"{name}/").content.decode()
        for hidden in (*secrets, email["email"], "quai de la Fosse", "Dvořák"):
            assert hidden not in text, name


def test_a_refusal_says_what_to_do(stopped):
    _, message = stopped
    caller = Caller(OPERATOR)
    assert caller.post(f"messages/{message.pk}/skip/", {"reason": "By hand"}).status_code == 200
    answer = caller.post(f"messages/{message.pk}/send_again/")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "NotStopped"
    assert caller.post(f"messages/{message.pk}/skip/").json()["error"]["fields"]["reason"]


def test_an_entry_over_the_api_releases_and_leaves_an_audit_entry(stopped):
    running, _ = stopped
    table = running.pair.lookup_tables.get(name="payment_methods")
    now = timezone.now()
    UnmappedValue.objects.create(table=table, code="alma", folded="alma", first_seen=now, last_seen=now)
    caller = Caller(OPERATOR)
    answer = caller.post(f"lookup-tables/{table.pk}/entries/", {"theirs": "alma", "ours": "Alma"})
    assert (answer.status_code, answer.json()) == (201, {"released": 0})
    assert caller.post(f"lookup-tables/{table.pk}/entries/", {"theirs": "ALMA", "ours": "x"}).status_code == 409
    assert AuditEntry.objects.filter(who=caller.user, what="added an entry").exists()


@pytest.mark.parametrize(
    "body", ["", "[]", "nonsense", '{"flow": {"x": 1}}', '{"flow": 1e400}', '{"key": "' + "x" * 300 + '"}']
)
def test_rubbish_is_answered_in_words(stopped, body):
    caller = Caller(OPERATOR)
    answer = caller.client.post("/api/v1/messages/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_who_asks_too_often_is_told_how_long_to_wait(stopped, settings):
    settings.API_CALLS_A_MINUTE = 3
    caller = Caller(MANAGER)
    answers = [caller.get("pairs/") for _ in range(8)]
    refused = [one for one in answers if one.status_code == 429]
    assert len(refused) >= 2  # a minute may end in between
    assert 0 < int(refused[-1].headers["Retry-After"]) <= 60
    assert "Retry-After" in refused[-1].json()["error"]["remedy"]
    assert Caller(MANAGER).get("pairs/").status_code == 200


def test_a_list_costs_no_statement_a_row(stopped, django_assert_max_num_queries):
    running, _ = stopped
    for number in range(60):
        running.receive(5000 + number)
    caller = Caller(MANAGER)
    caller.get("messages/")
    with django_assert_max_num_queries(10):
        caller.get("messages/")


def test_the_schema_is_valid_and_without_warnings():
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert "/api/v1/messages/{id}/send_again/" in out.getvalue()


def test_the_schema_is_for_those_who_are_known(client):
    assert client.get("/api/v1/schema/").status_code == 401
    assert console(MANAGER).get("/api/v1/schema/").status_code == 200


@pytest.mark.needs("chromium")
def test_the_docs_are_drawn_without_a_script_from_elsewhere(live_server, chromium):
    somebody(MANAGER)
    faults = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(f"{live_server.url}/admin/login/")
        page.fill("input[name=username]", MANAGER)
        page.fill("input[name=password]", "a long pass phrase")
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        page.goto(f"{live_server.url}/api/v1/docs/")
        page.wait_for_selector("text=Sends a message again", timeout=30_000)
    assert faults == []
