"""Makes the changes that a file asks for, inside one transaction."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from hub import audit, lookups, publishing
from hub.models import Connection, Credential, Flow, FlowVersion, LookupTable, Mapping, Pair, SyncJob
from hub.published import forget

Wanted = dict[str, Any]
Difference = list[tuple[str, str, str]]


@dataclass
class By:
    """Who applies which file. `released` counts the messages that new entries have sent again."""

    who: User | None
    file: str
    released: int = 0

    @property
    def note(self) -> str:
        return f"Applied from {self.file}"


def _note(by: By, what: str, row: Any, pair: Pair | None = None, told: Difference | None = None) -> None:
    before, after = {name: left for name, left, _ in told or ()}, {name: right for name, _, right in told or ()}
    audit.note(by.who, f"{what}: {by.note}"[:200], row, before, after, pair)


def add_connection(by: By, name: str, data: Wanted) -> None:
    row = Connection.objects.create(
        name=name,
        label=data["label"],
        system=data["system"],
        poll_seconds=data["poll_seconds"],
        settings=data["settings"],
    )
    _note(by, "added", row)
    for secret, value in data["secrets"].items():
        set_secret(by, name, secret, value)


def change_connection(by: By, name: str, data: Wanted, told: Difference) -> None:
    row = Connection.objects.select_for_update().get(name=name)
    row.label, row.poll_seconds, row.settings = data["label"], data["poll_seconds"], data["settings"]
    row.save()
    _note(by, "changed", row, None, told)


def set_secret(by: By, name: str, secret: str, value: str) -> None:
    row = Connection.objects.get(name=name)
    row.credentials.filter(name=secret, retired_at=None).update(retired_at=timezone.now())
    credential = Credential(connection=row, name=secret)
    credential.value = value
    credential.save()
    _note(by, f"set the secret {secret}", row)


def add_pair(by: By, name: str, data: Wanted) -> None:
    ends = {one: Connection.objects.get(name=data[end]) for one, end in (("source", "shop"), ("target", "erp"))}
    namespace = {"namespace": data["namespace"]} if data["namespace"] else {}
    row = Pair.objects.create(name=name, label=data["label"], **ends, **namespace)
    _note(by, "added", row, row)


def change_pair(by: By, name: str, data: Wanted, told: Difference) -> None:
    row = Pair.objects.select_for_update(of=("self",)).get(name=name)
    row.label = data["label"]
    row.namespace = data["namespace"] or row.namespace
    row.save()
    _note(by, "changed", row, row, told)


def save_table(by: By, owner: str, name: str, data: Wanted) -> None:
    pair = Pair.objects.get(name=owner)
    table, _ = LookupTable.objects.update_or_create(pair=pair, name=name, defaults={"label": data["label"]})
    by.released += lookups.replace(table, data["entries"], by.who, by.note)


def save_mapping(by: By, owner: str, name: str, data: Wanted) -> None:
    pair = Pair.objects.get(name=owner)
    names = {"label": data["label"], "target_entity": data["data"]["to"]}
    mapping, _ = Mapping.objects.update_or_create(pair=pair, name=name, defaults=names)
    publishing.publish_data(mapping, data["data"], by.who, by.note)
    _note(by, "published", mapping, pair)


def save_flow(by: By, owner: str, name: str, data: Wanted) -> None:
    pair = Pair.objects.get(name=owner)
    names = {"label": data["label"], "source_entity": data["from"], "target_entity": data["to"], "on": data["on"]}
    flow, _ = Flow.objects.update_or_create(pair=pair, name=name, defaults={**names, "settings": data["settings"]})
    now = flow.current
    if now is None or (now.steps, now.report) != (data["steps"], data["report"]):
        newest = flow.versions.order_by("-number").values_list("number", flat=True).first() or 0
        flow.current = FlowVersion.objects.create(
            flow=flow,
            number=newest + 1,
            steps=data["steps"],
            report=data["report"],
            who=by.who,
            note=by.note[:500],
            published_at=timezone.now(),
        )
        flow.save()
    _note(by, "changed", flow, pair)
    forget()


def set_poll(by: By, owner: str, entity: str, on: bool) -> None:
    pair = Pair.objects.select_related("source").get(name=owner)
    names: Wanted = {"connection": pair.source, "entity": entity, "kind": SyncJob.Kind.POLL}
    SyncJob.objects.update_or_create(**names, defaults={"on": on})
    _note(by, f"poll of {entity} {'on' if on else 'off'}", pair, pair)
