"""One message: what it is, why it is not in the ERP, what to do about it, and the proof."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse

from connectors import systems
from connectors.base import Entity
from hub.admin import words
from hub.admin.personal import customer, in_clear
from hub.again import STOPPED, newer_was_sent
from hub.evidence import ANSWERED, LINEAGE, read
from hub.links import links_of
from hub.lookups import offered
from hub.masking import Mask, masked, path_is_personal
from hub.masking import shown as masked_value
from hub.models import Attempt, AuditEntry, Block, Mapping, Message
from hub.secrets import CannotDecrypt
from hub.sides import Side, sides
from mappings.texts import words as as_text

MOST_ATTEMPTS = 20
LONGEST_BODY = 20_000  # characters of a body that are shown


def message_page(page: Any, request: HttpRequest, message: Message, **more: Any) -> HttpResponse:
    clear = in_clear(request, message)
    attempts = list(message.attempts.order_by("-number")[:MOST_ATTEMPTS])
    chosen = _chosen(attempts, request.GET.get("attempt", ""))
    context = {
        "message": message,
        "entity": words.entity_words(message.flow),
        "badge": words.state_badge(message),
        "kind": words.class_words(message.kind) if message.kind else "",
        "customer": customer(message, clear),
        "amount": words.money(message.amount, message.currency),
        "age": words.age_of(message),
        "clear": clear,
        "links": links_of(message),
        "attempts": attempts,
        "attempt": chosen,
        "steps": _steps(message, chosen),
        "evidence": _evidence(message, chosen, clear),
        "edits": _edits(message, clear),
        "history": AuditEntry.objects.filter(record__startswith=f"Message {message.pk}:").order_by("-pk")[:30],
        "others": message.lane.messages.exclude(pk=message.pk).order_by("-pk")[:10],
        **remedies(request, message),
        **more,
    }
    return page.render(
        request, "message.html", f"{context['entity']} {message.reference or message.lane.key}", **context
    )


def remedies(request: HttpRequest, message: Message) -> dict[str, Any]:
    """What can be done about it, by whoever looks at it."""
    may = request.user.has_perm
    held = message.state == Message.State.HELD
    decides = may("hub.decide_held") if held else may("hub.send_again")
    stopped = message.state in STOPPED
    waits = message.waits_for.select_related("awaited__lane", "awaited__flow__pair__source")[:10]
    return {
        "stopped": stopped,
        "unmapped": _unmapped(message) if stopped else [],
        "may_add_entry": may("hub.change_lookuptable"),
        "may_decide": stopped and decides,
        "may_edit": stopped and decides and may("hub.edit_values") and bool(_mappings(message)),
        "may_unmask": may("hub.unmask"),
        "newer": stopped and newer_was_sent(message),
        "waits_for": [one.awaited for one in waits],
        "awaited_by": message.awaited_by.count(),
        "resumes": _resumes(message),
        "version": message.flow.current.number if message.flow.current else 0,
        "paused": [one for one in (message.flow.pair.source, message.flow.pair.target) if one.paused],
    }


def _mappings(message: Message) -> list[str]:
    current = message.flow.current
    return [one["mapping"] for one in current.steps if one["kind"] == "map"] if current else []


def _resumes(message: Message) -> str:
    """The step that sending it again begins with, or nothing where it begins anew."""
    current = message.flow.current
    steps = current.steps if current else []
    writes = [one["name"] for one in steps if one["kind"] == "write"]
    if not writes or writes[-1] not in message.marks:
        return ""
    done = [n for n, one in enumerate(steps) if one["name"] in message.marks and one["kind"] in ("write", "write back")]
    after = steps[done[-1] + 1 :]
    return str(after[0]["name"]) if after else ""


def _unmapped(message: Message) -> list[dict[str, Any]]:
    """Each value that no table knows, with how many wait for it and what the table answers so far."""
    blocks = Block.objects.filter(message=message, value__closed_at=None).select_related("value__table__pair")
    found = []
    for one in blocks:
        table = one.value.table
        waiting = Block.objects.filter(value=one.value, message__state=Message.State.DEAD_LETTER).count()
        found.append({"value": one.value, "table": table, "waiting": waiting, "offered": offered(table)})
    return found


def _chosen(attempts: list[Attempt], number: str) -> Attempt | None:
    """The one that was asked for, else the newest that got as far as reading the record."""
    asked = next((one for one in attempts if str(one.number) == number), None)
    return asked or next((one for one in attempts if one.came_in), None) or next(iter(attempts), None)


def _steps(message: Message, attempt: Attempt | None) -> list[dict[str, Any]]:
    """Those that were walked, with their times, and those that were not reached."""
    if attempt is None:
        return []
    walked = [{**one, "walked": True, "stopped": False} for one in attempt.steps]
    if walked and attempt.ended_in not in Message.Outcome.values:
        walked[-1]["stopped"] = True
    current = message.flow.current
    names = [(one["name"], one["kind"]) for one in current.steps] if current else []
    last = (walked[-1]["name"], walked[-1]["kind"]) if walked else None
    left = names[names.index(last) + 1 :] if last in names else [] if walked else names
    reached = attempt.ended_in in (Message.Outcome.DONE, Message.Outcome.SKIPPED)
    return walked + [{"name": name, "kind": kind, "walked": False} for name, kind in left if not reached]


def _evidence(message: Message, attempt: Attempt | None, clear: bool) -> dict[str, Any]:
    """Side by side, and every call whole."""
    if attempt is None:
        return {}
    try:
        came_in = read(attempt.came_in) if attempt.came_in else None
        made = read(attempt.mapped) if attempt.mapped else None
        calls = read(attempt.calls) if attempt.calls else None
    except CannotDecrypt as error:
        return {"unreadable": str(error)}
    gone = any(
        digest and value is None
        for digest, value in ((attempt.came_in, came_in), (attempt.mapped, made), (attempt.calls, calls))
    )
    mask = None if clear else Mask(came_in or {}, *[one for name, one in (made or {}).items() if name != LINEAGE])
    return {
        "gone": gone,
        "tables": _tables(message, came_in or {}, made or {}, calls or [], mask),
        "came_in": _came_in(came_in, message, mask),
        "calls": [_call(one, mask) for one in calls or []],
        "writes": sum(one.get("method") not in (None, "GET") for one in calls or []),
    }


def _tables(
    message: Message, came_in: dict[str, Any], made: dict[str, Any], calls: list[dict[str, Any]], mask: Mask | None
) -> list[dict[str, Any]]:
    entities = _target_entities(message)
    found = []
    for name, record in made.items():
        entity = entities.get(name)
        if name in (LINEAGE, ANSWERED) or entity is None or not isinstance(record, dict):
            continue
        lineage, answered = made.get(LINEAGE, {}).get(name, {}), made.get(ANSWERED, {}).get(name)
        rows = sides(entity, record, lineage, came_in, calls, answered)
        for one in rows:
            if mask:
                _mask(one, path_is_personal(f"{name}.{one.path}") or path_is_personal(one.source), mask)
        changed = sum(bool(one.changed) for one in rows)
        found.append({"name": name, "label": entity.label, "rows": rows, "changed": changed})
    return found


def _mask(side: Side, personal: bool, mask: Mask) -> None:
    """A personal field as a whole, and of any other what stands in one elsewhere."""
    for name in ("came_in", "mapped", "sent", "answered"):
        value = getattr(side, name)
        if personal:
            value = masked_value(value)
        elif isinstance(value, str):
            value = mask.text(value)
        setattr(side, name, value)


def _target_entities(message: Message) -> dict[str, Entity]:
    system = systems().get(message.flow.pair.target.system)
    known = {one.name: one for one in system.entities} if system else {}
    targets = Mapping.objects.filter(pair=message.flow.pair_id).values_list("name", "target_entity")
    return {name: known[target] for name, target in targets if target in known}


def _came_in(record: dict[str, Any] | None, message: Message, mask: Mask | None) -> str:
    if not record:
        return ""
    return mask.text(_pretty(masked(record, message.lane.entity))) if mask else _pretty(record)


def _call(call: dict[str, Any], mask: Mask | None) -> dict[str, Any]:
    """As it is shown: bodies in lines, cut where they are long, personal values masked."""
    told = dict(call)
    for name in ("request_body", "response_body"):
        text = _pretty_text(call.get(name) or "")
        text = mask.text(text) if mask else text
        told[name] = text if len(text) <= LONGEST_BODY else text[:LONGEST_BODY] + "\n…"
    told["url"] = mask.text(call.get("url", "")) if mask else call.get("url", "")
    told["failed"] = bool(call.get("error")) or (call.get("status") or 0) >= 400
    told["writes"] = call.get("method") not in (None, "GET", "HEAD")
    return told


def _pretty_text(text: str) -> str:
    try:
        return _pretty(json.loads(text)) if text[:1] in "[{" and text else text
    except ValueError:
        return text


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _edits(message: Message, clear: bool) -> list[dict[str, Any]]:
    found = []
    for one in message.edited.select_related("who").order_by("-pk"):
        changes = [
            {
                "label": change["label"],
                "before": _edited(change, "before", clear),
                "after": _edited(change, "after", clear),
            }
            for change in one.changes
        ]
        found.append({"edit": one, "changes": changes})
    return found


def _edited(change: dict[str, Any], name: str, clear: bool) -> str:
    value = as_text(change[name]) if not isinstance(change[name], dict) else as_text(next(iter(change[name].values())))
    return value if clear or not path_is_personal(f"{change['mapping']}.{change['path']}") else masked_value(value)
