"""Processes of this machine, as /proc shows them."""

import os
from pathlib import Path

from hub.tasks import PROCESSES

PROC = Path("/proc")
FOLDER = f"{PROCESSES}=".encode()


def with_environment(name, value):
    """The ids of the processes that live with this in their environment."""
    wanted = f"{name}={value}".encode()
    return [pid for pid in _all() if wanted in environment(pid) and alive(pid)]


def workers(name, value):
    """Of these, the ones that drain: such a one has left a file with its id where its supervisor looks."""
    return [pid for pid in with_environment(name, value) if _drains(pid)]


def _drains(pid):
    folders = [one.removeprefix(FOLDER).decode() for one in environment(pid) if one.startswith(FOLDER)]
    return any((Path(one) / str(pid)).exists() for one in folders)


def environment(pid):
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended
        return []


def alive(pid):
    return state(pid) not in ("", "Z", "X")


def state(pid):
    return (_stat(pid) or [""])[0]


def parent(pid):
    return int((_stat(pid) or ["", "0"])[1])


def ancestors(pid):
    while (pid := parent(pid)) > 1:
        yield pid


def _stat(pid):
    """Behind the name, which may hold anything."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _all():
    return [int(one) for one in os.listdir(PROC) if one.isdecimal()]
