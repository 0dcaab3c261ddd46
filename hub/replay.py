"""Carries every order of a shop's sandbox into an ERP's through the hub, and says of each what became of it.

1. Both sandboxes are served on ports. Connections, pair and flows are rows like any others, named after the folder that
   keeps the ERP's state, so that a second run meets what the first left behind.
2. A sync job receives every order. They are worked off in this process, and nobody else's messages are.
3. A line of the table is an order's newest message, and what the ERP says when it is asked anew.
4. The connections are paused: what was served is gone.
"""

import json
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from connectors import sandbox_of, systems
from connectors.base import PACE_SETTINGS, Connector
from connectors.errors import ConnectorError, TryLater
from connectors.sandbox import Sandbox
from connectors.serving import serving
from hub import polling
from hub.connecting import close_all, connector_of
from hub.drain import drain
from hub.flows import default_names, defaults_of
from hub.install import install_all
from hub.lanes import free_what_the_dead_hold
from hub.models import Connection, Credential, CrossReference, Flow, Lane, Message, Pair, Quota, SyncJob
from hub.pausing import pause, resume
from hub.published import published
from hub.records import digest
from mappings.amounts import as_amount, quantized
from mappings.paths import Scope
from mappings.texts import fill

ORDERS = "orders"  # the flow
ENDED = "Replay ended: what it served is gone. It goes on with the next replay of the same orders."
IN_DOUBT = Message.State.IN_DOUBT
LOOK = 0.2  # seconds between two looks at what another worker has claimed


@dataclass(frozen=True)
class Line:
    """One order in the table. Amounts are in the order's currency at its smallest unit; `stands` is how many records
    the ERP has under the order's number."""

    reference: str
    id: int
    currency: str
    shop_total: Decimal | None
    erp_total: Decimal | None
    erp_key: str
    state: str
    kind: str
    reason: str
    stands: int = 0

    @property
    def sound(self) -> bool:
        """A done order stands once with the shop's total."""
        return self.state != "done" or (self.stands == 1 and self.shop_total == self.erp_total)

    def as_json(self) -> dict[str, Any]:
        values = {"class" if name == "kind" else name: value for name, value in asdict(self).items()}
        del values["stands"]
        for name in ("shop_total", "erp_total"):
            values[name] = None if values[name] is None else str(values[name])
        return values


def sandboxes(shop: str, erp: str, folder: Path) -> tuple[Sandbox, Sandbox]:
    """The ERP's keeps its state in `folder`. Raises ValueError, KeyError and TypeError for one that cannot be read."""
    return sandbox_of(shop)(), sandbox_of(erp)(state_file=state_file(folder, erp))


def pair_name(folder: Path) -> str:
    return f"replay-{folder.name}"


def state_file(folder: Path, erp: str) -> Path:
    return folder / f"{erp}.json"


def pair_of(shop: Sandbox, erp: Sandbox, folder: Path) -> Pair:
    """The rows of the folder's replay: made anew where the ERP, the default flows or the rows are new. The folder keeps
    the pair's namespace, so that the ERP's records are met again. Raises ValueError, KeyError and TypeError for a file
    there that cannot be read."""
    kept = folder / "pair.json"
    told = json.loads(kept.read_text()) if kept.exists() else {"namespace": str(uuid.uuid4())}
    brought = [defaults_of(erp.system, name) for name in default_names(erp.system)]
    defaults = digest([[one.flow, one.mappings, one.tables] for one in brought])
    pair = Pair.objects.filter(name=pair_name(folder)).first()
    knows = {"namespace": str(pair.namespace), "defaults": defaults} if pair else None
    if pair is None or told != knows or not state_file(folder, erp.system).exists():
        with transaction.atomic():
            if pair:
                forget(pair)
            ends = {
                "source": _connection(f"replay-shop-{folder.name}", shop),
                "target": _connection(f"replay-erp-{folder.name}", erp),
            }
            names = {"name": pair_name(folder), "label": f"Replay of {folder.name}"}
            pair = Pair.objects.create(**names, **ends, namespace=uuid.UUID(told["namespace"]))
            install_all(pair)
        kept.write_text(json.dumps({"namespace": told["namespace"], "defaults": defaults}))
    return pair


@contextmanager
def connected(pair: Pair, shop: Sandbox, erp: Sandbox) -> Iterator[None]:
    """Serves both sandboxes on ports of their own, and connects the pair to them."""
    with ExitStack() as stack:
        for sandbox in (shop, erp):
            stack.enter_context(serving(sandbox))
        stack.callback(_disconnect, pair)
        _connect(pair.source, shop)
        _connect(pair.target, erp)
        yield


def seed(erp: Sandbox, shop: Connector, leave_out: frozenset[str] = frozenset()) -> None:
    """Makes the ERP know the shop's items and currencies, but for the item numbers that are to be left out."""
    items = [
        {"number": one["item_number"], "name": one["name"], "price": one["price"]}
        for one in shop.find("items")
        if one["item_number"] not in leave_out
    ]
    currencies = [
        {"iso_code": one["iso_code"], "precision": one["precision"], "rate": one["conversion_rate"]}
        for one in shop.find("currencies")
    ]
    erp.seed(items, currencies)


def replay(pair: Pair, settings: dict[str, Any]) -> Iterator[Line]:
    """Every order of the shop, oldest change first, each once. `settings` are the flow's. Raises ConnectorError where
    the shop cannot be read."""
    flow = pair.flows.get(name=ORDERS)
    flow.settings |= settings
    flow.save()
    before = Message.objects.filter(flow=flow).aggregate(newest=Max("pk"))["newest"] or 0
    # The shop is a new one each time, to which nothing was reported.
    CrossReference.objects.filter(pair=pair).update(reported_at=None)
    _receive(flow)
    _work_off(pair)
    newest: dict[int, Message] = {}
    for message in Message.objects.filter(flow=flow, pk__gt=before).select_related("lane").order_by("pk"):
        newest[message.lane_id] = message
    places = {one["iso_code"]: one["precision"] for one in connector_of(pair.source).find("currencies")}
    for message in newest.values():
        yield _line(flow, message, places.get(message.currency))


def _receive(flow: Flow) -> None:
    """By a job of this process: a worker takes it over only if this one dies."""
    later = timezone.now() + polling.LONGEST
    source, entity = flow.pair.source, flow.source_entity
    job = SyncJob.objects.create(connection=source, entity=entity, kind=SyncJob.Kind.BACKFILL, next_at=later)
    try:
        while job.on:
            if problem := polling.run(job).problem:
                raise TryLater(problem)
    finally:
        job.delete()


def _work_off(pair: Pair) -> None:
    """Until nothing of the pair is due. A worker that runs beside us may have taken some."""
    free_what_the_dead_hold()
    taken = Lane.objects.filter(pair=pair)
    with _interruptible() as interrupted:
        while not interrupted():
            if not drain(pairs=[pair.pk], stops=interrupted) and not taken.filter(claimed_until__gt=timezone.now()):
                return
            time.sleep(LOOK)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """What is at work when Ctrl-C comes is finished, unless a second one comes. Raises KeyboardInterrupt."""
    asked = threading.Event()

    def ask(*signal_and_frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
    if asked.is_set():
        raise KeyboardInterrupt


def _line(flow: Flow, message: Message, places: int | None) -> Line:
    """What the message and the ERP say of the order, each as far as it is known."""
    target = connector_of(flow.pair.target)
    report = published(flow).report
    try:
        standing = standing_in_erp(flow, target, message.lane.key)
    except ConnectorError:
        standing = []
    # A lost answer that is still open is asked about again in the next run.
    state = "waiting" if message.state == IN_DOUBT else message.outcome or message.state
    return Line(
        reference=message.reference,
        id=int(message.lane.key),
        currency=message.currency,
        shop_total=_shown(message.amount, places),
        erp_total=_shown(standing[0][report["target_total"]], places) if standing else None,
        erp_key=str(standing[0][target.entity(flow.target_entity).key]) if standing else "",
        state=state,
        kind=message.kind,
        reason=message.reason,
        stands=len(standing),
    )


def _shown(value: Any, places: int | None) -> Decimal | None:
    """The amount at its currency's decimals, and as it is where it has more of them: a table rounds nothing away."""
    if value is None:
        return None
    amount = as_amount(value)
    return amount if places is None or quantized(amount, places) != amount else quantized(amount, places)


def standing_in_erp(flow: Flow, target: Connector, key: str) -> list[dict[str, Any]]:
    """The ERP's records under the order's number, asked for anew."""
    known = Scope({"id": key, "settings": flow.settings})
    number, _ = fill(published(flow).report["number"], known.get)
    return target.find(flow.target_entity, **{target.entity(flow.target_entity).number: number})


def forget(pair: Pair) -> None:
    """Deletes the rows of a replay with all that was sent over it."""
    _forget_quotas(pair)
    with transaction.atomic():
        Message.objects.filter(flow__pair=pair).delete()
        pair.lanes.all().delete()
        for owned in (pair.flows, pair.mappings):
            owned.update(current=None)
        ends = [pair.source, pair.target]
        pair.delete()
        for connection in ends:
            connection.delete()


def _connection(name: str, sandbox: Sandbox) -> Connection:
    label = f"{systems()[sandbox.system].label} ({name})"
    return Connection.objects.create(name=name, label=label, system=sandbox.system, paused=True, paused_because=ENDED)


def _connect(connection: Connection, sandbox: Sandbox) -> None:
    """To the sandbox's address of today. It may be asked as fast as it answers."""
    system = systems()[sandbox.system]
    secret = {one.name for one in system.settings if one.secret}
    answers = {**sandbox.connection(), **dict.fromkeys(PACE_SETTINGS, "0")}
    connection.settings = {name: value for name, value in answers.items() if name not in secret}
    connection.save()
    connection.credentials.all().delete()
    for name in secret & answers.keys():
        credential = Credential(connection=connection, name=name)
        credential.value = answers[name]
        credential.save()
    resume(connection)


def _disconnect(pair: Pair) -> None:
    for connection in (pair.source, pair.target):
        pause(connection, ENDED)
    close_all()
    _forget_quotas(pair)


def _forget_quotas(pair: Pair) -> None:
    """Each run asks at an address of its own, for which nobody asks again."""
    ends = Connection.objects.filter(pk__in=[pair.source_id, pair.target_id])
    others = Quota.objects.filter(connections__in=Connection.objects.exclude(pk__in=ends))
    Quota.objects.filter(connections__in=ends).exclude(pk__in=others).delete()
