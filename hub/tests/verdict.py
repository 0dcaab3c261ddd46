"""What has to be true of a hub, its shop and its ERP once everything is through, however many were killed."""

from collections import Counter, defaultdict
from decimal import Decimal

from hub.tests.journals import commits, overlaps, writes

REPORTED = "3"  # the state that the default flow reports for paid orders
PAID = ("2", "11")
NOT_DONE = """
    SELECT entity, key FROM hub_lane l
    WHERE NOT EXISTS (SELECT 1 FROM hub_message WHERE lane_id = l.id AND outcome = 'done')
"""


def verify(machine, but=()):
    """Each order stands once and exactly, the shop was told of each once, and nothing is left to do, `but` for orders
    that were not to go through."""
    orders = [one for one in machine.orders if one not in but]
    shop, erp = machine.state(machine.shop)["resources"], machine.state(machine.erp)["store"]["rows"]
    _totals(shop, erp, orders)
    _told_once(shop, orders)
    _written_once(machine, shop, erp, orders)
    _no_overlap(machine)
    assert "Conservation holds." in machine.run("conserve")
    assert sorted(machine.ask(NOT_DONE)) == [("orders", str(one)) for one in but]
    assert machine.ask("SELECT entity, key FROM hub_lane WHERE num_nonnulls(token, due_at) > 0 OR alone") == []


def _totals(shop, erp, orders):
    totals = {int(one["id"]): Decimal(one["total_paid_tax_incl"]) for one in shop["orders"]}
    wanted = {f"PS-{one}": totals[one] for one in orders}
    standing = [one["ordernumber"] for one in erp["salesorder"]]
    assert sorted(standing) == sorted(wanted)
    assert {one["ordernumber"]: Decimal(one["totalamount"]) for one in erp["salesorder"]} == wanted


def _told_once(shop, orders):
    notes = {one["id"]: one["note"] for one in shop["orders"] if one["note"]}
    assert notes == {str(one): f"Dynamics 365: PS-{one}" for one in orders}
    histories = {str(one): [] for one in orders}
    for one in shop["order_histories"]:
        histories.get(one["id_order"], []).append(one["id_order_state"])
    assert [one for one, states in histories.items() if states.count(REPORTED) != (states[0] in PAID)] == []


def _written_once(machine, shop, erp, orders):
    told, sent = (writes(machine.journals[one]) for one in ("prestashop", "dynamics365"))
    reported = {one["id_order"] for one in shop["order_histories"] if one["id_order_state"] == REPORTED}
    assert commits(told, "orders") == dict.fromkeys(map(str, orders), 1)
    assert commits(told, "order_histories") == dict.fromkeys(reported, 1)
    assert commits(sent, "salesorders") == {one["salesorderid"]: 1 for one in erp["salesorder"]}
    for resource, table, id, natural in (
        ("contacts", "contact", "contactid", "emailaddress1"),
        ("accounts", "account", "accountid", "accountnumber"),
    ):
        assert commits(sent, resource) == {one[id]: 1 for one in erp[table]}
        assert set(Counter(one[natural] for one in erp[table]).values()) <= {1}


def _no_overlap(machine):
    """Two requests for one record at a time are none of the hub's where the first one's caller was dead before the
    second left: what a killed process has sent runs on in the ERP, and nobody can take it back."""
    callers, deaths = Callers(machine), machine.deaths
    for system, journal in machine.journals.items():
        for earlier, later in overlaps(writes(journal)):
            first, second = (callers.of(system, one) for one in (earlier, later))
            dead = [pid for pid in first - second if deaths.get(pid, later.begin) < later.begin]
            assert dead, (system, earlier, later, first, second)


class Callers:
    """Which worker processes may have sent a write: those that held a lane of its record when it began."""

    def __init__(self, machine):
        self._lanes = defaultdict(set)
        for entity, key, target in machine.ask("SELECT source_entity, source_key, target_key FROM hub_crossreference"):
            self._lanes[target].add((entity, key))
        self._claims = defaultdict(list)
        for entity, key, who, at in machine.ask(
            "SELECT entity, key, who, extract(epoch FROM at)::float FROM claims ORDER BY at"
        ):
            self._claims[entity, key].append((at, int(who.split(" ")[2])))

    def of(self, system, write):
        key = write.key.partition("/")[2]
        lanes = {("orders", key)} if system == "prestashop" else self._lanes[key]
        held = [[pid for at, pid in self._claims[lane] if at <= write.begin][-1:] for lane in lanes]
        return {pid for some in held for pid in some}
