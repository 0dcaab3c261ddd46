"""When a step applies."""

from typing import Any

from mappings.conditions import read_condition
from mappings.paths import Scope


def applies(step: dict[str, Any], scope: Scope, name: str = "when") -> bool:
    """Whether the step's condition of this name holds; a `when` that is absent holds, any other does not."""
    if name not in step:
        return name == "when"
    return read_condition(step[name], step["name"]).holds(scope)
