"""Mappings, lookup tables, flows and pairs, edited in the console."""

import pytest

from hub.models import AuditEntry, Connection, LookupTable, Mapping, Message, Pair, SyncJob
from hub.published import published
from hub.tests.console import console, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def integrator(running):
    client = console("integrator")
    client.running = running
    return client


def mapping_form(client, mapping):
    """The draft's lines as the page has them."""
    page = client.get(f"/admin/hub/mapping/{mapping.pk}/edit/")
    names = ("kind", "to", "source", "does", "when", "default", "label")
    data = {name: [getattr(one, name) for one in page.context["lines"]] for name in names}
    data["from"] = data.pop("source")
    return {**data, "stands": page.context["stands"]}


def draft(client, name="order"):
    mapping = Mapping.objects.get(name=name)
    client.post(f"/admin/hub/mapping/{mapping.pk}/start/")
    return mapping, mapping_form(client, mapping)


def test_a_draft_that_is_saved_unchanged_has_no_difference(integrator):
    mapping, form = draft(integrator)
    answer = integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", form, follow=True)
    assert "No difference" in text_of(answer)


def test_a_draft_changes_nothing_before_it_is_published_and_then_all(integrator):
    running = integrator.running
    mapping, form = draft(integrator)
    form["from"][form["to"].index("billto_city")] = "delivery_address.postcode"
    said = text_of(integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", form, follow=True))
    assert "billto_city from invoice_address.city from delivery_address.postcode" in said
    before = next(one for one in published(running.flow).mappings["order"].rules if one.to == "billto_city")
    assert before.source == "invoice_address.city"
    refused = integrator.post(f"/admin/hub/mapping/{mapping.pk}/publish/", {"note": " "}, follow=True)
    assert "Not published. Say what changes" in text_of(refused)
    integrator.post(f"/admin/hub/mapping/{mapping.pk}/publish/", {"note": "Postcodes"})
    after = next(one for one in published(running.flow).mappings["order"].rules if one.to == "billto_city")
    assert after.source == "delivery_address.postcode"
    assert AuditEntry.objects.filter(what__startswith="published version 2", who__username="integrator").exists()
    order = running.order()
    message = running.receive(order)
    running.work()
    assert Message.objects.get(pk=message.pk).attempts.get().versions["order"] == 2


@pytest.mark.parametrize(
    ("column", "typed", "words"),
    [
        ("does", "lookip table=carriers", "a transform"),
        ("does", "lookup table=nothing_there", "there is no lookup table"),
        ("when", "gift is", "is expected"),
        ("to", "billto_town", "is no field of"),
        ("to", "", "Name the field"),
    ],
)
def test_what_is_wrong_stands_beside_its_line_and_nothing_typed_is_lost(integrator, column, typed, words):
    mapping, form = draft(integrator)
    at = form["to"].index("billto_city")
    form[column][at] = typed
    form["from"][form["to"].index("billto_line1")] = "invoice_address.address2"
    answer = integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", form)
    assert words in text_of(answer)
    assert "invoice_address.address2" in answer.content.decode()
    assert "Not saved" in text_of(answer)


def test_a_number_with_a_point_in_a_rule_is_kept_exactly(integrator):
    mapping, form = draft(integrator)
    form["when"][form["to"].index("billto_city")] = "total_paid_tax_incl is more than 10.50"
    integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", form)
    again = mapping_form(integrator, mapping)
    assert again["when"][again["to"].index("billto_city")] == "total_paid_tax_incl is more than 10.50"


def test_lines_are_added_moved_and_removed(integrator):
    mapping, form = draft(integrator)
    at = form["to"].index("billto_city")
    added = integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", {**form, "act": f"add {at} field"})
    assert [one.to for one in added.context["lines"]][at : at + 2] == ["billto_city", ""]
    moved = integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", {**form, "act": f"up {at}"})
    assert [one.to for one in moved.context["lines"]][at - 1] == "billto_city"
    gone = integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", {**form, "remove": [str(at)]}, follow=True)
    assert "billto_city from invoice_address.city" in text_of(gone)


def test_two_people_at_one_draft_do_not_undo_each_other(integrator):
    mapping, form = draft(integrator)
    other = console("administrator")
    theirs = {name: list(value) if isinstance(value, list) else value for name, value in form.items()}
    theirs["from"][theirs["to"].index("billto_city")] = "delivery_address.city"
    other.post(f"/admin/hub/mapping/{mapping.pk}/edit/", theirs)
    form["from"][form["to"].index("billto_line1")] = "invoice_address.address2"
    answer = integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", form)
    assert "has saved this draft since you opened it" in text_of(answer)
    assert "delivery_address.city" in text_of(answer)
    stands = mapping_form(integrator, mapping)
    assert stands["from"][stands["to"].index("billto_city")] == "delivery_address.city"


def test_a_preview_shows_what_a_draft_would_make_and_writes_nothing(integrator):
    running = integrator.running
    order = running.order()
    mapping, form = draft(integrator)
    form["from"][form["to"].index("name")] = "id"
    integrator.post(f"/admin/hub/mapping/{mapping.pk}/edit/", form)
    writes = [one for one in running.joined.calls if one.method != "GET"]
    page = integrator.get(f"/admin/hub/mapping/{mapping.pk}/preview/", {"record": str(order)})
    said = text_of(page)
    assert f"{running.joined.shop_order(order)['reference']} {order} (changed)" in said
    assert "would be sent" in said
    assert "Dvořák" not in page.content.decode()
    assert [one for one in running.joined.calls if one.method != "GET"] == writes
    assert running.standing(order) == []


def table_form(client, table):
    page = client.get(f"/admin/hub/lookuptable/{table.pk}/change/")
    lines = [one for _, one, _ in page.context["lines"]]
    data = {name: [getattr(one, name) for one in lines] for name in ("theirs", "ours", "type")}
    return {**data, "version": page.context["version"]}


def test_a_lookup_table_is_edited_in_place_pasted_into_and_restored(integrator):
    table = LookupTable.objects.get(name="payment_methods")
    form = table_form(integrator, table)
    form["ours"][form["theirs"].index("paypal")] = "PayPal Europe"
    form |= {"paste": "alma\tAlma\nklarna = Klarna", "note": "New payment methods", "remove": []}
    said = text_of(integrator.post(f"/admin/hub/lookuptable/{table.pk}/change/", form, follow=True))
    assert "Saved: 3 changes" in said
    entries = dict(table.entries.values_list("theirs", "ours"))
    assert (entries["paypal"], entries["alma"], entries["klarna"]) == ("PayPal Europe", "Alma", "Klarna")
    versions = text_of(integrator.get(f"/admin/hub/lookuptable/{table.pk}/versions/"))
    assert "paypal PayPal PayPal Europe" in versions
    integrator.post(f"/admin/hub/lookuptable/{table.pk}/restore/", {"version": "1"})
    assert dict(table.entries.values_list("theirs", "ours"))["paypal"] == "PayPal"
    assert not table.entries.filter(theirs="alma").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("PAYPAL ", "x", "text"), "The same code as in line"),
        (("", "x", "text"), "Their code is missing"),
        (("new", "", "text"), "Our code is missing"),
        (("new", "four", "number"), "is no whole number"),
        (("n" * 501, "x", "text"), "longer than 500"),
    ],
)
def test_a_wrong_line_of_a_table_is_said_and_nothing_is_saved(integrator, line, words):
    table = LookupTable.objects.get(name="payment_methods")
    form = table_form(integrator, table)
    for name, value in zip(("theirs", "ours", "type"), line, strict=True):
        form[name].append(value)
    answer = integrator.post(f"/admin/hub/lookuptable/{table.pk}/change/", form)
    assert words in text_of(answer)
    assert table.versions.count() == 1


def test_two_people_at_one_table_see_each_others_change(integrator):
    table = LookupTable.objects.get(name="payment_methods")
    form = table_form(integrator, table)
    other = {name: list(value) if isinstance(value, list) else value for name, value in form.items()}
    console("operator").post(f"/admin/hub/lookuptable/{table.pk}/change/", {**other, "paste": "alma = Alma"})
    answer = integrator.post(f"/admin/hub/lookuptable/{table.pk}/change/", {**form, "paste": "klarna = Klarna"})
    assert "operator has changed this table since you opened it" in text_of(answer)
    assert table.entries.filter(theirs="alma").exists()
    assert not table.entries.filter(theirs="klarna").exists()


def test_a_code_is_tried_out(integrator):
    table = LookupTable.objects.get(name="payment_methods")
    tried = text_of(integrator.get(f"/admin/hub/lookuptable/{table.pk}/change/", {"try": " PAYPAL"}))
    assert "is PayPal." in tried
    assert "in no entry" in text_of(integrator.get(f"/admin/hub/lookuptable/{table.pk}/change/", {"try": "alma"}))


def test_a_flow_that_is_off_receives_nothing_new(integrator):
    running = integrator.running
    said = text_of(integrator.post(f"/admin/hub/flow/{running.flow.pk}/switch/", {"on": "no"}, follow=True))
    assert "nothing new is received" in said
    with pytest.raises(ValueError, match="not enough values"):
        running.receive(running.joined.order())
    assert AuditEntry.objects.filter(what="switched off", pair=running.pair).exists()


def test_settings_of_a_flow_are_checked_and_taken_by_the_next_message(integrator):
    running = integrator.running
    page = integrator.get(f"/admin/hub/flow/{running.flow.pk}/change/")
    data = {
        f"setting-{one['name']}": "on" if one["value"] is True else one["value"]
        for one in page.context["settings"]
        if one["value"] is not False
    }
    wrong = integrator.post(
        f"/admin/hub/flow/{running.flow.pk}/settings/", {**data, "setting-rounding_tolerance": "much"}
    )
    assert "'much' is no whole number" in text_of(wrong)
    integrator.post(f"/admin/hub/flow/{running.flow.pk}/settings/", {**data, "setting-order_prefix": "FR-"})
    order = running.order()
    message = running.receive(order)
    running.work()
    assert Message.objects.get(pk=message.pk).number == f"FR-{order}"


def steps_form(client, flow):
    page = client.get(f"/admin/hub/flow/{flow.pk}/change/")
    data = {key: text for one in page.context["steps"] for key, _, text in (*one["texts"], *one["conditions"])}
    return {**data, "version": flow.current.number}


def test_a_steps_words_and_condition_are_published_as_a_version_and_restored(integrator):
    flow = integrator.running.flow
    form = steps_form(integrator, flow)
    at = next(n for n, one in enumerate(flow.current.steps) if one["name"] == "Paid only")
    form |= {f"{at}-reason": "Waits for the money", f"{at}-skip": "current_state.paid is false or module is empty"}
    said = text_of(integrator.post(f"/admin/hub/flow/{flow.pk}/steps/", {**form, "note": "Clearer"}, follow=True))
    assert "Version 2 is published" in said
    flow.refresh_from_db()
    assert flow.current.steps[at]["reason"] == "Waits for the money"
    assert flow.current.steps[at]["skip"]["any"][1] == {"path": "module", "empty": True}
    assert "Not paid yet Waits for the money" in text_of(integrator.get(f"/admin/hub/flow/{flow.pk}/change/?from=1"))
    integrator.post(f"/admin/hub/flow/{flow.pk}/restore/", {"version": "1"})
    flow.refresh_from_db()
    assert (flow.current.number, flow.current.steps[at]["reason"]) == (3, "Not paid yet")


def test_a_condition_that_cannot_be_read_is_refused_beside_it(integrator):
    flow = integrator.running.flow
    form = steps_form(integrator, flow)
    at = next(n for n, one in enumerate(flow.current.steps) if one["name"] == "Paid only")
    answer = integrator.post(f"/admin/hub/flow/{flow.pk}/steps/", {**form, f"{at}-skip": "paid is", "note": "x"})
    assert "is expected" in text_of(answer)
    flow.refresh_from_db()
    assert flow.current.number == 1


def test_a_shop_and_an_erp_are_joined_with_their_flows_and_polls(integrator):
    shop = Connection.objects.create(name="second", label="Second shop", system="prestashop")
    erp = integrator.running.erp
    data = {"source": shop.pk, "target": erp.pk, "name": "two", "label": "Two"}
    assert "Enter a valid" in text_of(integrator.post("/admin/hub/pair/join/", {**data, "name": "t w o"}))
    said = text_of(integrator.post("/admin/hub/pair/join/", data, follow=True))
    assert "Two is joined, with Customers to Dynamics 365, Orders to Dynamics 365" in said
    assert Pair.objects.get(name="two").flows.count() == 2
    assert SyncJob.objects.filter(connection=shop).count() == 2
    assert "are joined already" in text_of(integrator.post("/admin/hub/pair/join/", {**data, "name": "three"}))


def test_changed_steps_are_tried_on_a_real_record_before_they_are_published(integrator):
    flow = integrator.running.flow
    order = integrator.running.order()
    form = steps_form(integrator, flow)
    at = next(n for n, one in enumerate(flow.current.steps) if one["name"] == "Paid only")
    form |= {f"{at}-skip": "module is ps_wirepayment", "record": str(order), "act": "try"}
    assert "It would be sent" in text_of(integrator.post(f"/admin/hub/flow/{flow.pk}/steps/", form))  # the rule is off
    flow.settings["paid_only"] = True
    flow.save()
    tried = text_of(integrator.post(f"/admin/hub/flow/{flow.pk}/steps/", form))
    assert "It would be skipped. Not paid yet" in tried
    assert "module is ps_wirepayment" in tried
    flow.refresh_from_db()
    assert flow.current.number == 1
    assert integrator.running.standing(order) == []
