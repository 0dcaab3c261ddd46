"""A hub as production runs it: web, two workers and both sandboxes as processes of their own, on a PostgreSQL server
that is a test's alone."""

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime

import httpx
import psycopg
from standardwebhooks.webhooks import Webhook

from hub.install import install_all
from hub.models import Connection, Credential, Pair
from hub.supervisor import end_with_the_parent
from hub.tests.database_server import ROOT
from hub.tests.joined import Joined
from hub.tests.processes import with_environment
from scripts.with_postgres import free_port

TOKEN = "a-path-that-nobody-guesses"
SIGNING = f"whsec_{base64.b64encode(bytes(24)).decode()}"
SECRET = ("key", "client_secret")
# Who claimed which lane when, and which messages were taken over from the dead, as the database saw it.
NOTE_CLAIMS = """
    CREATE TABLE claims (at timestamptz, entity text, key text, who text);
    CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO claims VALUES (clock_timestamp(), NEW.entity, NEW.key, NEW.claimed_by); RETURN NULL;
    END $$;
    CREATE TRIGGER note_claim AFTER UPDATE ON hub_lane FOR EACH ROW
        WHEN (NEW.token IS NOT NULL AND NEW.token IS DISTINCT FROM OLD.token) EXECUTE FUNCTION note_claim();
    CREATE TABLE taken_over (message bigint, was_sent boolean);
    CREATE FUNCTION note_taken_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO taken_over VALUES (NEW.id, OLD.sent_at IS NOT NULL); RETURN NULL;
    END $$;
    CREATE TRIGGER note_taken_over AFTER UPDATE ON hub_message FOR EACH ROW
        WHEN (NEW.deaths > OLD.deaths) EXECUTE FUNCTION note_taken_over();
"""


def make_rows(shop_system, shop, erp):
    """Runs in a process of the hub. What the ERP allows in a minute would make the test a long one."""
    source = connection("shop", shop_system, shop)
    target = connection("erp", "dynamics365", {**erp, "calls_a_minute": "0"})
    keep(source, "webhook token", TOKEN)
    keep(source, "webhook signing", SIGNING)
    install_all(Pair.objects.create(name="one", label="Pair", source=source, target=target))


def connection(name, system, answers):
    settings = {key: value for key, value in answers.items() if key not in SECRET}
    row = Connection.objects.create(name=name, label=name, system=system, settings=settings)
    for key in set(SECRET) & set(answers):
        keep(row, key, answers[key])
    return row


def keep(row, name, value):
    credential = Credential(connection=row, name=name)
    credential.value = value
    credential.save()


class Machine:
    """Used as a context. `shop` and `erp` are the sandboxes' addresses, `journals` their files, by system; `said` is
    what the hub's processes wrote; `orders` were placed, and `deaths` says of each worker process that was killed when
    it still lived."""

    def __init__(self, database, folder, *, shop_system="prestashop", environment=None):
        self.database = database
        self.journals = {one: folder / f"{one}.journal" for one in ("prestashop", "dynamics365")}
        self.said = folder / "said"
        self._shop_system = shop_system
        self._port = free_port()
        self._stack = ExitStack()
        self._sandboxes, self.supervisors, self._web = [], [], []
        self.orders, self.deaths = [], {}
        self._environment = {
            **os.environ,
            "DATABASE_URL": database,
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(60),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "WORKERS": "1",
            "THREADS": "8",
            "LOG_LEVEL": "WARNING",
            "TMPDIR": str(folder),
            **(environment or {}),
        }

    # Processes

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _start(self):
        self._log = self._stack.enter_context(self.said.open("ab"))
        self.http = self._stack.enter_context(httpx.Client(timeout=30, headers={"X-Forwarded-Proto": "https"}))
        for one in self.journals.items():
            self._start_sandbox(*one)
        shop, erp = (self._told(one) for one in self._sandboxes)
        self.shop, self.erp = shop["address"], erp["address"]
        # An ERP that knows the shop's items is made here and planted in the process that has the port.
        self.tell(self.erp, "state", Joined().erp.dump())
        erp |= {"environment_url": erp.pop("address"), "authority": self.erp}
        rows = f"from hub.tests.machine import make_rows; make_rows({self._shop_system!r}, {shop!r}, {erp!r})"
        self.run("shell", "--no-imports", "-c", rows)
        self.ask(NOTE_CLAIMS)
        web = ("gunicorn", "hub.wsgi", "--bind", f"127.0.0.1:{self._port}", "--threads", "4", "--no-control-socket")
        self._web.append(self._popen("-m", *web))
        for _ in range(2):
            self.start_worker()
        self.until(lambda: self.webhook([]))

    def __exit__(self, *error):
        """Everything ends when it is asked to; what does not, ends all the same."""
        asked = self.supervisors + self._web
        for one in asked:
            one.send_signal(signal.SIGTERM)
        try:
            codes = [one.wait(timeout=60) for one in asked]
            left = self._left(30)
        finally:
            for pid in with_environment("DATABASE_URL", self.database):
                os.kill(pid, signal.SIGKILL)
            self._stack.close()
        if error[0] is None:
            assert codes == [0] * len(asked), self.said.read_text()[-4000:]
            assert left == [], "these processes outlived their worker"

    def _left(self, seconds):
        """What a killed supervisor has left behind ends with what it has claimed."""
        end = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.1)
        return left

    def _popen(self, *arguments, **options):
        options = {"stdout": self._log, "stderr": self._log, "preexec_fn": end_with_the_parent, **options}
        return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self._environment, **options)

    def _start_sandbox(self, system, journal):
        command = ("manage.py", "sandbox", system, "--journal", str(journal))
        process = self._popen(*command, stdout=subprocess.PIPE)
        self._sandboxes.append(process)
        self._stack.callback(process.wait)
        self._stack.callback(process.stdout.close)

    def _told(self, sandbox):
        lines = iter(sandbox.stdout.readline, b"Stop with Ctrl-C.\n")
        return dict(line.decode().strip().split(": ", 1) for line in lines)

    def start_worker(self):
        self.supervisors.append(self._popen("manage.py", "worker"))

    def processes(self):
        """The ids of all that live but the sandboxes."""
        sandboxes = [one.pid for one in self._sandboxes]
        return [pid for pid in with_environment("DATABASE_URL", self.database) if pid not in sandboxes]

    def run(self, *command):
        """A command of the hub; returns what it printed."""
        command = [sys.executable, "manage.py", *command]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # What the world does

    def tell(self, sandbox, action, data):
        answer = self.http.post(f"{sandbox}/_sandbox/{action}", json=data)
        assert answer.is_success, answer.text
        return answer.json()

    def place(self, *kinds, count=1):
        placed = self.tell(self.shop, "place", {"kinds": kinds, "count": count})["orders"]
        self.orders += placed
        return placed

    def state(self, sandbox):
        return self.http.get(f"{sandbox}/_sandbox/state").json()

    def webhook(self, event, identity=""):
        """The ids of its messages where it was accepted; else None, and the sender tries again later. It is signed
        where it has an identity, and goes to the secret path where not."""
        body, path = json.dumps(event), "" if identity else f"{TOKEN}/"
        headers = {"Content-Type": "application/json"}
        if identity:
            now = datetime.now(UTC)
            headers |= {"webhook-id": identity, "webhook-timestamp": str(int(now.timestamp()))}
            headers["webhook-signature"] = Webhook(SIGNING).sign(identity, now, body)
        try:
            address = f"http://127.0.0.1:{self._port}/api/webhooks/shop/{path}"
            answer = self.http.post(address, content=body, headers=headers)
        except httpx.TransportError:
            return None
        return (answer.json()["messages"] or [0]) if answer.status_code == 202 else None

    def tell_of(self, order, identity=""):
        """Until the hub has accepted it."""
        event = {"event": "order.created", "id": order}
        return self.until(lambda: self.webhook(event, identity))

    # What the rows say

    def ask(self, statement, *values):
        with psycopg.connect(self.database, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def until(self, condition, seconds=180):
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, self.account()
            assert [one.poll() for one in self.supervisors + self._web if one.poll() is not None] == [], self.account()
            time.sleep(0.1)
        return found

    def all_through(self):
        """Fails where one needs a person, which none of them should."""
        assert not self.ask("SELECT 1 FROM hub_message WHERE state IN ('dead letter', 'held')"), self.account()
        return not self.ask("SELECT 1 FROM hub_message WHERE state <> 'finished' LIMIT 1")

    def account(self):
        """For whoever has to find out what is wrong."""
        statements = (
            "SELECT state, outcome, kind, left(reason, 200), count(*) FROM hub_message GROUP BY 1, 2, 3, 4",
            "SELECT owner, breaker, blocked_until, because FROM hub_quota",
        )
        rows = [str(row) for one in statements for row in self.ask(one)]
        return "\n".join([*rows, self.said.read_text()[-4000:]])
