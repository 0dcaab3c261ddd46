"""Reads a file of what is set up, and knows the line of everything in it."""

import os
import re
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

LARGEST = 5 * 1024 * 1024  # bytes
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
FLOAT = "tag:yaml.org,2002:float"


class BadFile(Exception):
    """The file is refused whole: every fault with its line."""

    def __init__(self, name: str, faults: list[tuple[int, str]]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(f"{name}, line {line}: {words}" for line, words in self.faults))


@dataclass
class File:
    """The file's content as plain values. `lines` are the lines of everything, by its path."""

    name: str
    data: dict[str, Any]
    lines: dict[tuple[Any, ...], int]
    faults: list[tuple[int, str]] = field(default_factory=list)

    def wrong(self, path: tuple[Any, ...], words: str) -> None:
        """Notes a fault at the path, or at the nearest line above it."""
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        self.faults.append((self.lines.get(at, 1), words))

    def refuse(self) -> None:
        """Raises BadFile where any fault was noted."""
        if self.faults:
            raise BadFile(self.name, self.faults)

    def known(self, path: tuple[Any, ...], value: Any, names: tuple[str, ...], needed: tuple[str, ...] = ()) -> bool:
        """Whether the value is a mapping with these names and no other; faults are noted."""
        if not isinstance(value, dict):
            self.wrong(path, f"'{path[-1] if path else 'the file'}' must hold names and values, such as 'label: …'.")
            return False
        for name in value:
            if name not in names:
                near = get_close_matches(str(name), names, 1)
                guess = f" Is {near[0]!r} meant?" if near else ""
                self.wrong((*path, name), f"{name!r} is not known here; there are {', '.join(names)}.{guess}")
        for name in needed:
            if name not in value:
                self.wrong(path, f"{name!r} is missing.")
        return all(one in names for one in value) and all(one in value for one in needed)


def read(name: str, content: bytes) -> File:
    """Raises BadFile for what is no such file."""
    if len(content) > LARGEST:
        raise BadFile(name, [(1, f"The file is larger than {LARGEST // 1024**2} MB.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadFile(name, [(line, "It is not written in UTF-8.")]) from error
    _refuse_aliases(name, text)
    try:
        found = _reader().load(text)
    except DuplicateKeyError as error:
        raise BadFile(name, [(_line(error), f"{_about(error)} stands there twice.")]) from error
    except MarkedYAMLError as error:
        raise BadFile(
            name, [(_line(error), f"This cannot be read as YAML: {error.problem or error.context}.")]
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadFile(name, [(1, f"This cannot be read as YAML: {error}.")]) from error
    if not isinstance(found, CommentedMap):
        raise BadFile(name, [(1, "It must begin with 'tillbridge: 1'.")])
    lines: dict[tuple[Any, ...], int] = {(): 1}
    data = _plain(found, (), lines)
    return File(name, data, lines)


def _reader() -> YAML:
    """Numbers with a point keep every digit; no tag makes an object."""
    reader = YAML(typ="rt", pure=True)
    constructor = reader.constructor

    def exact(self: Any, node: Any) -> Decimal:
        return Decimal(node.value.replace("_", ""))

    constructor.add_constructor(FLOAT, exact)
    return reader


def _refuse_aliases(name: str, text: str) -> None:
    """One thing that stands for many can make a small file huge; nothing here needs it."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"(?:^|[\s\[{,:-])[&*][A-Za-z0-9_]+(?:\s|$|,)", line) and not re.search(r"[\"'|>]", line):
            raise BadFile(name, [(number, "Anchors and aliases (& and *) are not taken: write it out.")])
        if re.search(r"(?:^|\s)!!?[A-Za-z]", line) and not re.search(r"[\"']", line):
            raise BadFile(name, [(number, "Tags (!) are not taken.")])


def _plain(value: Any, path: tuple[Any, ...], lines: dict[tuple[Any, ...], int]) -> Any:
    if isinstance(value, CommentedMap):
        found = {}
        for name, one in value.items():
            key = str(name) if not isinstance(name, bool) else ("on" if name else "off")
            lines[(*path, key)] = value.lc.key(name)[0] + 1
            found[key] = _plain(one, (*path, key), lines)
        return found
    if isinstance(value, CommentedSeq):
        for number in range(len(value)):
            lines[(*path, number)] = value.lc.item(number)[0] + 1
        return [_plain(one, (*path, number), lines) for number, one in enumerate(value)]
    if isinstance(value, bool) or value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return int(value)
    return str(value)


def filled(file: File, path: tuple[Any, ...], text: str) -> str:
    """The text with its ${NAME} taken from the environment; one that is not set is noted."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            file.wrong(path, f"The environment variable {found[1]} is not set.")
        return os.environ.get(found[1], "")

    return VARIABLE.sub(value, text)


def _line(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _about(error: DuplicateKeyError) -> str:
    found = re.search(r'found duplicate key "([^"]*)"', str(error.problem))
    return repr(found[1]) if found else "A name"
