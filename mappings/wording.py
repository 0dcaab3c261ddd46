"""Transforms and conditions as one readable line, and back without loss.

    lookup table=carriers default=nothing | shorten length=100
    template text="PS-{id}"                      unit price total={difference} quantity=1
    current_state.kind is cancelled and found.sent_before is empty
    (a.company is not empty or b.company is not empty) and total is more than 10.50

`{path}` as a value is what stands at that path. A word needs no quotes where it cannot be taken for anything else.
"""

import json
import re
from decimal import Decimal
from typing import Any

from mappings.conditions import read_condition
from mappings.problems import BadRule
from mappings.transforms import TRANSFORMS

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.:%+-]*")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(?![\w.-])")
PATH = re.compile(r"[^\s(){}]+")
NAME = re.compile(r"[A-Za-z_]\w*(?==)")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
LITERALS = {"true": True, "false": False, "nothing": None}
TAKEN = {*LITERALS, "empty", "not", "in", "more", "less", "and", "or", "all", "any", "is"}


def transforms_text(steps: list[dict[str, Any]]) -> str:
    return " | ".join(_step_text(one) for one in steps)


def _step_text(step: dict[str, Any]) -> str:
    arguments = [f"{name}={_value_text(value)}" for name, value in step.items() if name != "name"]
    return " ".join([str(step["name"]), *arguments])


def _value_text(value: Any) -> str:
    for word, literal in LITERALS.items():
        if value is literal:
            return word
    if isinstance(value, dict):
        if set(value) != {"path"}:
            raise BadRule(f"an argument is a value or a path, not {value!r}")
        return "{" + str(value["path"]) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_value_text(one) for one in value)}]"
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    text = str(value)
    return text if WORD.fullmatch(text) and text not in TAKEN else json.dumps(text, ensure_ascii=False)


def read_transforms(text: str, place: str = "the rule") -> list[dict[str, Any]]:
    """Raises BadRule with the place, what is wrong and what is expected."""
    reader = _Reader(text, place)
    steps = []
    while not reader.at_end():
        steps.append(reader.step())
        if not reader.at_end():
            reader.expect("|", "'|' between two transforms")
            if reader.at_end():
                raise reader.wrong("a transform after '|'")
    return steps


def condition_text(condition: dict[str, Any] | None) -> str:
    return _condition_text(condition, False) if condition is not None else ""


def _condition_text(data: dict[str, Any], inside: bool) -> str:
    for group, word in (("all", " and "), ("any", " or ")):
        if group in data:
            parts = [_condition_text(one, True) for one in data[group]]
            if len(parts) < 2:
                return f"{group} of ({', '.join(parts)})"
            return f"({word.join(parts)})" if inside else word.join(parts)
    if "not" in data:
        return f"not ({_condition_text(data['not'], False)})"
    path = str(data["path"])
    if "empty" in data:
        return f"{path} is empty" if data["empty"] else f"{path} is not empty"
    if "in" in data:
        return f"{path} in {_value_text(list(data['in']))}"
    for test, words in (("more_than", "more than "), ("less_than", "less than "), ("equals", "")):
        if test in data:
            return f"{path} is {words}{_value_text(data[test])}"
    raise BadRule(f"there is no such condition: {data!r}")


def read_condition_text(text: str, place: str = "the condition") -> dict[str, Any] | None:
    """None for an empty text. Raises BadRule with the place, what is wrong and what is expected."""
    if not text.strip():
        return None
    reader = _Reader(text, place)
    found = reader.condition()
    if not reader.at_end():
        raise reader.wrong("'and', 'or' or the end")
    read_condition(found, place)
    return found


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str, place: str) -> None:
        self.text, self.place, self.at = text, place, 0

    def wrong(self, expected: str) -> BadRule:
        rest = self.text[self.at :].strip()
        where = f"before {rest[:30]!r}" if rest else "at the end"
        return BadRule(f"{self.place}: {where}, {expected} is expected")

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def at_end(self) -> bool:
        self.blanks()
        return self.at >= len(self.text)

    def take(self, pattern: re.Pattern[str]) -> str | None:
        self.blanks()
        found = pattern.match(self.text, self.at)
        if not found:
            return None
        self.at = found.end()
        return found[0]

    def word(self, word: str) -> bool:
        """Takes the word where it stands next, as a whole."""
        return self.take(re.compile(re.escape(word) + (r"(?![\w.])" if word.isalpha() else ""))) is not None

    def expect(self, word: str, expected: str) -> None:
        if not self.word(word):
            raise self.wrong(expected)

    def step(self) -> dict[str, Any]:
        self.blanks()
        known = sorted(TRANSFORMS, key=len, reverse=True)
        name = next((one for one in known if self.word_of(one)), None)
        if name is None:
            raise self.wrong(f"a transform ({', '.join(sorted(TRANSFORMS))})")
        step: dict[str, Any] = {"name": name}
        transform = TRANSFORMS[name]
        while (argument := self.take(NAME)) is not None:
            if argument not in transform.arguments:
                takes = ", ".join(transform.arguments) or "none"
                raise BadRule(f"{self.place}: {name} has no argument {argument!r}; it takes {takes}")
            if argument in step:
                raise BadRule(f"{self.place}: {name} has {argument!r} twice")
            self.at += 1
            step[argument] = self.value()
        if missing := [one for one in transform.required if one not in step]:
            raise BadRule(f"{self.place}: {name} needs {', '.join(missing)}")
        return step

    def word_of(self, name: str) -> bool:
        return self.take(re.compile(re.escape(name) + r"(?![\w=])")) is not None

    def value(self) -> Any:
        self.blanks()
        if self.word("{"):
            path = self.take(re.compile(r"[^{}]+"))
            self.expect("}", "'}' after a path")
            return {"path": (path or "").strip()}
        if self.word("["):
            return self.values("]")
        if (text := self.take(STRING)) is not None:
            try:
                return json.loads(text)
            except ValueError as error:
                raise BadRule(f"{self.place}: {text} is no text that can be read") from error
        if (number := self.take(NUMBER)) is not None:
            return Decimal(number) if "." in number else int(number)
        word = self.take(WORD)
        if word is None:
            raise self.wrong('a value: a word, a "text", a number, {a path}, [a list], true, false or nothing')
        return LITERALS.get(word, word)

    def values(self, end: str) -> list[Any]:
        found: list[Any] = []
        while not self.word(end):
            if found:
                self.expect(",", f"',' or '{end}'")
            found.append(self.value())
        return found

    def condition(self) -> dict[str, Any]:
        first = self.part()
        for word, group in (("and", "all"), ("or", "any")):
            if self.word(word):
                parts = [first, self.part()]
                while self.word(word):
                    parts.append(self.part())
                if self.word("or" if word == "and" else "and"):
                    raise BadRule(
                        f"{self.place}: put ( ) around what belongs together where 'and' and 'or' stand side by side"
                    )
                return {group: parts}
        return first

    def part(self) -> dict[str, Any]:
        if self.word("("):
            found = self.condition()
            self.expect(")", "')'")
            return found
        start = self.at
        for group in ("all", "any"):
            if self.word(group):
                if self.word("of") and self.word("("):
                    return {group: self.conditions()}
                self.at = start
        if self.word("not"):
            self.expect("(", "'(' after 'not'")
            found = self.condition()
            self.expect(")", "')'")
            return {"not": found}
        return self.test()

    def conditions(self) -> list[Any]:
        found: list[Any] = []
        while not self.word(")"):
            if found:
                self.expect(",", "',' or ')'")
            found.append(self.condition())
        return found

    def test(self) -> dict[str, Any]:
        path = self.take(PATH)
        if path is None:
            raise self.wrong("a path such as customer.company")
        if self.word("in"):
            self.expect("[", "'[' and a list")
            return {"path": path, "in": self.values("]")}
        self.expect("is", "'is' or 'in'")
        if self.word("empty"):
            return {"path": path, "empty": True}
        if self.word("not"):
            if self.word("empty"):
                return {"path": path, "empty": False}
            return {"not": {"path": path, "equals": self.value()}}
        for word, test in (("more", "more_than"), ("less", "less_than")):
            if self.word(word):
                self.expect("than", "'than'")
                return {"path": path, test: self.value()}
        return {"path": path, "equals": self.value()}
