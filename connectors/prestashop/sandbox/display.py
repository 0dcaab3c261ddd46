"""The `display` parameter: none, full, minimum, or fields in brackets with an association's fields nested in it."""

import re

from connectors.prestashop.sandbox.errors import query_refused
from connectors.prestashop.sandbox.schema import Resource
from connectors.prestashop.sandbox.xml import EVERYTHING, Display

PART = re.compile(r"\s*([^,\[\]]+)(?:\[([^\]]*)\])?(?:,|$)")


def parsed_display(resource: Resource, text: str | None) -> Display | None:
    """None where only the ids are asked for. Raises Refused 35 for an unknown field and 36 for a wrong form."""
    if text in (None, "", "minimum"):
        return None
    if text == "full":
        return EVERYTHING
    available = ["id", *resource.by_name]
    whole = re.fullmatch(r"\[(.*)\]", text or "", re.DOTALL)
    if not whole:
        raise query_refused(
            36,
            "The 'display' syntax is wrong. You can set 'full' or '[field_1,field_2,field_3,...]'. "
            f"These are available: {', '.join(available)}",
        )
    fields: set[str] = set()
    rows: dict[str, frozenset[str] | None] = {}
    for name, inner in PART.findall(whole[1]):
        association = next((one for one in resource.associations if one.name == name), None)
        if association:
            rows[name] = frozenset(inner.split(",")) if inner else None
        elif name in available:
            fields.add(name)
        else:
            raise query_refused(
                35, f'Unable to display this field "{name}". However, these are available: {", ".join(available)}'
            )
    return Display(frozenset(fields), tuple(rows.items()))
