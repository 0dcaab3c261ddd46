"""Processes of this machine, as /proc shows them."""

import os
from pathlib import Path

PROC = Path("/proc")


def with_environment(name, value):
    """The ids of the processes that live with this in their environment."""
    wanted = f"{name}={value}".encode()
    return [pid for pid in _all() if wanted in environment(pid) and alive(pid)]


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


def _stat(pid):
    """Behind the name, which may hold anything."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _all():
    return [int(one) for one in os.listdir(PROC) if one.isdecimal()]
