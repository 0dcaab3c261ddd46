"""The hub's own processes as production runs them, and what they are told in their environment."""

import base64
import json
import os
import secrets
import shlex
import sys
from pathlib import Path
from typing import Any

from bench.database import Database

ROOT = Path(__file__).resolve().parent.parent
WEB_PROCESSES, WEB_THREADS = 2, 4
SYSTEMS = "BENCH_SYSTEMS"  # JSON: source and target, each as {"system": name, "settings": {...}}
FLOWS = "BENCH_FLOWS"
TOKEN = "a-path-that-nobody-guesses"  # noqa: S105  of a hub that lives for a minute
# Without TLS here: the header that a proxy sets, and a host that is not allowed, whose answer shows that the web is up.
HEADERS = {"X-Forwarded-Proto": "https"}


def environment(database: Database, workers: int, flows: str, joined: list[dict[str, Any]]) -> dict[str, str]:
    """Everything that a person would set; the keys are of this measurement alone."""
    return {
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": database.url,
        "WORKERS": str(workers),
        "LOG_LEVEL": "WARNING",
        "CONNECTORS": str(ROOT / "bench" / "connectors"),
        SYSTEMS: json.dumps(joined),
        FLOWS: flows,
        **{name: os.environ[name] for name in ("THREADS",) if name in os.environ},
    }


def before(database: Database) -> list[str]:
    """What is done once before the web starts."""
    python, manage = shlex.quote(sys.executable), shlex.quote(str(ROOT / "manage.py"))
    wait = shlex.quote(f"from bench.database import wait; wait({database.port})")
    make = shlex.quote("from bench.rows import make; make()")
    return [
        f"{python} -c {wait}",
        f"{python} {manage} migrate --verbosity 0",
        f"{python} {manage} shell --no-imports -c {make}",
    ]


def web(port: int) -> str:
    options = f"--bind 127.0.0.1:{port} --worker-class gthread --workers {WEB_PROCESSES} --threads {WEB_THREADS}"
    return f"{shlex.quote(sys.executable)} -m gunicorn hub.wsgi {options} --keep-alive 60"


def worker() -> str:
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'manage.py'))} worker"


def webhook(port: int) -> str:
    return f"http://127.0.0.1:{port}/api/webhooks/shop/{TOKEN}/"


def ready(port: int) -> str:
    return f"http://localhost:{port}/"
