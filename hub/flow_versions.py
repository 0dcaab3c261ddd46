"""Changes of a flow: on and off, its settings, and its steps as versions that are compared, published and restored."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from hub import audit
from hub.flows import defaults_of
from hub.models import Flow, FlowVersion
from hub.published import forget
from hub.publishing import NotPublished
from hub.steps import KINDS
from mappings.conditions import read_condition
from mappings.problems import BadRule
from mappings.wording import condition_text

Steps = list[dict[str, Any]]
TEXTS = ("name", "reason", "missing", "several", "remedy", "label")  # of a step, as operators read them
CONDITIONS = ("when", "skip", "optional")


def declared(flow: Flow) -> list[dict[str, Any]]:
    """The settings that the ERP's folder declares for the flow, and those that only the row has, as plain ones."""
    try:
        known = list(defaults_of(flow.pair.target.system, flow.name).flow["settings"])
    except (FileNotFoundError, BadRule):
        known = []
    names = {one["name"] for one in known}
    others = [
        {"name": name, "label": name, "default": value} for name, value in flow.settings.items() if name not in names
    ]
    return [*known, *others]


def value_of(setting: dict[str, Any], text: str | None) -> Any:
    """What was typed for a setting; of a switch None is off. Raises ValueError in words."""
    default = setting["default"]
    if isinstance(default, bool):
        return text in ("on", "true", "yes")
    plain = (text or "").strip()
    if setting.get("choices"):
        if plain not in setting["choices"]:
            raise ValueError(f"Choose one of {', '.join(setting['choices'])}.")
        return plain
    if isinstance(default, int):
        if not plain.lstrip("-").isdecimal() or len(plain) > 9:
            raise ValueError(f"{plain!r} is no whole number.")
        return int(plain)
    if len(plain) > 500:
        raise ValueError("500 characters at most.")
    return plain


@transaction.atomic
def save_settings(flow: Flow, values: dict[str, Any], who: User | None) -> list[str]:
    """Returns the labels of what changed. Messages that are walked from now on take it."""
    locked = Flow.objects.select_for_update(of=("self",)).select_related("pair").get(pk=flow.pk)
    labels = {one["name"]: one["label"] for one in declared(locked)}
    changed = [name for name, value in values.items() if locked.settings.get(name) != value]
    if changed:
        before = {name: locked.settings.get(name) for name in changed}
        locked.settings = {**locked.settings, **values}
        locked.save(update_fields=["settings"])
        audit.note(who, "changed settings", locked, before, {one: values[one] for one in changed}, locked.pair)
    return [labels.get(one, one) for one in changed]


@transaction.atomic
def switch(flow: Flow, on: bool, who: User | None) -> bool:
    """False where it was so already."""
    locked = Flow.objects.select_for_update(of=("self",)).select_related("pair").get(pk=flow.pk)
    if locked.on == on:
        return False
    locked.on = on
    locked.save(update_fields=["on"])
    what = "switched on" if on else "switched off"
    audit.note(who, what, locked, {"on": not on}, {"on": on}, locked.pair)
    return True


def _next(flow: Flow) -> int:
    newest = flow.versions.order_by("-number").values_list("number", flat=True).first()
    return (newest or 0) + 1


@transaction.atomic
def publish(flow: Flow, steps: Steps, report: dict[str, Any], who: User | None, note: str) -> FlowVersion:
    """A new version with these steps, which messages take from now on; a draft of the flow is gone. Raises NotPublished
    for steps that cannot work, and for a missing note."""
    locked = Flow.objects.select_for_update(of=("self",)).select_related("current", "pair").get(pk=flow.pk)
    if not note.strip():
        raise NotPublished("Say what changes and why: the note is what others find the version by.")
    if found := [f"Step '{name}' {words}" for name, words in faults(locked, steps)]:
        raise NotPublished(" ".join(found))
    locked.versions.filter(published_at=None).delete()
    made = FlowVersion.objects.create(
        flow=locked,
        number=_next(locked),
        steps=steps,
        report=report,
        who=who,
        note=note.strip()[:500],
        published_at=timezone.now(),
    )
    told = difference(locked.current.steps if locked.current else [], steps)
    locked.current = made
    locked.save(update_fields=["current"])
    old, new = {place: left for place, left, _ in told}, {place: right for place, _, right in told}
    audit.note(who, f"published version {made.number}: {made.note}"[:200], locked, old, new, locked.pair)
    forget()
    return made


def faults(flow: Flow, steps: Steps) -> Iterator[tuple[str, str]]:
    """The step's name and what is wrong with it."""
    yield from step_faults(steps, set(flow.pair.mappings.values_list("name", flat=True)))


def step_faults(steps: Steps, mappings: set[str]) -> Iterator[tuple[str, str]]:
    """The same where no row stands yet; `mappings` are the names of the pair's."""
    for one in steps:
        name = str(one.get("name", "without a name"))
        if one.get("kind") not in KINDS:
            yield name, f"is of no kind that there is: {', '.join(sorted(KINDS))}."
        if "mapping" in one and one["mapping"] not in mappings:
            yield name, f"names the mapping {one['mapping']!r}, which the pair does not have."
        for condition in CONDITIONS:
            if one.get(condition) is not None:
                try:
                    read_condition(one[condition], f"'{condition}'")
                except BadRule as error:
                    yield name, f"cannot be read: {error}."
    if not steps:
        yield "none", "is there: a flow needs steps."


def difference(before: Steps, after: Steps) -> list[tuple[str, str, str]]:
    """Step by step, in words."""
    left, right = dict(_placed(before)), dict(_placed(after))
    found = []
    for place in dict.fromkeys([*left, *right]):
        old, new = left.get(place, {}), right.get(place, {})
        if place not in right or place not in left:
            found.append((place, "there" if place in left else "", "there" if place in right else ""))
            continue
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                found.append((f"{place}, {name}", _words(name, old.get(name)), _words(name, new.get(name))))
    order = list(left) != list(right) and set(left) == set(right)
    return [*found, ("The order of the steps", "", "changed")] if order else found


def _placed(steps: Steps) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in steps:
        yield f"{one.get('kind', '')} '{one.get('name', '')}'", one


def _words(name: str, value: Any) -> str:
    if value is None:
        return ""
    return condition_text(value) if name in CONDITIONS else str(value)
