"""What the sandboxes' journals say: which requests wrote which record, and when."""

import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations


@dataclass
class Write:
    """One request; times in seconds, None for what has not happened (yet)."""

    key: str
    begin: float
    committed: float | None = None
    changed: bool = False
    end: float | None = None


def writes(file, of=""):
    """Every request that the journal in this file tells of, in the order in which they began; or those alone whose key
    begins like this."""
    found = {}
    for line in file.read_text().splitlines(keepends=True):
        if not line.endswith("\n"):
            break  # it is being written
        if f'"key": "{of}' not in line:
            continue
        said = json.loads(line)
        at = float(said["at"])
        if said["event"] == "begin":
            found[said["id"]] = Write(said["key"], at)
        elif said["event"] == "committed":
            found[said["id"]].committed, found[said["id"]].changed = at, said["changed"]
        else:
            found[said["id"]].end = at
    return list(found.values())


def overlaps(found):
    """Two writes of one record, of which the second began before the first had ended."""
    by_key = defaultdict(list)
    for one in found:
        if "/" in one.key:
            by_key[one.key].append(one)
    for some in by_key.values():
        for earlier, later in combinations(some, 2):
            if earlier.end is None or later.begin < earlier.end:
                yield earlier, later


def commits(found, resource):
    """How many writes of each record of this resource left something behind, by the record's key."""
    counts = defaultdict(int)
    for one in found:
        name, _, key = one.key.partition("/")
        if name == resource:
            counts[key] += one.changed
    return dict(counts)
