"""Worker processes of this machine: what each is called for as long as it lives, and which are gone."""

import os
import socket
from collections.abc import Iterable
from pathlib import Path


def this_process(pid: int) -> str:
    """Who we are among all workers, for as long as we live: host, process id and when it began."""
    try:
        state, *_ = told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        began = told[19] if state not in ("Z", "X") else "ended"  # nobody has asked yet what it ended with
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        began = space = ""
    return f"{socket.gethostname()} {space} {pid} {began}"[:100]


def of_this_machine() -> str:
    """What the names of all its processes begin with."""
    return this_process(os.getpid()).rsplit(" ", 2)[0] + " "


def gone(names: Iterable[str]) -> list[str]:
    """Those of them, all of this machine, that live no longer."""
    return [one for one in names if this_process(int(one.split(" ")[2])) != one]
