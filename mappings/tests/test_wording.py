"""Rules as people read and type them: nothing is lost on the way to words and back."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.problems import BadRule
from mappings.wording import condition_text, read_condition_text, read_transforms, transforms_text

FILES = sorted((Path(__file__).resolve().parents[2] / "connectors").glob("*/defaults/*.json"))


def found(data, name):
    """Every value under this name, however deep."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == name:
                yield value
            yield from found(value, name)
    elif isinstance(data, list):
        for one in data:
            yield from found(one, name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_default_rule_survives(file):
    data = json.loads(file.read_text(), parse_float=Decimal)
    for steps in found(data, "transform"):
        assert read_transforms(transforms_text(steps)) == steps
    for name in ("when", "skip", "optional"):
        for condition in found(data, name):
            assert read_condition_text(condition_text(condition)) == condition


def test_a_rule_reads_like_a_sentence():
    steps = [{"name": "lookup", "table": "carriers", "default": None}, {"name": "shorten", "length": 100}]
    assert transforms_text(steps) == "lookup table=carriers default=nothing | shorten length=100"
    both = {"all": [{"path": "gift", "equals": True}, {"path": "a.b", "empty": False}]}
    assert condition_text(both) == "gift is true and a.b is not empty"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(max_size=20)
    | st.decimals(-1000, 1000, places=2, allow_nan=False),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
paths = st.from_regex(r"\A[a-z][a-z_]{0,8}(\.[a-z]{1,5}|\[\]\.[a-z]{1,5})?\Z")


def same(left, right):
    """Also the types: 1, true and 1.00 are three values."""
    return repr(left) == repr(right)


@given(values)
def test_any_value_of_an_argument_survives(value):
    steps = [{"name": "constant", "value": value}]
    assert same(read_transforms(transforms_text(steps)), steps)


tests = st.builds(
    lambda path, value: {"path": path, "equals": value}, paths, values.filter(lambda v: not isinstance(v, list))
)
tests |= st.builds(lambda path, empty: {"path": path, "empty": empty}, paths, st.booleans())
tests |= st.builds(lambda path, some: {"path": path, "in": some}, paths, st.lists(st.text(max_size=5), max_size=3))
tests |= st.builds(lambda path, number: {"path": path, "more_than": number}, paths, st.integers(0, 99))
conditions = st.recursive(
    tests,
    lambda inner: st.builds(
        lambda group, parts: {group: parts}, st.sampled_from(["all", "any"]), st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)


@given(conditions)
def test_any_condition_survives(condition):
    assert same(read_condition_text(condition_text(condition)), condition)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lookip table=x", "a transform"),
        ("lookup tabel=x", "has no argument 'tabel'; it takes table, default, otherwise"),
        ("lookup", "lookup needs table"),
        ("shorten length=", "a value"),
        ('template text="open', "a value"),
        ("trim |", "a transform after '|'"),
        ("trim trim", "'|' between two transforms"),
        ("shorten length=1 length=2", "twice"),
        ("first of=[a, b", "',' or ']'"),
    ],
)
def test_what_cannot_be_read_says_what_is_expected(text, words):
    with pytest.raises(BadRule) as raised:
        read_transforms(text, "rule 3")
    assert words in str(raised.value)
    assert str(raised.value).startswith("rule 3")


@pytest.mark.parametrize(
    "text",
    [
        "gift",
        "gift is",
        "gift is true and",
        "a is 1 and b is 2 or c is 3",
        "(a is 1",
        "a in 5",
        "is is is is",
        "a is more 5",
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(text):
    with pytest.raises(BadRule):
        read_condition_text(text)
