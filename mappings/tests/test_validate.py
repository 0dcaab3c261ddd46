"""The check against the target's fields: everything at once, each with path, value and remedy."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mappings.apply import Mapped, apply
from mappings.problems import MappingProblems
from mappings.rules import read_mapping
from mappings.validate import validate


@dataclass(frozen=True)
class Field:
    name: str
    type: str = "text"
    required: bool = False
    writable: bool = True
    max_length: int | None = None
    choices: tuple = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    fields: tuple = ()

    @property
    def label(self):
        return self.name.title()


FIELDS = (
    Field("name", required=True, max_length=5),
    Field("state", "choice", choices=((1, "New"), (2, "Pending"))),
    Field("total", "money", writable=False),
    Field("freight", "money", minimum=Decimal(0), maximum=Decimal(100)),
    Field("paid", "boolean"),
    Field("due", "date"),
    Field("sent", "datetime"),
    Field("lines", "rows", fields=(Field("item", required=True), Field("pieces", "decimal"))),
)


def whats(record):
    return {one.target: one.what for one in validate(Mapped(record), FIELDS)}


def test_a_sound_record_has_no_problem():
    record = {"name": "abc", "state": 2, "freight": Decimal("1.5"), "paid": True, "due": date(2026, 1, 1)}
    record |= {"sent": datetime(2026, 1, 1, tzinfo=UTC), "lines": [{"item": "a", "pieces": 2}]}
    assert whats(record) == {}


def test_every_problem_comes_at_once():
    record = {
        "name": "too long",
        "state": 9,
        "freight": Decimal(-1),
        "lines": [{"item": "a"}, {"pieces": "2"}],
        "odd": 1,
    }
    assert whats(record).keys() == {"name", "state", "freight", "lines[1].item", "lines[1].pieces", "odd"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("name", 5, "not of the type"),
        ("total", Decimal(1), "cannot be written"),
        ("freight", 1.5, "not of the type"),
        ("freight", True, "not of the type"),
        ("freight", Decimal("NaN"), "not of the type"),
        ("freight", Decimal(101), "outside"),
        ("paid", 1, "not of the type"),
        ("due", datetime(2026, 1, 1, tzinfo=UTC), "not of the type"),
        ("sent", datetime(2026, 1, 1), "no time zone"),  # noqa: DTZ001
        ("lines", {}, "not of the type"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(name, value, words):
    assert words in whats({"name": "abc", name: value})[name]


def test_a_problem_leads_back_to_the_source_and_shows_value_and_remedy():
    mapping = read_mapping("m", {"to": "x", "rules": [{"to": "name", "from": "customer.name"}]})
    result = apply(mapping, {"customer": {"name": "far too long"}}, {})
    with pytest.raises(MappingProblems) as caught:
        raise MappingProblems(validate(result, FIELDS))
    assert str(caught.value) == (
        "customer.name -> name: has 12 characters, and 'Name' takes 5 (value: 'far too long'). "
        "Shorten it, or add 'shorten' to the rule."
    )


def test_a_field_that_is_empty_for_a_reason_already_named_is_not_named_again():
    assert validate(Mapped({}), FIELDS, {"name"}) == []
    assert validate(Mapped({}), FIELDS)[0].what == "is empty, and 'Name' is required"
