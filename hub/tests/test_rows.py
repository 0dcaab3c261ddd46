"""The default flow in rows: the same as its files say, and what people change in them is what is sent."""

import json
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from hub.flows import default_flow, default_names
from hub.install import install, install_all
from hub.models import Connection, Credential, Flow, LookupEntry, Mapping, Message, Pair, Rule
from hub.published import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    shop = Connection.objects.create(name="shop", label="Shop", system="prestashop", settings={"address": "http://s"})
    erp = Connection.objects.create(name="erp", label="ERP", system="dynamics365")
    return Pair.objects.create(name="one", label="Shop and ERP", source=shop, target=erp)


@pytest.mark.parametrize("name", ["customers", "orders"])
def test_an_installed_flow_is_the_default_one(pair, name):
    installed, given = published(install(pair, name)), default_flow("dynamics365", name)
    assert (installed.steps, installed.settings, installed.report) == (given.steps, given.settings, given.report)
    assert installed.mappings == given.mappings
    assert {name: one.entries for name, one in installed.tables.items()} == {
        name: one.entries for name, one in given.tables.items()
    }


@pytest.mark.parametrize("names", [("customers", "orders"), ("orders", "customers")])
def test_flows_are_installed_in_either_order_and_share_mappings_and_tables(pair, names):
    flows = {name: install(pair, name) for name in names}
    for name, flow in flows.items():
        given = default_flow("dynamics365", name)
        assert given.mappings.items() <= published(flow).mappings.items()
        assert published(flow).tables.keys() == given.tables.keys()


def test_all_flows_of_an_erp_are_installed_with_those_first_whose_records_others_wait_for(pair):
    assert [one.name for one in install_all(pair)] == ["customers", "orders"] == list(default_names("dynamics365"))
    assert Flow.objects.count() == 2


def test_what_people_changed_stays_when_another_flow_is_installed(pair):
    flow = install(pair, "orders")
    flow.settings["order_prefix"] = "NANTES-"
    flow.save()
    mapping = Mapping.objects.create(pair=pair, name="contact", label="Ours", target_entity="contact")
    LookupEntry.objects.filter(theirs="paid", table__name="reported_states").delete()
    assert install(pair, "customers").settings["order_prefix"] == "NANTES-"
    assert Mapping.objects.get(name="contact") == mapping
    assert not LookupEntry.objects.filter(table__name="reported_states").exists()


def test_flows_that_wait_for_each_other_are_installed_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "erp" / "defaults").mkdir(parents=True)
    for name, other in (("a", "b"), ("b", "a"), ("c", "a")):
        flow = {"from": name, "steps": [{"reference": {"entity": other}}, {"reference": {"entity": name}}]}
        (tmp_path / "erp" / "defaults" / f"flow_{name}.json").write_text(json.dumps(flow))
    monkeypatch.setattr("hub.flows.folder_of", lambda system: tmp_path / system)
    assert sorted(default_names("erp")) == ["a", "b", "c"]
    default_names.cache_clear()


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
