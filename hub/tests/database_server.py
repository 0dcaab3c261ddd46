"""A PostgreSQL server that a test may stop, kill and start again without disturbing anybody."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psycopg

from scripts.with_postgres import account_for_the_server, free_port, make, program, start

ROOT = Path(__file__).resolve().parents[2]
FORMED = "formed"  # the database with all tables, which the others are copies of
# What was committed has to outlive the server's processes here, though not the machine.
OPTIONS = ("fsync=off", "full_page_writes=off", "synchronous_commit=on")
FAST, CRASH = signal.SIGINT, signal.SIGKILL


def missing():
    """Why there can be no server here, or nothing."""
    if not (program("initdb") and program("postgres")):
        return "PostgreSQL's programs are not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and not account_for_the_server():
        return "PostgreSQL refuses to run as root, and there is no user postgres"
    return ""


class DatabaseServer:
    """Used as a context; `new_database` gives the address of one with all tables."""

    def __enter__(self):
        self._programs = {name: program(name) for name in ("initdb", "postgres")}
        account = account_for_the_server()
        self._user = account.pw_name if account else None
        self._port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="tillbridge-database-"))
        if account:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        make(self._programs, self.folder, self._user)
        try:
            self.start()
            self._run(f"CREATE DATABASE {FORMED}")
            environment = {**os.environ, "DATABASE_URL": self.address(FORMED)}
            migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(migrate, check=True, cwd=ROOT, env=environment)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        if self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database):
        return f"postgres://tillbridge@127.0.0.1:{self._port}/{database}"

    def new_database(self):
        name = f"hub_{uuid.uuid4().hex[:8]}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {FORMED}")
        return self.address(name)

    def start(self):
        """Until it answers."""
        self._process = start(self._programs, self.folder, self._port, self._user, OPTIONS)
        end = time.monotonic() + 60
        while True:
            try:
                return self._run("SELECT 1")
            except psycopg.OperationalError:
                said = (self.folder / "log").read_text()[-2000:]
                assert self._process.poll() is None, said
                assert time.monotonic() < end, said
                time.sleep(0.1)

    def stop(self, how=FAST):
        """FAST ends what is under way with an error; CRASH gives nobody the time to say anything."""
        self._process.send_signal(how)
        self._process.wait(timeout=60)

    def _run(self, statement):
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement)
