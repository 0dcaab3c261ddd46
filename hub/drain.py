"""Drains the lanes: claims what is due and works on it in threads until nothing is left or the time is over."""

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache

from django.db import close_old_connections, connection

from hub.handling import handle
from hub.lanes import LEASE, Claim, claim, renew

THREADS = 16
SECONDS = 30.0


@cache
def _pool() -> ThreadPoolExecutor:
    """Made after a worker process was forked, and kept with it."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="lane")


def drain(seconds: float = SECONDS) -> int:
    """Returns how many lanes were worked on. After `seconds` nothing more is claimed; what runs is finished."""
    until = time.monotonic() + seconds
    at_work: dict[Future[None], Claim] = {}
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(at_work, stop), daemon=True)
    heart.start()
    worked = 0
    try:
        while True:
            free = THREADS - len(at_work)
            claims = claim(free) if free and time.monotonic() < until else []
            for one in claims:
                at_work[_pool().submit(_in_thread, one)] = one
            if not at_work:
                return worked
            finished, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for future in finished:
                del at_work[future]
                future.result()
                worked += 1
    finally:
        stop.set()
        heart.join()


def _in_thread(one: Claim) -> None:
    close_old_connections()
    try:
        handle(one)
    finally:
        close_old_connections()


def _beat(at_work: dict[Future[None], Claim], stop: threading.Event) -> None:
    """Renews the claims by a connection of its own, so that no long call or query holds the heartbeat back."""
    while not stop.wait(LEASE.total_seconds() / 4):
        renew(list(at_work.values()))
    connection.close()
