"""No secret is found after a run: not in any column of the database, not in evidence once decrypted, not in a log line.

The run has orders of many kinds, and whatever could make somebody repeat a secret: refused sign-ins, pages that echo a
request, renewed tokens, webhooks with right and wrong secrets, a crash with everything in its variables.
"""

import io
import logging
from base64 import b64decode, b64encode
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from standardwebhooks.webhooks import Webhook

from connectors.prestashop.sandbox import rights
from connectors.sandbox import Fault, Response
from hub import evidence
from hub.again import send_again, skip
from hub.api.doors import SIGNING, TOKEN
from hub.models import Attempt, Connection, Credential, Evidence, Message, Problem
from hub.pausing import resume
from hub.records import to_json
from hub.tests.seeing import back, new_secret, signed_out

pytestmark = pytest.mark.django_db
KINDS = ("guest", "company", "hostile_names", "unknown_product", "inconsistent", "gift", "message", "voucher_amount")
WRONG_SECRET = "wRong~cLient.secRet8Q~typed"
OF_PEOPLE = {
    "passwd": "$2y$10$Zq1notarealhashnotarealhashnotarealhashnotarealhashnot",
    "secure_key": "5f1d3a9be07c4d2286a1f0c3b47e9d10",
    "reset_password_token": "9b2c1resettoken9b2c1resettoken",
}
OF_CARDS = {"card_number": "4111111111111111", "card_holder": "INES MOREAU-SECRET", "card_expiration": "11/2033-exp"}
SIGNING_SECRET = "whsec_" + b64encode(b"a signing secret of 24 b").decode()
PATHS = ("a-long-secret-path-of-thirty-two", "a-wrong-secret-path-of-thirty-two")


# ---- what is looked for, and where ----


def forms(secret):
    """As it is, and as it travels."""
    plain = secret.encode()
    basic = b64encode(plain + b":")
    return {plain, quote(secret, safe="").encode(), b64encode(plain), basic, basic.rstrip(b"="), plain.hex().encode()}


def database():
    """Every value of every column, by place, and what can be read of all evidence."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            columns = [one[0] for one in cursor.description]
            for row in cursor.fetchall():
                yield from ((f"{table}.{name}", as_bytes(value)) for name, value in zip(columns, row, strict=True))
    for digest in Evidence.objects.values_list("digest", flat=True):
        yield "evidence", to_json(evidence.read(digest)).encode(errors="surrogatepass")


def as_bytes(value):
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode(errors="surrogatepass")


def leaks(secrets, log):
    """Which secret stands where."""
    wanted = [(name, form) for name, secret in secrets.items() for form in forms(secret)]
    places = [*database(), *(("log", line.encode(errors="replace")) for line in log.splitlines())]
    return sorted({(name, place) for place, value in places for name, form in wanted if form in value})


@contextmanager
def everything_logged():
    """All that loggers say while it is open, with tracebacks, as the console would print it."""
    root, text = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


# ---- the run ----


class Run:
    """A day with everything that goes wrong. `secrets` are those that were in play, by name."""

    def __init__(self, running, client):
        self.running, self.client = running, client
        self.shop, self.erp = running.joined.shop, running.joined.erp
        self.secrets = {
            "webservice key": rights.FULL.key,
            "key that is switched off": rights.DISABLED.key,
            "client secret": self.erp.announcement()["client_secret"],
            "client secret as mistyped": WRONG_SECRET,
            "signing secret": SIGNING_SECRET,
            "signing secret's bytes": SIGNING_SECRET.removeprefix("whsec_"),
            "secret path": PATHS[0],
            "wrong secret path": PATHS[1],
            "the hub's own secret key": settings.SECRET_KEY,
            **{f"encryption key {number}": one for number, one in enumerate(settings.ENCRYPTION_KEYS)},
            **OF_PEOPLE,
            **OF_CARDS,
        }
        for name, value in ((SIGNING, SIGNING_SECRET), (TOKEN, PATHS[0])):
            row = Credential(connection=running.shop, name=name)
            row.value = value
            row.save()

    def tokens(self):
        """Whichever the ERP's sign-in has given out so far."""
        self.secrets |= {f"token {one[:6]}": one for one in self.erp.entra._tokens}

    def orders(self):
        """One of each kind, of people with passwords, paid by card."""
        orders = self.shop.control("place", {"kinds": KINDS, "count": len(KINDS)})["orders"]
        store = self.shop.store
        for row in list(store.tables["customers"].values()):
            store.change("customers", row, **OF_PEOPLE)
        for row in list(store.tables["orders"].values()):
            store.change("orders", row, secure_key=OF_PEOPLE["secure_key"])
        for order in orders:
            paid = {"order_reference": self.running.joined.shop_order(order)["reference"], "amount": "1"}
            store.insert("order_payments", {**paid, **OF_CARDS})
        return orders

    def webhooks(self, orders):
        """Signed and by the secret path; with wrong secrets, and with bodies that are refused."""
        address, (right, wrong) = f"/api/webhooks/{self.running.shop.name}/", PATHS
        for number, order in enumerate(orders):
            body = f'{{"event": "order.created", "id": {order}}}'
            self.post(address, body, 202, identity=f"evt_{number}")
            self.post(f"{address}{right}/", body, 202)
        self.post(f"{address}{wrong}/", body, 401)
        self.post(address, body, 401, secret=SIGNING_SECRET.replace("Y", "Z"))
        for refused, status in (("no json", 400), ('{"event": "order.created"}', 400), ("[" + " " * 2**20 + "]", 413)):
            self.post(f"{address}{right}/", refused, status)
            self.post(address, refused, status, identity="evt_x")

    def post(self, path, body, status, *, identity="", secret=SIGNING_SECRET):
        headers = {}
        if identity or secret != SIGNING_SECRET:
            at = datetime.now(UTC)
            signed = Webhook(secret).sign(identity or "evt", at, body)
            headers = {"webhook-id": identity or "evt", "webhook-timestamp": str(int(at.timestamp()))}
            headers["webhook-signature"] = signed
        answer = self.client.post(path, body, content_type="application/json", headers=headers)
        assert answer.status_code == status, answer.content
        assert not any(form in answer.content for form in forms(PATHS[0]) | forms(SIGNING_SECRET))

    def work(self):
        self.running.work()
        self.tokens()
        back(self.running)

    def refused_sign_ins(self, order):
        """Each with a wrong secret first, then with the right one."""
        for row, name, wrong in (
            (self.running.erp, "client_secret", WRONG_SECRET),
            (self.running.shop, "key", rights.DISABLED.key),
        ):
            right = row.secret(name)[0]
            new_secret(row, name, wrong)
            signed_out()
            self.running.receive(order)
            self.work()
            assert Connection.objects.get(pk=row.pk).paused
            new_secret(row, name, right)
            resume(row)
            self.work()

    def echoes(self, sandbox, page):
        """Every call is answered with a page that repeats it: to an order of somebody new, and the customer before."""
        (order,) = self.shop.control("place", {"kinds": ["company"]})["orders"]
        respond, repeated = sandbox.respond, []

        def echo(request):
            if "/oauth2/" in request.path:
                return respond(request)
            repeated.append(request)
            return page(request)

        sandbox.respond = echo
        self.running.receive(order)
        self.running.work()
        self.tokens()
        sandbox.respond = respond
        assert repeated
        back(self.running)

    def renewed_tokens(self, order):
        self.running.receive(order)
        self.erp.faults = [Fault("expired", path="/api/data/", times=3)]
        self.work()
        self.erp.entra.forget()
        self.running.receive(order)
        self.work()

    def crash(self):
        """A bug of ours, whose words hold a secret."""
        (order,) = self.shop.control("place", {"kinds": ["company"]})["orders"]
        respond = self.erp.respond

        def dies(request):
            raise RuntimeError(f"cannot handle {request.target} with {request.headers['Authorization']}")

        self.erp.respond = dies
        self.running.receive(order)
        self.running.work()
        self.erp.respond = respond
        assert Message.objects.filter(kind="internal").exclude(detail="").exists()

    def decisions(self):
        """People send again and skip what has stopped."""
        stopped = list(Message.objects.filter(state__in=("dead letter", "held")))
        for number, one in enumerate(stopped):
            skip(one, "By hand.") if number % 2 else send_again(one, anyway=True)
        self.work()


def html(request):
    """As a page for developers shows it: headers, address, body, and who has signed in."""
    shown = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
    credentials = request.headers.get("Authorization", "").removeprefix("Basic ")
    who = request.query.get("ws_key") or ("" if " " in credentials else b64decode(credentials).decode())
    body = f"<html><pre>{request.method} {request.target}\n{shown}\n{request.body.decode()}\nUser {who}</pre></html>"
    return Response(500, body.encode(), [("Content-Type", "text/html")])


def text(request):
    """Without the header's name before its value."""
    words = f"Refused: {request.headers.get('Authorization')} {request.target}"
    return Response(400, words.encode(), [("Content-Type", "text/plain")])


def odata(request):
    words = f"The credentials '{request.headers.get('Authorization', '').partition(' ')[2]}' are not valid here."
    return Response(400, to_json({"error": {"code": "0x80040203", "message": words}}).encode(), [])


def redirect(request):
    address = f"https://login.example/?back={quote(request.target)}&authorization={request.headers['Authorization']}"
    return Response(302, b"", [("Location", address)])


@pytest.mark.parametrize("key_in_url", ["no", "yes"])
def test_no_secret_is_found_in_database_evidence_or_logs_after_a_day_with_every_fault(running, client, key_in_url):
    running.shop.settings["key_in_url"] = key_in_url
    running.shop.save()
    run = Run(running, client)
    with everything_logged() as log:
        orders = run.orders()
        run.webhooks(orders)
        run.work()
        run.refused_sign_ins(orders[0])
        run.renewed_tokens(orders[0])
        for sandbox in (run.shop, run.erp):
            for page in (html, text, odata, redirect):
                run.echoes(sandbox, page)
        run.crash()
        run.decisions()
        call_command("conserve", stdout=log)
    assert Message.objects.filter(outcome="done").exists()
    assert Problem.objects.exists()
    assert Attempt.objects.exclude(calls="").count() > len(orders)
    assert len([one for one in run.secrets if one.startswith("token ")]) > 1
    assert leaks(run.secrets, log.getvalue()) == []


def test_what_is_stored_can_be_read_with_the_key_alone(running, client):
    run = Run(running, client)
    stored = {one.value for one in Credential.objects.all()}
    assert {rights.FULL.key, SIGNING_SECRET, PATHS[0], run.secrets["client secret"]} <= stored


# ---- that the search would find one ----


@pytest.mark.parametrize("name", ["webservice key", "client secret", "card_number", "passwd", "secret path"])
def test_a_secret_in_a_reason_in_evidence_or_in_a_log_line_is_found(running, client, name):
    run = Run(running, client)
    message = running.receive(running.order())
    secret = run.secrets[name]
    with everything_logged() as log:
        assert leaks(run.secrets, log.getvalue()) == []
        Message.objects.filter(pk=message.pk).update(reason=f"Refused: {quote(secret, safe='')}.")
        evidence.store([evidence.kept(running.pair.pk, to_json({"header": b64encode(f"{secret}:".encode()).decode()}))])
        logging.getLogger("hub").debug("asked with %s", secret)
        found = leaks(run.secrets, log.getvalue())
    assert {(name, "hub_message.reason"), (name, "evidence"), (name, "log")} <= set(found)
    assert {one for one, _ in found} == {name}
