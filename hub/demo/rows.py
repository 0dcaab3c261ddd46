"""The demo's rows: two connections to the sandboxes, their pair, and one person a role."""

from pathlib import Path

from django.conf import settings
from django.db import transaction

from connectors import sandbox_of, systems
from connectors.base import PACE_SETTINGS
from connectors.sandbox import Sandbox
from connectors.session import Session
from hub import publishing, replay, rules
from hub.flows import default_names
from hub.models import Connection, Credential, Mapping, Pair, SyncJob
from hub.pairing import join
from hub.pausing import resume
from hub.people import ROLE_NAMES
from hub.persons import make_person

SHOP, ERP, PAIR = "demo-shop", "demo-erp", "demo"
LABELS = {SHOP: "Maison Lumière (shop sandbox)", ERP: "Dynamics 365 (ERP sandbox)"}
POLL_SECONDS = 5
STRICT = "payment_methods"  # the table whose unknown codes stop an order of the demo


def folder() -> Path:
    found: Path = settings.DEMO_FOLDER
    found.mkdir(parents=True, exist_ok=True)
    return found


def sandboxes() -> tuple[Sandbox, Sandbox]:
    """With what they were left with. The ERP knows the shop's items, but for one. Raises ValueError, KeyError and
    TypeError for a state that cannot be read."""
    shop = sandbox_of("prestashop")(state_file=folder() / "prestashop.json")
    erp = sandbox_of("dynamics365")(state_file=folder() / "dynamics365.json")
    connector = systems()["prestashop"](shop.connection(), Session(transport=shop.transport()))
    replay.seed(erp, connector, frozenset({"PROTO-VASE"}))
    erp.touch()
    erp.save()
    return shop, erp


@transaction.atomic
def make(shop: Sandbox, erp: Sandbox) -> Pair:
    """Rows that are there already keep what people have changed, and get today's addresses."""
    ends = {SHOP: _connection(SHOP, shop), ERP: _connection(ERP, erp)}
    pair = Pair.objects.filter(name=PAIR).first()
    if pair is None:
        pair = Pair(name=PAIR, label="Maison Lumière and Dynamics 365", source=ends[SHOP], target=ends[ERP])
        join(pair, default_names(erp.system), None)
        _ask_about_payment_methods(pair)
    return pair


def _connection(name: str, sandbox: Sandbox) -> Connection:
    row, _ = Connection.objects.get_or_create(name=name, defaults={"system": sandbox.system, "label": LABELS[name]})
    secret = {one.name for one in systems()[sandbox.system].settings if one.secret}
    answers = {**sandbox.connection(), **dict.fromkeys(PACE_SETTINGS, "0")}
    row.settings = {**row.settings, **{key: value for key, value in answers.items() if key not in secret}}
    row.poll_seconds = POLL_SECONDS
    row.save()
    for key in secret & answers.keys():
        if row.answers().get(key) != answers[key]:
            row.credentials.filter(name=key).delete()
            credential = Credential(connection=row, name=key)
            credential.value = answers[key]
            credential.save()
    resume(row)
    return row


def _ask_about_payment_methods(pair: Pair) -> None:
    """An unknown payment method stops the order, instead of being sent in the shop's words."""
    mapping = Mapping.objects.select_related("current").get(pair=pair, name="order")
    if mapping.current is None:
        return
    data = rules.data_of(mapping.current)
    for value in data["values"]:
        steps = value["transform"]
        if any(one.get("table") == STRICT for one in steps):
            value["transform"] = [{"name": "lookup", "table": STRICT}]
    publishing.publish_data(mapping, data, None, "The demo asks about payment methods that its table does not know.")


def people() -> list[tuple[str, str]]:
    """Name and password of one person a role; the name is the role's."""
    found = [(role, f"{role}-demo") for role in ROLE_NAMES]
    for name, password in found:
        make_person(name, [name], password)
    return found


def forget() -> None:
    """Everything of the demo but its people: what they did stays in the audit entries."""
    for pair in Pair.objects.filter(name=PAIR):
        replay.forget(pair)
    SyncJob.objects.filter(connection__name__in=(SHOP, ERP)).delete()
    Connection.objects.filter(name__in=(SHOP, ERP)).delete()
    for file in folder().glob("*.json"):
        file.unlink()
