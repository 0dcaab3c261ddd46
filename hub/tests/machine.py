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
from pathlib import Path

import httpx
import psycopg

from hub.install import install_all
from hub.models import Connection, Credential, Pair
from hub.tests.database_server import ROOT
from hub.tests.joined import Joined
from hub.tests.processes import with_environment
from scripts.with_postgres import free_port

TOKEN = "a-path-that-nobody-guesses"
SECRET = ("key", "client_secret")
# Who claimed which lane when, as the database saw it.
NOTE_CLAIMS = """
    CREATE TABLE claims (at timestamptz, entity text, key text, who text);
    CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO claims VALUES (clock_timestamp(), NEW.entity, NEW.key, NEW.claimed_by); RETURN NULL;
    END $$;
    CREATE TRIGGER note_claim AFTER UPDATE ON hub_lane FOR EACH ROW
        WHEN (NEW.token IS NOT NULL AND NEW.token IS DISTINCT FROM OLD.token) EXECUTE FUNCTION note_claim();
"""


def make_rows(shop_system, shop, erp):
    """Runs in a process of the hub. What the ERP allows in a minute would make the test a long one."""
    source = connection("shop", shop_system, shop)
    target = connection("erp", "dynamics365", {**erp, "calls_a_minute": "0"})
    keep(source, "webhook token", TOKEN)
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
    """Used as a context. `journals` are the sandboxes' files, by system; `said` is what the hub's processes wrote."""

    def __init__(self, address, folder, *, shop_system="prestashop", environment=None):
        self.address = address
        self.folder = folder
        self.journals = {one: folder / f"{one}.journal" for one in ("prestashop", "dynamics365")}
        self.said = folder / "said"
        self._shop_system = shop_system
        self._port = free_port()
        self._stack = ExitStack()
        self.supervisors = []
        self.environment = {
            **os.environ,
            "DATABASE_URL": address,
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(60),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "WORKERS": "1",
            "LOG_LEVEL": "WARNING",
            "TMPDIR": str(folder),
            **(environment or {}),
        }

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _start(self):
        self._log = self._stack.enter_context(self.said.open("ab"))
        self.http = self._stack.enter_context(httpx.Client(timeout=30))
        shop, erp = [self._sandbox(one) for one in self.journals]
        self.shop, self.erp = self._answers(shop), self._answers(erp)
        joined = Joined()  # an ERP that knows the shop's items, which is planted in the process that has the port
        self.tell(self.erp["address"], "state", joined.erp.dump())
        rows = f"from hub.tests.machine import make_rows; make_rows({self._shop_system!r}, {self.shop!r}, {self._erp()!r})"
        self.run("shell", "--no-imports", "-c", rows)
        self.ask(NOTE_CLAIMS)
        self.web = self._popen("-m", "gunicorn", "hub.wsgi", "--bind", f"127.0.0.1:{self._port}", "--threads", "4")
        for _ in range(2):
            self.start_worker()
        self._until_the_web_answers()

    def _erp(self):
        known = dict(self.erp)
        return {"environment_url": known.pop("address"), "authority": self.erp["address"], **known}

    def __exit__(self, *error):
        """Everything ends when it is asked to; what does not, ends all the same."""
        asked = [*self.supervisors, *filter(None, [getattr(self, "web", None)])]
        for one in asked:
            one.send_signal(signal.SIGTERM)
        try:
            codes = [one.wait(timeout=60) for one in asked]
            left = [pid for pid in self.processes() if pid not in self._sandboxes()]
        finally:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            self._stack.close()
        if error[0] is None:
            assert codes == [0] * len(asked), self.said.read_text()[-4000:]
            assert left == [], "these processes outlived their worker"

    # Processes

    def _popen(self, *arguments, **options):
        options = {"stdout": self._log, "stderr": self._log, **options}
        return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.environment, **options)

    def _sandbox(self, system):
        journal = str(self.journals[system])
        return self._popen("manage.py", "sandbox", system, "--journal", journal, stdout=subprocess.PIPE)

    def _answers(self, process):
        self._stack.callback(process.stdout.close)
        self._stack.callback(process.wait)
        self._boxes = [*getattr(self, "_boxes", []), process]
        lines = iter(process.stdout.readline, b"Stop with Ctrl-C.\n")
        return dict(line.decode().strip().split(": ", 1) for line in lines if line)

    def _sandboxes(self):
        return [one.pid for one in self._boxes]

    def start_worker(self):
        self.supervisors.append(self._popen("manage.py", "worker"))

    def processes(self):
        return with_environment("DATABASE_URL", self.address)

    def run(self, *command):
        """A command of the hub; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # What the world does

    def tell(self, sandbox, action, data):
        answer = self.http.post(f"{sandbox}/_sandbox/{action}", json=data)
        assert answer.is_success, answer.text
        return answer.json()

    def place(self, *kinds, count=1):
        return self.tell(self.shop["address"], "place", {"kinds": kinds, "count": count})["orders"]

    def state(self, sandbox):
        return self.http.get(f"{sandbox}/_sandbox/state").json()

    def webhook(self, order):
        """Whether it was accepted. As senders do, it may be sent again."""
        address = f"http://127.0.0.1:{self._port}/api/webhooks/shop/{TOKEN}/"
        try:
            answer = self.http.post(
                address, json={"event": "order.created", "id": order}, headers={"X-Forwarded-Proto": "https"}
            )
        except httpx.TransportError:
            return False
        return answer.status_code == 202

    def _until_the_web_answers(self):
        """It answers 202 also where nobody listens to what it is about."""
        self.until(lambda: self.webhook_about_nothing(), 60)

    def webhook_about_nothing(self):
        address = f"http://127.0.0.1:{self._port}/api/webhooks/shop/{TOKEN}/"
        try:
            return self.http.post(address, json=[], headers={"X-Forwarded-Proto": "https"}).status_code == 202
        except httpx.TransportError:
            return False

    # What the rows say

    def ask(self, statement, *values):
        with psycopg.connect(self.address, autocommit=True, connect_timeout=5) as database:
            cursor = database.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def until(self, condition, seconds=90):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.account()
            time.sleep(0.1)

    def all_through(self):
        return not self.ask("SELECT 1 FROM hub_message WHERE state <> 'finished' LIMIT 1")

    def account(self):
        """For whoever has to find out what is wrong."""
        states = self.ask("SELECT state, outcome, kind, left(reason, 200), count(*) FROM hub_message GROUP BY 1, 2, 3, 4")
        quotas = self.ask("SELECT owner, breaker, blocked_until, because FROM hub_quota")
        return "\n".join([*map(str, states), *map(str, quotas), self.said.read_text()[-4000:]])
