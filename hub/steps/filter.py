"""Filter: a record that meets the condition is skipped, with the rule's reason."""

from typing import Any

from connectors.errors import Skip
from hub.work import Work
from mappings.conditions import read_condition


def filter_out(step: dict[str, Any], work: Work) -> None:
    """`skip` is the condition; `setting` names the setting that switches the rule on. Raises Skip."""
    if step.get("setting") and not work.record["settings"][step["setting"]]:
        return
    if read_condition(step["skip"], step["name"]).holds(work.scope):
        raise Skip(f"{step['reason']}: rule '{step['name']}'.")
