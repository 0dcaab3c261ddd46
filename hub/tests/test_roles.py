"""Every page of the console with every role: what each may see and do, and for which pairs."""

import re
from contextlib import contextmanager

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse

from hub import audit, batches
from hub.api import tokens
from hub.connecting import close_all
from hub.models import (
    AuditEntry,
    Connection,
    CrossReference,
    LookupTable,
    Message,
    Pair,
    Person,
    Problem,
    Run,
    SyncJob,
    UnmappedValue,
)
from hub.pairing import poll
from hub.people import RIGHTS
from hub.published import forget
from hub.publishing import start_draft
from hub.tests.console import console, somebody

pytestmark = pytest.mark.django_db
OPERATOR, INTEGRATOR, APPROVER, MANAGER, AUDITOR, ADMINISTRATOR = ROLES = tuple(RIGHTS)
EVERYBODY = set(ROLES)
MENDS = {OPERATOR, INTEGRATOR, ADMINISTRATOR}
EDITS = {OPERATOR, ADMINISTRATOR}
BUILDS = {INTEGRATOR, ADMINISTRATOR}
LOOKS = {AUDITOR, ADMINISTRATOR}
RULES = {ADMINISTRATOR}
NOBODY: set[str] = set()

# Who may look at the pages of a model: its list and one of its rows.
VIEWS = {
    "message": EVERYBODY,
    "deadletter": EVERYBODY,
    "problem": EVERYBODY,
    "unmappedvalue": EVERYBODY,
    "batch": EVERYBODY,
    "crossreference": EVERYBODY,
    "syncjob": EVERYBODY,
    "run": EVERYBODY,
    "connection": EVERYBODY,
    "pair": EVERYBODY,
    "flow": EVERYBODY,
    "mapping": EVERYBODY,
    "lookuptable": EVERYBODY,
    "person": LOOKS,
    "apitoken": LOOKS,
    "auditentry": LOOKS,
}
# Pages of their own, opened by looking.
OPENS = {
    "hub_connection_set_up": EVERYBODY,
    "hub_connection_add": BUILDS,
    "hub_connection_delete": NOBODY,  # one that is in use; see test_connection_page
    "hub_lookuptable_versions": EVERYBODY,
    "hub_mapping_edit": BUILDS,
    "hub_mapping_versions": EVERYBODY,
    "hub_mapping_preview": EVERYBODY,
    "hub_message_many": MENDS,
    "hub_deadletter_many": MENDS,
    "hub_message_edit": EDITS,
    "hub_deadletter_edit": EDITS,
    "hub_batch_progress": EVERYBODY,
    "hub_pair_join": BUILDS,
    "hub_person_new": RULES,
    "hub_apitoken_new": RULES,
    "hub_syncjob_progress": EVERYBODY,
    "hub_syncjob_backfill": MENDS,
}
# What is done by a POST, with what is sent.
ACTS = {
    "hub_message_send_again": (MENDS, {}),
    "hub_message_skip": (MENDS, {"reason": "tried out"}),
    "hub_message_in_clear": (EDITS, {}),
    "hub_message_add_entry": (MENDS, {"value": "VALUE", "ours": "Alma"}),
    "hub_deadletter_send_again": (MENDS, {}),
    "hub_deadletter_skip": (MENDS, {"reason": "tried out"}),
    "hub_deadletter_in_clear": (EDITS, {}),
    "hub_deadletter_add_entry": (MENDS, {"value": "VALUE", "ours": "Alma"}),
    "hub_unmappedvalue_add_entry": (MENDS, {"ours": "Alma"}),
    "hub_batch_cancel": (MENDS, {}),
    "hub_connection_test": (MENDS, {}),
    "hub_connection_probe": (MENDS, {}),
    "hub_connection_pause": (MENDS, {"because": "tried out"}),
    "hub_connection_resume": (MENDS, {}),
    "hub_connection_webhook-secret": (BUILDS, {"name": "webhook token"}),
    "hub_connection_faults": (MENDS, {"fault": ""}),
    "hub_flow_switch": (BUILDS, {"on": "no"}),
    "hub_flow_settings": (BUILDS, {"setting-order_prefix": "X-"}),
    "hub_flow_steps": (BUILDS, {}),
    "hub_flow_restore": (BUILDS, {"version": "1"}),
    "hub_lookuptable_restore": (MENDS, {"version": "1"}),
    "hub_mapping_start": (BUILDS, {}),
    "hub_mapping_publish": (BUILDS, {"note": "tried out"}),
    "hub_mapping_restore": (BUILDS, {"version": "1"}),
    "hub_mapping_discard": (BUILDS, {}),
    "hub_person_unlock": (RULES, {}),
    "hub_person_reset-second-factor": (RULES, {}),
    "hub_apitoken_revoke": (RULES, {}),
    "hub_syncjob_switch": (BUILDS, {}),
    "hub_syncjob_run-now": (BUILDS, {}),
}
# Forms that are the page of the row itself.
SAVES = {
    "problem": EDITS,
    "lookuptable": MENDS,
    "connection": BUILDS,
    "pair": BUILDS,
    "person": RULES,
}
WITHOUT_RIGHTS = {
    "index",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "autocomplete",
    "jsi18n",
    "view_on_site",
    "search",
    "second_factor",
    "second_factor_verify",
    "app_list",
    None,
}


@pytest.fixture
def rows(running):
    """One row of every model, all of one pair: {model: row}."""
    shop = running.joined.shop
    rule = running.pair.mappings.get(name="order").current.rules.get(to="payment", kind="value")
    rule.transform = [{"name": "lookup", "table": "payment_methods"}]
    rule.save()
    order = running.order()
    shop.store.tables["orders"][order]["module"] = "alma"
    message = running.receive(order)
    running.work()
    poll(running.pair)
    job = SyncJob.objects.first()
    owner = somebody(ADMINISTRATOR, "ada")
    token, _ = tokens.make("tests", owner, ADMINISTRATOR, None)
    batch = batches.start("send again", [message.pk], "Two", None, running.pair)
    audit.note(None, "tried", "Something", pair=running.pair)
    mapping = running.pair.mappings.get(name="order")
    start_draft(mapping, None)
    message.refresh_from_db()
    assert message.state == Message.State.DEAD_LETTER
    return {
        "message": message,
        "deadletter": message,
        "problem": Problem.objects.get(),
        "unmappedvalue": UnmappedValue.objects.get(),
        "batch": batch,
        "crossreference": CrossReference.objects.first(),
        "syncjob": job,
        "run": Run.objects.create(job=job),
        "connection": running.shop,
        "pair": running.pair,
        "flow": running.flow,
        "mapping": mapping,
        "lookuptable": LookupTable.objects.get(name="payment_methods"),
        "person": owner.person,
        "apitoken": token,
        "auditentry": AuditEntry.objects.filter(pair=running.pair).first(),
    }


def address(name, rows):
    model = name.split("_")[1]
    arguments = (
        [] if name.endswith(("_many", "_new", "_join", "_backfill", "_add", "_changelist")) else [rows[model].pk]
    )
    return reverse(f"admin:{name}", args=arguments)


def names():
    """Every page of the console that is ours."""
    resolver = get_resolver()
    (inner,) = [one for one in resolver.url_patterns if str(one.pattern) == "admin/"]
    return {one.name for one in inner.url_patterns for one in getattr(one, "url_patterns", [one])}


def test_every_page_of_the_console_stands_in_these_tables():
    standard = {
        f"hub_{model}_{page}" for model in VIEWS for page in ("changelist", "add", "history", "delete", "change")
    }
    assert names() - WITHOUT_RIGHTS - standard == OPENS.keys() - standard | ACTS.keys()
    assert {one._meta.model_name for one in admin.site._registry} == VIEWS.keys()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_it_may_and_nothing_else(rows, role):
    client = console(role)
    for model, allowed in VIEWS.items():
        for page in ("changelist", "change"):
            found = client.get(address(f"hub_{model}_{page}", rows))
            expected = (200, 302) if role in allowed else (403, 404)
            assert found.status_code in expected, (model, page)
    for name, allowed in OPENS.items():
        found = client.get(address(name, rows))
        assert found.status_code in ((200, 302) if role in allowed else (403, 404)), name


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_what_it_may_and_nothing_else(rows, role):
    client = console(role)
    for name, (allowed, given) in ACTS.items():
        data = {key: rows["unmappedvalue"].pk if value == "VALUE" else value for key, value in given.items()}
        before = AuditEntry.objects.count()
        with undone():
            assert client.get(address(name, rows)).status_code == 405, name
            found = client.post(address(name, rows), data)
            assert found.status_code in ((200, 302) if role in allowed else (403, 404)), name
            if role not in allowed:
                assert AuditEntry.objects.count() == before, name


@contextmanager
def undone():
    """What is done inside is as if it had not been."""
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)
    forget()
    close_all()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_saves_what_it_may_and_nothing_else(rows, role):
    client = console(role)
    for model in VIEWS:
        found = client.post(address(f"hub_{model}_change", rows), {})
        if role in SAVES.get(model, NOBODY):
            assert found.status_code in (200, 302), model
        elif model in SAVES:
            assert found.status_code in (403, 404), model


@pytest.mark.parametrize("role", ROLES)
def test_nobody_deletes_or_adds_where_there_is_no_page_for_it(rows, role):
    client = console(role)
    for model in VIEWS:
        assert client.get(address(f"hub_{model}_delete", rows)).status_code in (403, 404), model
        assert client.get(address(f"hub_{model}_history", rows)).status_code == 404, model
        if model != "connection":
            assert client.get(address(f"hub_{model}_add", rows)).status_code == 403, model


def test_who_is_not_signed_in_is_led_to_the_sign_in(rows):
    client = Client()
    for name in sorted(OPENS.keys() | ACTS.keys() | {f"hub_{model}_changelist" for model in VIEWS}):
        found = client.post(address(name, rows), {}) if name in ACTS else client.get(address(name, rows))
        assert found.status_code == 302, name
        assert "/admin/login/" in found.url, name
    assert AuditEntry.objects.filter(who=None, what="sent again").count() == 0


def test_who_has_no_role_sees_nothing(rows):
    user = User.objects.create_user("nemo", password="a long pass phrase", is_staff=True)
    Person.objects.create(user=user, every_pair=True)
    client = Client()
    client.force_login(user, backend="hub.people.RoleBackend")
    assert "You have no role yet" in client.get("/admin/").content.decode()
    for model in VIEWS:
        assert client.get(address(f"hub_{model}_changelist", rows)).status_code == 403, model


def of_another_pair(role):
    shop = Connection.objects.create(name="other-shop", label="Other shop", system="prestashop")
    erp = Connection.objects.create(name="other-erp", label="Other ERP", system="dynamics365")
    other = Pair.objects.create(name="other", label="Other pair", source=shop, target=erp)
    return console(role, pairs=[other])


BY_PAIR = sorted(VIEWS.keys() - {"person", "apitoken"})


@pytest.mark.parametrize("role", sorted(EVERYBODY - RULES))
def test_who_is_limited_to_another_pair_finds_nothing_of_this_one(rows, role):
    client = of_another_pair(role)
    for model in BY_PAIR:
        if role not in VIEWS[model]:
            continue
        assert client.get(address(f"hub_{model}_change", rows)).status_code == 404, model
        page = client.get(address(f"hub_{model}_changelist", rows)).content.decode()
        assert not re.search(rf'href="[^"]*\b{rows[model].pk}/change/"', page), model
    for name, (allowed, data) in ACTS.items():
        if name.split("_")[1] in BY_PAIR and role in allowed:
            assert client.post(address(name, rows), data).status_code == 404, name
    for name, allowed in OPENS.items():
        if role in allowed and name.split("_")[1] in BY_PAIR and not name.endswith(("_many", "_backfill")):
            assert client.get(address(name, rows)).status_code in (403, 404), name


def test_a_limited_persons_front_page_counts_only_their_pairs(rows):
    page = of_another_pair(MANAGER).get("/admin/")
    assert page.context["conservation"]["received"] == 0
    assert page.context["day"]["stopped"]["count"] == 0
    assert [one.connection.name for one in page.context["connections"]] == ["other-erp", "other-shop"]
    assert page.context["problems"]["count"] == 0


def test_an_approver_decides_about_held_messages_alone(rows):
    message = rows["message"]
    Message.objects.filter(pk=message.pk).update(state=Message.State.HELD, kind="totals", reason="They differ.")
    assert console(APPROVER).post(f"/admin/hub/message/{message.pk}/send-again/").status_code == 302
    message.refresh_from_db()
    assert message.state == Message.State.WAITING


def test_an_administrator_is_limited_by_no_pair(rows):
    client = console(ADMINISTRATOR, pairs=[])
    assert client.get(address("hub_message_change", rows)).status_code == 200


def test_somebody_who_is_switched_off_is_out_at_once(rows):
    client = console(OPERATOR)
    User.objects.filter(username=OPERATOR).update(is_active=False)
    assert client.get("/admin/hub/message/").status_code == 302
