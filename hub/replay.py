"""Carries every order of a shop's sandbox into an ERP's, and says of each what became of it.

Until the pipeline keeps its own rows, this is where both sandboxes, their connections and the pair are put together.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors import sandbox_of, systems
from connectors.base import Connector
from connectors.errors import ConnectorError
from connectors.sandbox import Sandbox
from connectors.serving import serving
from hub.flows import Flow
from hub.outcomes import Outcome
from hub.pipeline import process
from hub.work import Pair, Work
from mappings.amounts import as_amount, quantized
from mappings.paths import NoSuchPath, Scope
from mappings.problems import BadValue
from mappings.texts import fill


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


@contextmanager
def connected(shop: Sandbox, erp: Sandbox, namespace: uuid.UUID, settings: dict[str, Any]) -> Iterator[Pair]:
    """Serves both sandboxes on ports of their own and joins a connection to each into a pair."""
    with ExitStack() as stack:
        for sandbox in (shop, erp):
            stack.enter_context(serving(sandbox))
        source, target = (systems()[one.system](one.connection()) for one in (shop, erp))
        stack.callback(source.close)
        stack.callback(target.close)
        yield Pair(source, target, namespace, settings)


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


def replay(flow: Flow, pair: Pair) -> Iterator[Line]:
    """Every record of the flow's source entity, oldest change first, each once."""
    seen = set()
    for change in pair.source.changes(flow.source):
        if change.key not in seen:
            seen.add(change.key)
            outcome, work = process(flow, pair, change.key)
            yield _line(flow, pair, change.key, outcome, work)


def _line(flow: Flow, pair: Pair, key: str, outcome: Outcome, work: Work | None) -> Line:
    """What the shop and the ERP say of the record, each as far as it can be read."""
    report = flow.report
    said = Scope(work.record if work else outcome.record)
    currency, places = _read(said, report["currency"]), _read(said, report["places"])
    try:
        standing = standing_in_erp(flow, pair, key)
    except ConnectorError:
        standing = []
    # A lost answer that is still open is asked about again in the next run.
    state = "waiting" if outcome.state == "in doubt" else outcome.state
    target = pair.target.entity(flow.target).key
    return Line(
        reference=str(_read(said, report["reference"]) or ""),
        id=int(key),
        currency=str(currency or ""),
        shop_total=_shown(_read(said, report["source_total"]), places),
        erp_total=_shown(standing[0][report["target_total"]], places) if standing else None,
        erp_key=str(standing[0][target]) if standing else "",
        state=state,
        kind=outcome.kind,
        reason=outcome.reason,
        stands=len(standing),
    )


def _read(said: Scope, path: str) -> Any:
    try:
        return said.get(path)
    except NoSuchPath:
        return None


def _shown(value: Any, places: Any) -> Decimal | None:
    """The amount at its currency's decimals, and as it is where it has more of them: a table rounds nothing away."""
    try:
        amount = as_amount(value)
    except BadValue:
        return None
    return amount if not isinstance(places, int) or quantized(amount, places) != amount else quantized(amount, places)


def standing_in_erp(flow: Flow, pair: Pair, key: str) -> list[dict[str, Any]]:
    """The ERP's records under the order's number, asked for anew."""
    known = Scope({"id": key, "settings": {**flow.settings, **pair.settings}})
    number, _ = fill(flow.report["number"], known.get)
    return pair.target.find(flow.target, **{pair.target.entity(flow.target).number: number})


def sandboxes(shop: str, erp: str, folder: Path) -> tuple[Sandbox, Sandbox, uuid.UUID]:
    """The two sandboxes and the pair's namespace. The ERP's state and the namespace stay in `folder`, so that a second
    run meets what the first left behind."""
    kept = folder / "pair.json"
    if not kept.exists():
        kept.write_text(json.dumps({"namespace": str(uuid.uuid4())}))
    namespace = uuid.UUID(json.loads(kept.read_text())["namespace"])
    return sandbox_of(shop)(), sandbox_of(erp)(state_file=folder / f"{erp}.json"), namespace
