"""The default flow in rows: the same as its files say, and what people change in them is what is sent."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from hub.flows import default_flow
from hub.install import install
from hub.models import Connection, Credential, Message, Pair, Rule
from hub.published import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    shop = Connection.objects.create(name="shop", label="Shop", system="prestashop", settings={"address": "http://s"})
    erp = Connection.objects.create(name="erp", label="ERP", system="dynamics365")
    return Pair.objects.create(name="one", label="Shop and ERP", source=shop, target=erp)


def test_an_installed_flow_is_the_default_one(pair):
    installed, given = published(install(pair, "orders")), default_flow("dynamics365", "orders")
    assert (installed.steps, installed.settings, installed.report) == (given.steps, given.settings, given.report)
    assert installed.mappings == given.mappings
    assert {name: one.entries for name, one in installed.tables.items()} == {
        name: one.entries for name, one in given.tables.items()
    }


def test_a_flow_is_installed_once(pair):
    install(pair, "orders")
    with pytest.raises(IntegrityError), transaction.atomic():
        install(pair, "orders")


def test_a_rule_that_is_deleted_is_gone_and_one_that_is_added_is_there(pair):
    flow = install(pair, "orders")
    before = published(flow).mappings["order"].rules
    Rule.objects.get(version__mapping__name="order", to="emailaddress").delete()
    version = Rule.objects.filter(version__mapping__name="order").first().version
    Rule.objects.create(version=version, position=99, to="billto_fax", source="customer.email")
    after = [one.to for one in published(flow).mappings["order"].rules]
    assert "emailaddress" in [one.to for one in before]
    assert "emailaddress" not in after
    assert after[-1] == "billto_fax"


def test_secrets_are_stored_encrypted_and_two_are_valid_while_one_is_replaced(pair):
    for value in ("old secret", "new secret"):
        row = Credential(connection=pair.source, name="key")
        row.value = value
        row.save()
    assert pair.source.secret("key") == ["new secret", "old secret"]
    assert pair.source.answers() == {"address": "http://s", "key": "new secret"}
    assert b"secret" not in bytes(Credential.objects.first().encrypted)


@pytest.mark.parametrize(("state", "outcome"), [("finished", ""), ("waiting", "done")])
def test_a_finished_message_has_an_outcome_and_no_other_has(pair, state, outcome):
    flow = install(pair, "orders")
    lane = pair.lanes.create(entity="orders", key="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(flow=flow, lane=lane, origin="poll", state=state, outcome=outcome, amount=Decimal(1))
