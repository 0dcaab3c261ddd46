"""A mapping tried on a real record: what the published version makes of it beside what the draft would."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest

from connectors.errors import ConnectorError
from hub import rules
from hub.finding import find
from hub.masking import Mask, path_is_personal
from hub.masking import shown as masked_value
from hub.models import Flow, Mapping, MappingVersion, Message
from hub.preview import Preview, preview
from hub.published import published
from hub.publishing import target_of
from hub.sides import flat, label_of, same
from hub.sources import flows_of
from mappings.problems import BadRule
from mappings.rules import read_mapping


def preview_context(request: HttpRequest, mapping: Mapping, draft: MappingVersion | None) -> dict[str, Any]:
    flows = flows_of(mapping)
    asked = request.GET.get("record", "").strip()
    flow, key, said = _record(flows, asked)
    context: dict[str, Any] = {"asked": asked, "key": key, "flow": flow, "problem": "", "rows": []}
    if flow is None:
        return {**context, "problem": said}
    try:
        now = preview(published(flow), flow.pair, key)
        then = _with(flow, mapping, draft, key) if draft else None
    except (ConnectorError, BadRule) as error:
        return {**context, "problem": f"It cannot be tried now: {error}"}
    shown = {
        "rows": _rows(mapping, now, then),
        "now": _told(now, mapping),
        "then": _told(then, mapping) if then else None,
    }
    return {**context, **shown}


def _record(flows: list[Flow], asked: str) -> tuple[Flow | None, str, str]:
    """The record that was asked for, by the shop's id or what people know it by; else the newest that came."""
    if not flows:
        return None, "", "No flow of this pair uses this mapping, so there is no record to try it on."
    rows = Message.objects.filter(flow__in=flows).select_related("lane", "flow__pair")
    found = (find(rows, asked) if asked else rows).order_by("-pk").first()
    if found:
        flow = next(one for one in flows if one.pk == found.flow_id)
        return flow, found.lane.key, ""
    if asked:
        return flows[0], asked, ""
    return None, "", "No record has come yet. Type the id of one in the shop."


def _with(flow: Flow, mapping: Mapping, draft: MappingVersion, key: str) -> Preview:
    made = read_mapping(mapping.name, rules.data_of(draft))
    standing = published(flow)
    return preview(replace(standing, mappings={**standing.mappings, mapping.name: made}), flow.pair, key)


def _values(found: Preview | None, mapping: Mapping) -> dict[str, Any]:
    mapped = found.work.mapped.get(mapping.name) if found and found.work else None
    return dict(flat(mapped.record)) if mapped else {}


def _rows(mapping: Mapping, now: Preview, then: Preview | None) -> list[dict[str, Any]]:
    """Field by field; personal data is masked."""
    entity = target_of(mapping)
    left, right = _values(now, mapping), _values(then, mapping)
    work = now.work or (then.work if then else None)
    mask = Mask(work.record if work else {})
    found = []
    for one in dict.fromkeys([*left, *right]):
        before, after = left.get(one), right.get(one)
        changed = then is not None and not same(before, after)
        personal = path_is_personal(f"{mapping.name}.{one}")
        before, after = (_masked(value, personal, mask) for value in (before, after))
        label = label_of(entity, one) if entity else one
        found.append({"path": one, "label": label, "before": before, "after": after, "changed": changed})
    return found


def _masked(value: Any, personal: bool, mask: Mask) -> Any:
    if personal:
        return masked_value(value)
    return mask.text(value) if isinstance(value, str) else value


def _told(found: Preview, mapping: Mapping) -> dict[str, Any]:
    """What would become of the record, in words."""
    outcome = found.outcome
    mask = Mask(found.work.record if found.work else {})
    return {
        "state": "would be sent" if outcome.state == "done" else f"would be {outcome.state}",
        "good": outcome.state == "done",
        "reason": mask.text(outcome.reason),
        "awaits": found.awaits,
    }
