"""A PostgreSQL server for one measurement: a cluster of its own, durable as in production, that counts statements."""

import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from scripts.with_postgres import account_for_the_server, free_port, program

OWNER = "tillbridge"
COUNTER = "counter"  # its own statements do not count
OPTIONS = (
    *("fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=256MB", "max_connections=200"),
    *("shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_utility=off"),
)
FIRST = (
    "CREATE EXTENSION pg_stat_statements",
    f"CREATE ROLE {OWNER} LOGIN",
    f"CREATE ROLE {COUNTER} LOGIN SUPERUSER",
    f"CREATE DATABASE {OWNER} OWNER {OWNER}",
)
MOST_TELLING = 40  # statements that are told one by one
STATEMENTS = """
    SELECT query, calls, total_exec_time FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
    WHERE r.rolname = %s ORDER BY calls DESC
"""


class NoServer(Exception):
    """There is no PostgreSQL here that could be started."""


@dataclass(frozen=True)
class Counts:
    """Since the counting began: statements without BEGIN and COMMIT, transactions, bytes of the write-ahead log, and
    the statements one by one as (text, calls, milliseconds)."""

    statements: int
    milliseconds: float
    transactions: int
    wal: int
    told: list[tuple[str, int, float]]


class Database:
    """In a folder that is made anew; `command` is what starts it, which whoever meters processes does."""

    def __init__(self, folder: Path) -> None:
        """Raises NoServer."""
        found = {name: program(name) for name in ("initdb", "postgres")}
        user = account_for_the_server()
        if None in found.values() or (os.geteuid() == 0 and not user):
            raise NoServer("No PostgreSQL server is installed here (Debian: apt-get install postgresql).")
        self._programs = {name: str(one) for name, one in found.items()}
        self._user = user.pw_name if user else ""
        self._folder = folder
        self.port = free_port()
        self._before: tuple[int, int] = (0, 0)

    @property
    def url(self) -> str:
        return f"postgres://{OWNER}@127.0.0.1:{self.port}/{OWNER}"

    @property
    def command(self) -> str:
        options = " ".join(f"-c {one}" for one in OPTIONS)
        run = f"{self._programs['postgres']} -D {shlex.quote(str(self._folder))} -p {self.port} -h 127.0.0.1 {options}"
        run += f" -k {shlex.quote(str(self._folder))}"
        return f"setpriv --reuid={self._user} --regid={self._user} --init-groups {run}" if self._user else run

    def make(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        if self._user:
            shutil.chown(self._folder, self._user, self._user)
        command = [self._programs["initdb"], "-D", str(self._folder), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        self._run(command)
        self._run([self._programs["postgres"], "--single", "-D", str(self._folder), "template1"], "\n".join(FIRST))

    def _run(self, command: list[str], given: str = "") -> None:
        """Raises NoServer with what the program said."""
        process = subprocess.run(  # noqa: S603  the system's own programs
            command, input=given, text=True, capture_output=True, cwd=self._folder, user=self._user or None
        )
        if process.returncode:
            raise NoServer(f"{command[0]} failed: {process.stderr.strip()[-500:]}")

    def count(self) -> None:
        """Begins to count."""
        self._ask("SELECT pg_stat_statements_reset()")
        self._before = self._totals()

    def counts(self) -> Counts:
        rows = [(str(text), int(calls), float(spent)) for text, calls, spent in self._ask(STATEMENTS, OWNER)]
        transactions, wal = (now - before for now, before in zip(self._totals(), self._before, strict=True))
        calls, spent = sum(one[1] for one in rows), sum(one[2] for one in rows)
        return Counts(calls, spent, transactions, wal, rows[:MOST_TELLING])

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return self._ask(statement)

    def _totals(self) -> tuple[int, int]:
        ((transactions,),) = self._ask("SELECT xact_commit FROM pg_stat_database WHERE datname = %s", OWNER)
        ((wal,),) = self._ask("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return int(transactions), int(wal)

    def _ask(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with _connected(self.port) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []


def _connected(port: int) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(host="127.0.0.1", port=port, user=COUNTER, dbname=OWNER, autocommit=True)


def wait(port: int, seconds: float = 60) -> None:
    """Until the server answers. Raises psycopg.OperationalError where it does not."""
    end = time.monotonic() + seconds
    while True:
        try:
            _connected(port).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
