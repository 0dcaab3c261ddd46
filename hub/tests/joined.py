"""A shop and an ERP joined in one process, with the default flows of customers and orders between them."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import httpx

from connectors import sandbox_of, systems
from connectors.prestashop.sandbox.purchase import Line
from connectors.session import Session
from hub.flows import default_flow
from hub.pipeline import process
from hub.tests.factories import AddressFactory, CustomerFactory
from hub.work import Keeper, Pair, Reference

NAMESPACE = uuid.UUID("5b2d7a52-7c1e-4f4e-9a63-0f6d1f3c2b11")
NOW = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)


class Remembering(Keeper):
    """Cross-references and natural keys outlive the walk, as a pair's rows do."""

    def __init__(self, joined, marks, by_person):
        super().__init__(marks)
        self.by_person = by_person
        self.references = joined.references
        self.naturals = joined.naturals

    def reserve(self, entity, values, key):
        return self.naturals.setdefault((entity, *values.items()), key)


class Joined:
    """`settings` are the flows', `erp_settings` the ERP connection's. The ERP knows the shop's items but PROTO-VASE."""

    def __init__(self, settings=None, erp_settings=None, price_places=None):
        self.shop = sandbox_of("prestashop")(clock=lambda: NOW)
        self.erp = sandbox_of("dynamics365")(clock=lambda: NOW)
        if price_places is not None:
            self.erp.environment.organization["pricingdecimalprecision"] = price_places
        self.calls = []
        source = systems()["prestashop"](self.shop.connection(), self.session(self.shop))
        target = systems()["dynamics365"]({**self.erp.connection(), **(erp_settings or {})}, self.session(self.erp))
        self.pair = Pair(source, target, NAMESPACE, settings or {})
        items = [
            {"number": one["item_number"], "name": one["name"], "price": one["price"]}
            for one in source.find("items")
            if one["item_number"] != "PROTO-VASE"
        ]
        currencies = [
            {"iso_code": one["iso_code"], "precision": one["precision"], "rate": one["conversion_rate"]}
            for one in source.find("currencies")
        ]
        self.erp.seed(items, currencies)
        self.flow, self.customers = (default_flow("dynamics365", name) for name in ("orders", "customers"))
        self.references, self.naturals = {}, {}

    def session(self, sandbox):
        return Session(transport=sandbox.transport(), clock=lambda: NOW, after=lambda call: self.calls.append(call))

    def customer(self, vat_number="", address=None, **fields):
        """Adds a customer with one address to the shop and returns the id."""
        row = self.shop.store.insert("customers", CustomerFactory(**fields))
        shared = {name: row[name] for name in ("firstname", "lastname", "company")}
        place = AddressFactory(id_customer=row["id"], vat_number=vat_number, **{**shared, **(address or {})})
        self.shop.store.insert("addresses", place)
        return int(row["id"])

    def order(self, lines=((1,),), **options):
        """Places an order of somebody new, unless `customer` says otherwise, and returns its id."""
        lines = [Line(*one) for one in lines]
        return self.shop.place_order(lines, **{"customer": options.pop("customer", None) or self.customer(), **options})

    def carry(self, order):
        """Returns the outcome, and the order as the ERP has it (None where it has none)."""
        outcome = self.carry_blind(order)
        found = self.standing(order)
        return outcome, found[0] if found else None

    def carry_blind(self, order):
        """The outcome alone: of the order, or of its customer where that one had to go first and stopped."""
        outcome, _ = self.walk(order)
        if outcome.needs is None:
            return outcome
        entity, key = outcome.needs
        assert entity == "customers"
        first = self.carry_customer(key)
        return self.walk(order)[0] if first.state == "done" else first

    def carry_customer(self, customer, **options):
        return self.walk(customer, self.customers, **options)[0]

    def walk(self, key, flow=None, marks=None, by_person=True):
        """One walk along the flow (of orders), and what a running hub would remember of it. Returns outcome and work.
        Asked for by a person, unless a change in the shop is to be the reason."""
        outcome, work = process(flow or self.flow, self.pair, str(key), Remembering(self, marks, by_person))
        if work and work.written:
            self.remember(work)
        return outcome, work

    def remember(self, work):
        steps, marks = work.flow.steps, work.keeper.marks
        told = any(one["kind"] == "write back" and one["name"] in marks for one in steps)
        digests = {one["mapping"]: marks.get(one["name"], {}) for one in steps if one["kind"] == "write"}
        for name, written in work.written.items():
            place = (work.flow.source, work.key, work.flow.mappings[name].to)
            before = self.references.get(place)
            at = NOW if told else before.reported_at if before else None
            digest = digests[name].get("digest", "")
            self.references[place] = Reference(written.key, written.link, digest, at)

    def erp_row(self, table, values):
        """Somebody adds a row there."""
        told = self.erp.announcement()
        form = {"grant_type": "client_credentials", "scope": f"{told['address']}/.default"}
        form |= {name: told[name] for name in ("client_id", "client_secret")}
        with httpx.Client(transport=self.erp.transport(), base_url=told["address"]) as client:
            token = client.post(f"/{told['tenant']}/oauth2/v2.0/token", data=form).json()["access_token"]
            answer = client.post(f"/api/data/v9.2/{table}", json=values, headers={"Authorization": f"Bearer {token}"})
            assert answer.is_success, answer.text

    def standing(self, order):
        found = self.pair.target.find("salesorder", ordernumber=f"PS-{order}")
        return [self.pair.target.read("salesorder", one["salesorderid"]) for one in found]

    def shop_order(self, order):
        return self.shop.store.tables["orders"][int(order)]

    def product_number(self, key):
        return self.pair.target.read("product", key)["productnumber"] if key else ""


def amount(value, places=2):
    return str(Decimal(value or 0).quantize(Decimal(1).scaleb(-places)))
