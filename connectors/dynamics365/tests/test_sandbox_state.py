"""Change tracking, and state that is kept, loaded and reset."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.dynamics365.sandbox import Dynamics365Sandbox
from connectors.dynamics365.tests.sandbox_support import Api, code_of, write_in

TRACK = {"Prefer": "odata.track-changes"}


@pytest.fixture
def api():
    return Api(Dynamics365Sandbox())


def delta(api, address, **headers):
    answer = api.get(address, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["value"], answer.json()["@odata.deltaLink"]


def test_a_delta_link_gives_what_changed_first_and_what_is_gone_last(api):
    kept, gone = api.contact(), api.contact()
    rows, link = delta(api, "contacts?$select=jobtitle", **TRACK)
    assert {one["contactid"] for one in rows} == {kept, gone}
    assert delta(api, link)[0] == []
    passing = api.contact()
    api.delete(f"contacts({passing})")
    api.delete(f"contacts({gone})")
    api.patch(f"contacts({kept})", {"jobtitle": "x"})
    changed, *deleted = delta(api, link)[0]
    assert (changed["contactid"], changed["jobtitle"], "lastname" in changed) == (kept, "x", False)
    assert [(one["id"], one["reason"]) for one in deleted] == [(passing, "deleted"), (gone, "deleted")]
    assert all(one["@odata.context"].endswith("/$deletedEntity") for one in deleted)
    assert delta(api, delta(api, link)[1])[0] == []


def test_the_delta_link_comes_with_the_last_page(api):
    for _ in range(3):
        api.contact()
    prefer = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    first = api.get("contacts", **prefer).json()
    assert "@odata.deltaLink" not in first
    last = api.get(first["@odata.nextLink"], **prefer).json()
    assert (len(last["value"]), "@odata.deltaLink" in last) == (1, True)


@pytest.mark.parametrize("option", ["$filter=statecode eq 0", "$orderby=lastname", "$expand=ownerid", "$top=1"])
def test_some_options_do_not_go_with_change_tracking(api, option):
    assert code_of(api.get(f"contacts?{option}", **TRACK))[0] == 400


def test_untracked_tables_and_unreadable_tokens_are_refused(api):
    assert code_of(api.get("uoms", **TRACK))[0] == 400
    assert code_of(api.get("contacts?$deltatoken=x"))[0] == 400


def test_a_delta_link_grows_too_old():
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    api = Api(Dynamics365Sandbox(clock=lambda: now))
    _, link = delta(api, "contacts", **TRACK)
    now += timedelta(days=6)
    api.sign_in()
    assert delta(api, link)[0] == []
    now += timedelta(days=2)
    api.sign_in()
    assert code_of(api.get(link)) == (400, "0x80044352")


def test_state_survives_in_another_sandbox(api):
    api.sandbox.add_column("contact", "new_ShopKey", "String", 10, "Shop key")
    api.sandbox.switches.token_lifetime = 60
    api.create("salesorders", api.order([api.line(), write_in(tax=0.8)], new_psorderid="shop-1"))
    api.create("contacts", {"lastname": "B", "new_shopkey": "7"})
    other = Dynamics365Sandbox()
    other.load(json.loads(json.dumps(api.sandbox.dump())))
    assert other.dump() == api.sandbox.dump()
    again = Api(other)
    path = "salesorders(new_psorderid='shop-1')?$expand=order_details"
    ours, theirs = api.one(path), again.one(path)
    assert ours == theirs
    assert again.rows("contacts?$filter=new_shopkey eq '7'")
    line = theirs["order_details"][0]["salesorderdetailid"]
    assert again.patch(f"salesorderdetails({line})", {"quantity": 2}, If_Match="*").status_code == 204


def test_state_is_kept_in_a_file_from_one_start_to_the_next(tmp_path):
    file = tmp_path / "state.json"
    id = Api(Dynamics365Sandbox(state_file=file)).contact()
    assert Api(Dynamics365Sandbox(state_file=file)).one(f"contacts({id})")["fullname"] == "Ada Byron"


def test_a_state_that_is_none_is_refused_and_changes_nothing(api):
    id = api.contact()
    for state in ({}, {"store": {}}, {"store": {"version": "x"}, "columns": [], "keys": {}, "switches": {}}):
        assert api.client.post("/_sandbox/state", json=state).status_code == 400
    assert api.get(f"contacts({id})").status_code == 200


def test_a_reset_brings_the_seed_back(api):
    api.contact()
    api.sandbox.switches.secret_expired = True
    assert api.client.post("/_sandbox/reset").status_code == 200
    api.sign_in()
    assert api.rows("contacts") == []
    assert api.product()["statecode"] == 0
