"""What rows say, kept for two seconds. One thread reads it anew for all; the others go on with what was there."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
SECONDS = 2.0


class Fresh(Generic[K, V]):
    def __init__(self, read: Callable[[K], V]) -> None:
        """`read` may raise; then nothing is kept and whoever asked is told."""
        self._read = read
        self._kept: dict[K, tuple[float, V]] = {}
        self._reading = threading.Lock()

    def get(self, key: K) -> V:
        kept = self._kept.get(key)
        if kept and time.monotonic() - kept[0] < SECONDS:
            return kept[1]
        if not self._reading.acquire(blocking=kept is None or time.monotonic() - kept[0] > 2 * SECONDS):
            assert kept  # noqa: S101  for the type checker
            return kept[1]
        try:
            kept = self._kept.get(key)
            if kept and time.monotonic() - kept[0] < SECONDS:
                return kept[1]
            age = self._kept
            value = self._read(key)
            if age is self._kept:  # nobody has forgotten it meanwhile
                self._kept[key] = (time.monotonic(), value)
            return value
        finally:
            self._reading.release()

    def forget(self) -> None:
        self._kept = {}
