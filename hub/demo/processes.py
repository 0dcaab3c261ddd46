"""The demo's processes: started together, looked after, and ended together, whatever happens to the one that started
them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from django.conf import settings

from hub.supervisor import end_with_the_parent

PATIENCE = 60.0  # seconds for the console to answer, and for a process to end once it is asked to
LAST_LINES = 15


class CannotStart(Exception):
    """The words say why, and what to do."""


@dataclass
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join(f"    {one}" for one in lines)


def free(port: int, what: str, option: str) -> None:
    """Raises CannotStart where somebody has the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} for {what} is in use ({error.strerror}). Choose another: make run {option}={port + 100}"
            ) from error


def start(name: str, arguments: list[str], folder: Path) -> Child:
    """In a session of its own, so that Ctrl-C reaches only us; it ends when we do, even by SIGKILL."""
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            arguments,
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_the_parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    return Child(name, process, log)


def web(port: int) -> list[str]:
    """The command of the console's server: threads, since a page waits for the database and for other systems."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "hub.wsgi",
        f"--bind=127.0.0.1:{port}",
        "--worker-class=gthread",
        "--workers=1",
        "--threads=8",
        "--graceful-timeout=5",
    ]


def worker() -> list[str]:
    return [sys.executable, "manage.py", "worker"]


def wait_for(address: str, child: Child, stops: Callable[[], bool]) -> None:
    """Until the address answers. Raises CannotStart where the child ends before, or takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not stops():
        if child.process.poll() is not None:
            raise CannotStart(f"The {child.name} ended at once. Its last lines:\n{child.last_lines()}")
        with suppress(httpx.HTTPError):
            if httpx.get(address, timeout=5, follow_redirects=True).status_code == 200:
                return
        time.sleep(0.2)
    if not stops():
        raise CannotStart(f"{address} does not answer after {PATIENCE:.0f} seconds. See {child.log}")


def end(children: list[Child], hurry: Callable[[], bool]) -> None:
    """Asks all of them, waits, and then ends whoever is left with its whole group. `hurry` ends the waiting."""
    for one in children:
        with suppress(ProcessLookupError):
            one.process.send_signal(signal.SIGTERM)
    limit = time.monotonic() + PATIENCE
    while any(one.process.poll() is None for one in children) and time.monotonic() < limit and not hurry():
        time.sleep(0.1)
    for one in children:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(one.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            one.process.wait(timeout=10)
