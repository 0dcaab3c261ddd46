"""Rules as data: what they fill, what they leave empty, and how a rule that cannot be read is refused."""

from decimal import Decimal

import pytest

from mappings.apply import apply
from mappings.problems import BadRule
from mappings.rules import read_mapping
from mappings.transforms import LookupTable

TABLES = {"countries": LookupTable("countries", "Countries", {"FR": "France", "DE": "Germany"})}
ORDER = {
    "id": 44,
    "reference": "ABC",
    "gift": False,
    "carrier": None,
    "currency": {"iso_code": "EUR", "precision": 2},
    "country": "FR",
    "rows": [{"sku": "A", "pieces": 2, "taxes": [{"rate": Decimal("20")}]}, {"sku": "B", "pieces": 1, "taxes": []}],
}


def mapped(*rules, record=ORDER, values=()):
    return apply(read_mapping("test", {"to": "x", "rules": list(rules), "values": list(values)}), record, TABLES)


def test_a_rule_copies_a_value_from_its_path():
    assert mapped({"to": "name", "from": "reference"}).record == {"name": "ABC"}


def test_a_path_through_nothing_is_empty_and_takes_the_default():
    assert mapped(
        {"to": "a", "from": "carrier.name"}, {"to": "b", "from": "carrier.name", "default": "none"}
    ).record == {"b": "none"}


def test_a_path_that_the_record_does_not_have_is_a_problem_of_the_rule():
    problem = mapped({"to": "a", "from": "customer.email"}).problems[0]
    assert "customer.email" in problem.what
    assert problem.target == "a"
    assert "rule" in problem.remedy


def test_a_path_with_brackets_reads_one_row_or_all():
    rules = (
        {"to": "one", "from": "rows[1].sku"},
        {"to": "none", "from": "rows[7].sku"},
        {"to": "all", "from": "rows[].sku"},
    )
    assert mapped(*rules).record == {"one": "B", "all": ["A", "B"]}


def test_transforms_run_in_their_order():
    rule = {"to": "a", "from": "reference", "transform": [{"name": "lower case"}, {"name": "shorten", "length": 2}]}
    assert mapped(rule).record == {"a": "ab"}


def test_a_condition_switches_a_rule():
    constant = [{"name": "constant", "value": 1}]
    assert mapped(
        {"to": "a", "when": {"path": "gift", "equals": True}, "transform": constant},
        {"to": "b", "when": {"not": {"path": "gift", "equals": True}}, "transform": constant},
        {"to": "c", "when": {"path": "currency.precision", "more_than": "1.5"}, "transform": constant},
        {
            "to": "d",
            "when": {"all": [{"path": "country", "in": ["FR"]}, {"path": "carrier", "empty": False}]},
            "transform": constant,
        },
        {
            "to": "e",
            "when": {"any": [{"path": "country", "in": ["FR"]}, {"path": "carrier", "empty": False}]},
            "transform": constant,
        },
    ).record == {"b": 1, "c": 1, "e": 1}


def test_a_number_that_is_none_in_a_condition_is_a_problem_and_not_a_crash():
    problem = mapped({"to": "a", "when": {"path": "reference", "more_than": 1}, "from": "id"}).problems[0]
    assert (problem.path, problem.value, problem.target) == ("reference", "ABC", "a")


def test_rows_come_from_several_places_in_their_order():
    rows = {
        "to": "lines",
        "rows": [
            {
                "each": "rows",
                "when": {"path": "pieces", "more_than": 0},
                "rules": [
                    {"to": "item", "from": "sku"},
                    {"to": "order", "from": "$.reference"},
                    {"to": "rates", "from": "taxes[].rate"},
                ],
            },
            {"when": {"path": "gift", "equals": False}, "rules": [{"to": "item", "from": "reference"}]},
        ],
    }
    result = mapped(rows)
    assert result.record["lines"] == [
        {"item": "A", "order": "ABC", "rates": [Decimal("20")]},
        {"item": "B", "order": "ABC", "rates": []},
        {"item": "ABC"},
    ]
    assert result.lineage["lines[1].item"] == "rows[1].sku"
    assert result.lineage["lines[0].order"] == "reference"


def test_values_are_filled_first_and_empty_ones_can_be_read():
    result = mapped(
        {"to": "a", "transform": [{"name": "template", "text": "{values.country}/{values.gone}"}]},
        values=[
            {"to": "country", "from": "country", "transform": [{"name": "lookup", "table": "countries"}]},
            {"to": "gone", "from": "carrier.name"},
        ],
    )
    assert result.record == {"a": "France/"}


def test_a_value_that_cannot_be_filled_is_a_problem():
    bad = {"to": "country", "from": "reference", "transform": [{"name": "lookup", "table": "countries"}]}
    (problem,) = mapped({"to": "a", "from": "values.country"}, values=[bad]).problems
    assert (problem.path, problem.value) == ("reference", "ABC")


def test_a_target_that_starts_with_an_at_sign_is_named_by_the_connections_settings():
    rule = {"to": "@column", "from": "reference"}
    assert mapped(rule, record={**ORDER, "target": {"column": "new_ref"}}).record == {"new_ref": "ABC"}
    assert mapped(rule, record={**ORDER, "target": {"column": ""}}).record == {}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"from": "a"}, "'to' must name"),
        ({"to": "a", "form": "b"}, "does not know form"),
        ({"to": "a", "transform": [{"name": "explode"}]}, "no transform"),
        ({"to": "a", "transform": [{"name": "shorten"}]}, "shorten needs length"),
        ({"to": "a", "transform": [{"name": "trim", "length": 3}]}, "does not know length"),
        ({"to": "a", "transform": "trim"}, "must be a list"),
        ({"to": "a", "when": {"path": "b"}}, "a condition is a path with one of"),
        ({"to": "a", "when": {"path": "b", "in": "FR"}}, "'in' takes a list"),
        ({"to": "a", "when": {"all": {}}}, "'all' takes a list"),
        ({"to": "a", "when": [1]}, "must be an object"),
        ({"to": "a", "rows": [{"each": "b", "rule": []}]}, "does not know rule"),
        ({"to": "a", "rows": [{"each": "b"}]}, "rules must be a list"),
        ("a", "must be an object"),
    ],
)
def test_a_rule_that_cannot_be_read_names_its_place_and_fault(rule, words):
    with pytest.raises(BadRule, match=words) as caught:
        mapped(rule)
    assert str(caught.value).startswith("test, rule 1")
