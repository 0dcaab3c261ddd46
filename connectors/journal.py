"""What was written to a sandbox and when, as lines of JSON, so that a test can tell whether two writes of one record
overlapped and whether one was carried out twice."""

import json
import os
import threading
import time
import weakref
from pathlib import Path


class Journal:
    """Appends to a file, one line an event, at once, in the order in which they happened: {"key": the record, "event":
    "begin", "committed" or "end", "at": epoch seconds as text, "id": number of the request, "method"}, and "changed" of
    a commit: whether it left anything behind. A fault before the commit leaves no "committed"."""

    def __init__(self, file: Path) -> None:
        """Raises OSError where the file cannot be written."""
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        weakref.finalize(self, os.close, self._file)
        self._last = file.read_bytes().count(b"\n")  # no lower than any id of an earlier run
        self._lock = threading.Lock()

    def begin(self, key: str, method: str) -> "Entry":
        with self._lock:
            self._last += 1
            entry = Entry(self, {"key": key, "id": self._last, "method": method})
        entry.note("begin")
        return entry

    def write(self, line: dict[str, str | int | bool]) -> None:
        with self._lock:
            os.write(self._file, json.dumps(line | {"at": f"{time.time():.6f}"}).encode() + b"\n")


class Entry:
    """One request's lines."""

    def __init__(self, journal: Journal, facts: dict[str, str | int]) -> None:
        self._journal = journal
        self._facts = facts

    def note(self, event: str) -> None:
        self._journal.write({**self._facts, "event": event})

    def committed(self, *, changed: bool) -> None:
        self._journal.write({**self._facts, "event": "committed", "changed": changed})
