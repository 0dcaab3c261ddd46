"""What protects the console: lock-out, second factor, headers, and a queue whose own rows nobody can use."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_q.models import Schedule

from hub.audit import note
from hub.models import AuditEntry
from hub.models.audit import NeverChanged
from hub.people import RIGHTS
from hub.persons import make_person
from hub.tests.console import console, somebody, text_of

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long pass phrase"


def sign_in(client, name, password=PASSWORD, **headers):
    return client.post("/admin/login/?next=/admin/", {"username": name, "password": password}, headers=headers)


def test_five_wrong_passwords_lock_the_name_out_and_an_administrator_unlocks_it():
    user = somebody("operator")
    client = Client()
    for _ in range(5):
        answer = sign_in(client, "operator", "wrong")
    assert answer.status_code == 429
    assert "Too many wrong passwords" in text_of(answer)
    assert sign_in(client, "operator").status_code == 429
    console("administrator").post(f"/admin/hub/person/{user.person.pk}/unlock/")
    assert sign_in(client, "operator").status_code == 302
    assert AuditEntry.objects.filter(what="unlocked signing in").exists()


def test_a_locked_name_is_locked_for_its_own_address_alone(settings):
    settings.PROXIES = 1
    somebody("operator")
    client = Client()
    for _ in range(5):
        sign_in(client, "operator", "wrong", **{"X-Forwarded-For": "203.0.113.9"})
    assert sign_in(client, "operator", **{"X-Forwarded-For": "203.0.113.9"}).status_code == 429
    assert sign_in(client, "operator", **{"X-Forwarded-For": "198.51.100.7, 192.0.2.1"}).status_code == 302


def code_of(user):
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key):06}"


def with_second_factor(role="operator"):
    """Somebody who has set one up in the console; the recovery codes."""
    client = console(role)
    client.get("/admin/second-factor/")
    user = User.objects.get(username=role)
    answer = client.post("/admin/second-factor/", {"code": code_of(user)})
    return user, re.findall(r"<li>([a-z0-9]+)</li>", answer.content.decode())


def test_a_second_factor_is_set_up_and_asked_for_on_every_page():
    user, codes = with_second_factor()
    assert len(codes) == 10
    client = Client()
    assert sign_in(client, "operator").status_code == 302
    for path in ("/admin/", "/admin/hub/message/", "/admin/hub/message/1/change/", "/api/v1/messages/"):
        assert client.get(path).headers["Location"] == "/admin/second-factor/verify/", path
    assert client.post("/admin/second-factor/verify/", {"code": codes[0]}).status_code == 302
    assert client.get("/admin/").status_code == 200
    again = Client()
    sign_in(again, "operator")
    said = text_of(again.post("/admin/second-factor/verify/", {"code": codes[0]}))
    assert "not right" in said
    assert again.get("/admin/").status_code == 302  # each recovery code opens once
    assert AuditEntry.objects.filter(who=user, what="switched the second factor on").exists()


def test_an_administrator_resets_a_lost_second_factor():
    user, _ = with_second_factor()
    console("administrator").post(f"/admin/hub/person/{user.person.pk}/reset-second-factor/")
    client = Client()
    sign_in(client, "operator")
    assert client.get("/admin/").status_code == 200


def test_a_role_that_must_have_one_sets_it_up_first(settings):
    settings.REQUIRE_SECOND_FACTOR = ["administrator"]
    client = console("administrator")
    assert client.get("/admin/hub/message/").headers["Location"] == "/admin/second-factor/"
    assert client.get("/admin/second-factor/").status_code == 200
    assert console("operator").get("/admin/hub/message/").status_code == 200


def test_every_answer_carries_the_policy_that_refuses_foreign_scripts():
    for client in (Client(), console("administrator")):
        for path in ("/admin/login/", "/admin/", "/api/v1/docs/"):
            policy = client.get(path).headers["Content-Security-Policy"]
            assert "script-src 'self' 'unsafe-eval'" in policy
            assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
            assert "frame-ancestors 'none'" in policy


def test_no_page_has_a_script_or_a_handler_in_it():
    client = console("administrator")
    for path in (
        "/admin/",
        "/admin/hub/message/",
        "/admin/hub/person/new/",
        "/admin/hub/connection/add/?system=prestashop",
    ):
        page = client.get(path).content.decode()
        assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page) == [], path
        assert re.findall(r"\son(?:click|submit|load|change)=", page) == [], path


PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "not-a-secret-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
    "ALLOWED_HOSTS": "hub.example.com",
    "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}


def test_production_has_nothing_that_a_check_for_deployment_complains_of():
    found = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT, env={**os.environ, **PRODUCTION}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    complaints = re.findall(r"\((security\.\w+|hub\.\w+)\)", found.stdout + found.stderr)
    assert set(complaints) <= {"security.W021"}  # preloading HSTS is the owner's decision about a whole domain


def test_production_answers_with_secure_cookies_and_sends_to_tls():
    script = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "c = Client(headers={'Host': 'hub.example.com'})\n"
        "a = c.get('/admin/login/')\n"
        "b = c.get('/admin/login/', headers={'X-Forwarded-Proto': 'https'})\n"
        "print(a.status_code, a.headers['Location'])\n"
        "print(b.headers['Strict-Transport-Security'], b.cookies['csrftoken']['secure'], end=' ')\n"
        "print(b.headers['X-Frame-Options'])\n"
    )
    environment = {**os.environ, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "hub.settings"}
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert found.stdout.splitlines() == [
        "301 https://hub.example.com/admin/login/",
        "max-age=31536000; includeSubDomains True DENY",
    ]


@pytest.mark.parametrize("role", [*RIGHTS, "superuser"])
def test_nobody_reaches_the_queues_rows_or_djangos_own_pages(role):
    client = Client()
    user = User.objects.create_superuser("root") if role == "superuser" else somebody(role)
    client.force_login(user, backend="hub.people.RoleBackend")
    for page in (
        "django_q/schedule",
        "django_q/ormq",
        "auth/user",
        "auth/group",
        "axes/accessattempt",
        "admin/logentry",
    ):
        assert client.get(f"/admin/{page}/").status_code == 404, page
        assert client.get(f"/admin/{page}/add/").status_code == 404, page
    assert not user.has_perm("django_q.add_schedule") or role == "superuser"


def test_a_schedule_that_gets_into_the_database_is_never_run(settings):
    Schedule.objects.create(func="os.abort", schedule_type=Schedule.MINUTES)
    assert settings.Q_CLUSTER["scheduler"] is False


def test_an_audit_entry_is_neither_changed_nor_deleted():
    entry = note(None, "tried", "Something")
    entry.what = "never happened"
    with pytest.raises(NeverChanged):
        entry.save()
    with pytest.raises(NeverChanged):
        entry.delete()
    root = Client()
    root.force_login(User.objects.create_superuser("root"), backend="hub.people.RoleBackend")
    assert root.post(f"/admin/hub/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AuditEntry.objects.filter(what="tried").exists()


def test_an_administrator_makes_people_and_cannot_lock_everybody_out():
    admin = console("administrator")
    me = User.objects.get(username="administrator")
    new = {"name": "olga", "full_name": "Olga Ek", "active": "on", "roles": ["operator"], "every_pair": "on"}
    bad = admin.post("/admin/hub/person/new/", {**new, "password": "short", "again": "short"})
    assert "too short" in text_of(bad)
    made = admin.post("/admin/hub/person/new/", {**new, "password": PASSWORD, "again": PASSWORD}, follow=True)
    assert "can sign in now" in text_of(made)
    assert sign_in(Client(), "olga").status_code == 302
    myself = {"name": "administrator", "roles": ["manager"], "every_pair": "on", "active": "on"}
    assert "last administrator" in text_of(admin.post(f"/admin/hub/person/{me.person.pk}/change/", myself))
    off = {"name": "administrator", "roles": ["administrator"], "every_pair": "on"}
    assert "cannot switch yourself off" in text_of(admin.post(f"/admin/hub/person/{me.person.pk}/change/", off))
    assert "pass phrase" not in str(list(AuditEntry.objects.values_list("before", "after")))


def test_a_password_of_nobody_s_is_in_a_made_person():
    user = make_person("zoe", ["manager"], PASSWORD)
    assert user.check_password(PASSWORD)
    assert PASSWORD not in user.password
    with pytest.raises(ValueError, match="no role"):
        make_person("zoe", ["king"], PASSWORD)


def test_an_api_token_is_shown_once_and_lies_nowhere_in_clear():
    admin = console("administrator")
    me = User.objects.get(username="administrator")
    data = {"name": "Warehouse", "user": me.pk, "role": "administrator", "days": "30"}
    assert "does not have the role" in text_of(admin.post("/admin/hub/apitoken/new/", {**data, "role": "auditor"}))
    made = admin.post("/admin/hub/apitoken/new/", data)
    (session,) = [one.session_data for one in Session.objects.all() if "api token" in str(one.get_decoded())]
    shown = admin.get(made.url).content.decode()
    (plain,) = re.findall(r"tb_[\w-]{40,}", shown)
    assert plain not in str(Session(session_data=session).get_decoded())
    assert plain not in admin.get(made.url).content.decode()
    assert Client(headers={"Authorization": f"Bearer {plain}"}).get("/api/v1/pairs/").status_code == 200


def test_the_first_administrator_is_made_by_a_command(capsys):
    call_command("make_person", "anna", "--role", "administrator")
    password = re.search(r"Password: (\S+)", capsys.readouterr().out)[1]
    client = Client()
    assert sign_in(client, "anna", password).status_code == 302
    assert client.get("/admin/hub/person/").status_code == 200
    with pytest.raises(CommandError, match="no pair 'nowhere'"):
        call_command("make_person", "bert", "--role", "manager", "--pairs", "nowhere")
    assert not User.objects.filter(username="bert").exists()
    assert password not in str(list(AuditEntry.objects.values_list("before", "after")))


def test_who_changes_their_own_password_leaves_an_entry_without_it():
    client = console("operator")
    new = {"old_password": PASSWORD, "new_password1": "another pass phrase", "new_password2": "another pass phrase"}
    wrong = client.post("/admin/password_change/", {**new, "old_password": "x"})
    assert wrong.status_code == 200
    assert not AuditEntry.objects.exists()
    assert client.post("/admin/password_change/", new).status_code == 302
    assert AuditEntry.objects.get().what == "changed their own password"
    assert sign_in(Client(), "operator", "another pass phrase").status_code == 302
