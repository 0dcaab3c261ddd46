"""The words of a `$filter`."""

import re
from dataclasses import dataclass

from connectors.dynamics365.sandbox.errors import query_error

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<list>\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\])"
    r"|(?P<name>[A-Za-z_][\w.]*(?:/[\w.]+)*)"
    r"|(?P<mark>[(),=:]))"
)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        matched = TOKEN.match(text, at)
        if not matched or not matched.lastgroup:
            raise syntax_error(text, text[at:])
        found.append(Token(matched.lastgroup, matched[matched.lastgroup]))
        at = matched.end()
    return found


def syntax_error(text: str, near: str) -> Exception:
    return query_error(f"Syntax error in '{text}' near '{near}'.")


def unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text
