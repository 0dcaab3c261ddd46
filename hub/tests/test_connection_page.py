"""Connections in the console: how they are, how one is set up; and no secret comes out of any page."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.prestashop.sandbox import rights
from connectors.sandbox import Fault
from hub import connecting
from hub.admin.markdown import as_html
from hub.models import AuditEntry, Connection, Credential, Pair, Quota
from hub.tests.connections import LIST, NEW_KEY, filled, page_of, pressed
from hub.tests.console import console, text_of
from hub.tests.test_secrets_stay_secret import everything_logged, leaks

pytestmark = pytest.mark.django_db


# ---- the list, and health in words ----


def test_the_list_says_how_each_connection_is_and_how_many_messages_are_open(running):
    running.receive(running.order())
    page = console("manager").get(LIST)
    said = text_of(page)
    assert "prestashop PrestaShop Well 1 closed 8 at once never tested" in said
    assert "6000 calls in 300 s, 52 at once" in said
    assert f"/admin/hub/message/?state=open&amp;pair={running.pair.pk}" in page.content.decode()


def test_health_says_why_since_when_and_until_when(running):
    client = console("manager")
    connecting.connector_of(running.erp)
    until = timezone.now() + timedelta(seconds=90)
    quota = Quota.objects.filter(connections=running.erp)
    quota.update(blocked_until=until, because="Dynamics 365 asks for a pause (HTTP 429).")
    told = f"Asked again at {timezone.localtime(until):%H:%M:%S}."
    assert f"Limited Dynamics 365 asks for a pause (HTTP 429). {told}" in text_of(client.get(LIST))
    opened = timezone.now() - timedelta(minutes=5)
    quota.update(breaker="open", opened_at=opened, because="Dynamics 365 failed 5 times in a row.")
    said = text_of(client.get(LIST))
    assert f"Away Dynamics 365 failed 5 times in a row. {told}" in said
    assert f"open since {timezone.localtime(opened):%H:%M:%S}" in said
    Connection.objects.filter(pk=running.erp.pk).update(paused=True, paused_because="They move their servers.")
    assert "Paused They move their servers." in text_of(client.get(LIST))


def test_the_page_says_what_is_left_of_the_pace(running):
    running.receive(running.order())
    running.work()
    assert re.search(r"\(1\d\d\d of 1200 calls may leave now, \d+ of 52 at once taken\)", text_of(
        console("manager").get(page_of(running.erp))
    ))  # fmt: skip


# ---- the form ----


def test_one_is_added_by_choosing_the_system_first_and_tested_at_once(running):
    client = console("integrator")
    assert re.search(r"Dynamics 365 \d+ kinds of record PrestaShop \d+ kinds", text_of(client.get(f"{LIST}add/")))
    page = client.get(f"{LIST}add/?system=prestashop")
    said, body = text_of(page), page.content.decode()
    for words in ("Shop address required", "32 characters, from Advanced Parameters > Webservice.", "Shop id Only"):
        assert words in said
    assert re.search(r'<select[^>]*name="setting-key_in_url"[^>]*><option selected>no</option><option >yes', body)
    assert re.search(r'type="password" id="setting-key"', body)
    connecting.transports["second"] = running.joined.shop.transport
    told = running.joined.shop.connection()
    data = {"system": "prestashop", "name": "second", "label": "Second shop", "poll_seconds": "30"}
    data |= {f"setting-{name}": value for name, value in told.items()}
    said = text_of(client.post(f"{LIST}add/?system=prestashop", data, follow=True))
    assert "Second shop is added. Connected to" in said
    row = Connection.objects.get(name="second")
    assert (row.system, row.poll_seconds, row.test_passed) == ("prestashop", 30, True)
    assert row.answers()["key"] == told["key"]
    assert "key" not in row.settings
    entry = AuditEntry.objects.get(what="added")
    assert (entry.who.username, entry.after["name"], entry.after["key"]) == ("integrator", "second", "(a new secret)")


@pytest.mark.parametrize("system", ["no_such", "../prestashop", ""])
def test_a_system_that_is_not_there_leads_to_the_choice(running, system):
    page = console("integrator").post(f"{LIST}add/", {"system": system, "name": "x"})
    assert "Which system does it lead to?" in text_of(page)
    assert Connection.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "with blanks"}, "Letters, digits, hyphens and underscores only."),
        ({"name": "x" * 51}, "50 characters at most."),
        ({"name": "dynamics365"}, "There is a connection 'dynamics365' already."),
        ({"label": "  "}, "Give it a label of 200 characters at most."),
        ({"label": "Shop\0"}, "It holds a character that cannot be seen"),
        ({"poll_seconds": "4"}, "A whole number from 5 on."),
        ({"poll_seconds": "٦٠"}, "A whole number from 5 on."),
        ({"setting_address": ""}, "Shop address is missing."),
        ({"setting_address": "https://anna:hush-hush@shop.example"}, "This address holds a password or a key"),
        ({"setting_address": f"https://shop.example/?ws_key={NEW_KEY}"}, "This address holds a password or a key"),
        ({"setting_key_in_url": "maybe"}, "Send the key in the address must be one of no, yes."),
        ({"setting_page_size": "all"}, "Records a page must be"),
        ({"setting_id_shop": "first"}, "Shop id must be"),
        ({"setting_calls_at_once": "many"}, "Calls at once must be a whole number from 0 to 999999."),
        ({"setting_address": "x" * 2001}, "2000 characters at most."),
        ({"setting_key": f"{NEW_KEY[:-1]}\x07"}, "It holds a character that cannot be seen"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(running, changes, said):
    before = (running.shop.settings, running.shop.answers())
    page = console("integrator").post(page_of(running.shop), filled(running.shop, **changes))
    (name,) = changes
    beside = rf'id="{name.replace("setting_", "setting-")}-wrong">([^<]*)<'
    found = re.search(beside, page.content.decode())
    assert found, text_of(page)
    assert said in found[1].replace("&#x27;", "'")
    row = Connection.objects.get(pk=running.shop.pk)
    assert (row.settings, row.answers()) == before
    assert not AuditEntry.objects.exists()


def test_every_wrong_setting_is_told_at_once(running):
    changes = {"setting_api_version": "9", "setting_page_size": "0", "setting_tenant": "us"}
    page = console("integrator").post(page_of(running.erp), filled(running.erp, **changes))
    wrong = re.findall(r'id="(setting-\w+)-wrong"', page.content.decode())
    assert wrong == ["setting-tenant", "setting-api_version", "setting-page_size"]
    assert "Nothing was saved. Look at: Tenant, Web API version, Rows per page." in text_of(page)


def test_its_system_stays_what_it_was(running):
    sent = filled(running.shop, label="Renamed") | {"system": "dynamics365", "setting-tenant": "contoso.com"}
    console("integrator").post(f"{page_of(running.shop)}?system=dynamics365", sent)
    row = Connection.objects.get(pk=running.shop.pk)
    assert (row.system, row.label) == ("prestashop", "Renamed")
    assert "tenant" not in row.settings


def test_a_new_name_is_said_to_change_the_webhooks_address(running):
    connecting.transports["nantes"] = running.joined.shop.transport
    said = text_of(console("integrator").post(page_of(running.shop), filled(running.shop, name="nantes"), follow=True))
    assert "Its webhooks come to another address now (see below): tell the sender." in said
    assert "/api/webhooks/nantes/" in said


def test_nothing_changed_is_said_and_leaves_no_entry(running):
    said = text_of(console("integrator").post(page_of(running.shop), filled(running.shop), follow=True))
    assert "Nothing was changed." in said
    assert not AuditEntry.objects.exists()


def test_of_two_who_edit_it_the_later_one_is_told_and_overwrites_nothing(running):
    client = console("integrator")
    opened = re.search(r'name="stands" value="(\w+)"', client.get(page_of(running.shop)).content.decode())[1]
    client.post(page_of(running.shop), filled(running.shop, setting_page_size="20") | {"stands": opened})
    late = filled(running.shop, label="Late") | {"stands": opened}
    for _ in range(2):  # pressing again does not force it
        page = client.post(page_of(running.shop), late)
        assert "Somebody has changed this connection since you opened it." in text_of(page)
        late["stands"] = re.search(r'name="stands" value="(\w+)"', page.content.decode())[1]
    row = Connection.objects.get(pk=running.shop.pk)
    assert (row.label, row.settings["page_size"]) == ("prestashop", "20")


def test_an_audit_entry_names_what_changed_before_and_after(running):
    client = console("integrator")
    client.post(page_of(running.shop), filled(running.shop, setting_page_size="20", label="Shop", setting_key=NEW_KEY))
    entry = AuditEntry.objects.get(what="changed")
    assert entry.before == {"label": "prestashop", "page_size": None}
    assert entry.after == {"label": "Shop", "page_size": "20", "key": "(a new secret)"}
    assert (entry.pair, entry.record) == (running.pair, f"Connection {running.shop.pk}: Shop")
    said = text_of(client.get(page_of(running.shop)))
    for words in ("integrator changed: ", "label Shop", "page_size 20", "key (a new secret)"):
        assert words in said


# ---- secrets ----


def test_a_secret_goes_in_and_never_comes_out(running):
    client = console("integrator")
    page = client.get(page_of(running.shop)).content.decode()
    assert "leave empty to keep it" in page
    assert rights.FULL.key not in page
    client.post(page_of(running.shop), filled(running.shop, label="Kept"))
    assert Connection.objects.get(pk=running.shop.pk).answers()["key"] == rights.FULL.key
    client.post(page_of(running.shop), filled(running.shop, setting_key=NEW_KEY))
    old, new = Credential.objects.filter(connection=running.shop, name="key").order_by("pk")
    assert (old.value, new.value) == (rights.FULL.key, NEW_KEY)
    assert old.retired_at
    assert not new.retired_at
    assert running.shop.answers()["key"] == NEW_KEY


def test_no_secret_is_in_any_page_audit_entry_or_log(running):
    client = console("administrator")
    pages, secrets = [], {"old key": rights.FULL.key, "new key": NEW_KEY}
    with everything_logged() as log:
        for changes in ({"setting_key": NEW_KEY}, {"setting_key": NEW_KEY, "setting_page_size": "rubbish"}, {}):
            pages.append(client.post(page_of(running.shop), filled(running.shop, **changes), follow=True))
        for kind in ("expired", "html", "malformed", "refused", "maintenance"):
            running.joined.shop.faults = [Fault(kind, times=-1)]
            pages.append(client.post(f"{LIST}{running.shop.pk}/test/", follow=True))
        running.joined.shop.faults = []
        for row in (running.shop, running.erp):
            pages += [client.get(page_of(row)), client.get(f"{LIST}{row.pk}/set-up/"), client.get(f"{LIST}")]
        pages += [client.get("/admin/hub/auditentry/"), client.get("/admin/")]
        for entry in AuditEntry.objects.all():
            pages.append(client.get(f"/admin/hub/auditentry/{entry.pk}/change/"))
    secrets["client secret"] = running.joined.erp.announcement()["client_secret"]
    assert len(pages) > 15
    for page in pages:
        assert page.status_code == 200
        assert [name for name, one in secrets.items() if one in page.content.decode()] == []
    assert leaks(secrets, log.getvalue()) == []


def test_a_webhook_secret_is_shown_once_and_opens_the_door(running):
    client = console("integrator")

    def made(name):
        page = client.post(f"{LIST}{running.shop.pk}/webhook-secret/", {"name": name}, follow=True)
        return page, running.shop.secret(name)[0]

    page, signing = made("webhook signing")
    assert signing.startswith("whsec_")
    assert signing in page.content.decode()
    assert signing not in client.get(page_of(running.shop)).content.decode()
    body = {"event": "order.created", "id": 44}
    tokens = []
    for _ in range(3):
        page, token = made("webhook token")
        assert f"http://testserver/api/webhooks/prestashop/{token}/" in text_of(page)
        tokens.append(token)
    answers = [
        client.post(f"/api/webhooks/prestashop/{one}/", body, content_type="application/json").status_code
        for one in tokens
    ]
    assert answers == [401, 202, 202]
    assert leaks({"signing": signing, "token": tokens[2]}, "") == []


def test_a_webhook_secret_that_nobody_has_looked_at_is_stored_encrypted(running):
    client = console("integrator")
    assert client.post(f"{LIST}{running.shop.pk}/webhook-secret/", {"name": "webhook token"}).status_code == 302
    assert leaks({"token": running.shop.secret("webhook token")[0]}, "") == []
    assert client.post(f"{LIST}{running.shop.pk}/webhook-secret/", {"name": "key"}).status_code == 404


def test_a_secret_whose_encryption_key_is_gone_is_said_in_words(running, settings):
    settings.ENCRYPTION_KEYS = ["gx6e1kY0p8vXq0m3T1Vd1o8H3Fv0mW8lq3m1xqz0S2c="]
    connecting.close_all()
    connecting.transports["prestashop"] = running.joined.shop.transport
    client = console("integrator")
    assert "settings incomplete" in text_of(client.get(LIST))
    said = pressed(client, running.shop)
    assert "A secret of prestashop cannot be read." in said
    assert "Or enter it anew." in said
    data = filled(running.shop, setting_key=rights.FULL.key)
    assert "Saved. Connected to" in text_of(client.post(page_of(running.shop), data, follow=True))


# ---- what roles see, the set-up page, deletion ----


def test_who_only_reads_finds_no_button_and_no_open_field(running):
    page = console("manager").get(page_of(running.shop)).content.decode()
    main = page[page.index('class="hub-heading"') :]
    for word in ("Save and test", ">Test<", "Pause:", "Make a new", "break it"):
        assert word not in main
    fields = re.findall(r"<(?:input|select)[^>]*>", main)
    shown = [one for one in fields if 'class="hub-input"' in one]
    assert len(shown) > 5
    assert [one for one in shown if "readonly" not in one and "disabled" not in one] == []


def test_who_is_limited_to_pairs_adds_none(running):
    limited = console("integrator", pairs=[running.pair])
    assert limited.get(f"{LIST}add/").status_code == 403
    assert limited.get(page_of(running.shop)).status_code == 200
    other = Connection.objects.create(name="other", label="Other", system="prestashop")
    for act in ("test", "pause", "resume", "probe", "webhook-secret", "faults"):
        assert limited.post(f"{LIST}{other.pk}/{act}/", {"because": "x"}).status_code == 404
    assert limited.post(page_of(other), filled(other)).status_code == 404


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999", "1x", "-1"])
def test_what_is_no_connection_is_not_found(running, number):
    assert console("integrator").get(f"{LIST}{number}/change/").status_code == 404


def test_the_set_up_page_is_the_systems_own_and_carries_out_no_html(running):
    said = text_of(console("manager").get(f"{LIST}{running.shop.pk}/set-up/"))
    assert "PrestaShop: setting up a connection" in said
    assert as_html("<script>alert(1)</script> [x](javascript:alert(1)) **b**") == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:alert(1)) <strong>b</strong></p>\n"
    )


def test_only_an_unused_connection_can_be_deleted(running):
    client = console("integrator")
    assert client.get(f"{LIST}{running.shop.pk}/delete/").status_code == 403
    assert ">Delete<" not in client.get(page_of(running.shop)).content.decode()
    spare = Connection.objects.create(name="spare", label="Spare", system="prestashop")
    secret = Credential(connection=spare, name="key")
    secret.value = NEW_KEY
    secret.save()
    assert ">Delete<" in client.get(page_of(spare)).content.decode()
    assert "Spare" in text_of(client.get(f"{LIST}{spare.pk}/delete/"))
    assert console("operator").post(f"{LIST}{spare.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{LIST}{spare.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Connection.objects.filter(name="spare").exists()
    assert not Credential.objects.filter(connection_id=spare.pk).exists()
    assert AuditEntry.objects.get(what="deleted").record.endswith(": Spare")


def test_one_that_came_into_a_pair_meanwhile_is_not_deleted(running):
    client = console("integrator")
    spare = Connection.objects.create(name="spare", label="Spare", system="prestashop")
    assert client.get(f"{LIST}{spare.pk}/delete/").status_code == 200
    Pair.objects.create(name="two", label="Two", source=spare, target=running.erp)
    assert client.post(f"{LIST}{spare.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Connection.objects.filter(name="spare").exists()
