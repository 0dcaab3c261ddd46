"""People at the console: what they come for, click by click, in a real browser."""

from contextlib import contextmanager

import pytest

from hub import connecting
from hub.models import Edit, Mapping, Message, Person
from hub.tests.browsing import DESKTOP, PHONE, Visitor, at_work, set_up
from hub.tests.running import Running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture
def busy(transactional_db):
    running = Running()
    running.orders = set_up(running)
    yield running
    connecting.close_all()
    connecting.transports.clear()


@pytest.fixture
def visit(busy, live_server, chromium):
    """`with visit(role) as visitor`, with a worker beside it. Pages had no fault when it is over."""

    @contextmanager
    def visit(role):
        with at_work(busy), chromium() as browser:
            visitor = Visitor(browser, live_server.url, role)
            yield visitor
        assert visitor.faults == []

    return visit


def order_of(busy, kind):
    return Message.objects.filter(lane__entity="orders", lane__key=str(busy.orders[kind])).latest("pk")


def test_why_is_this_order_not_in_the_erp(busy, visit):
    message = order_of(busy, "unknown_product")
    reference, pk = message.reference, message.pk
    with visit("operator") as visitor:
        visitor.picture("front-page")
        visitor.follow("Messages")
        visitor.page.get_by_role("textbox").first.fill(reference)
        visitor.page.keyboard.press("Enter")
        visitor.page.wait_for_load_state("networkidle")
        visitor.picture("messages")
        visitor.page.get_by_role("link", name=reference).first.click()
        visitor.sees("Why it is not in the ERP")
        visitor.sees("is no active product of the ERP (value: 'PROTO-VASE')")
        visitor.picture("message")
        assert f"/{pk}/change/" in visitor.page.url


def test_a_missing_payment_method_is_added_and_all_its_orders_go_through(busy, visit):
    waiting = Message.objects.filter(state="dead letter", reason__contains="alma").count()
    with visit("operator") as visitor:
        visitor.follow("Unmapped values")
        visitor.picture("unmapped-values")
        visitor.page.locator("input[name=ours]").first.fill("Alma instalments")
        visitor.press(f"Add and send {waiting}")
        visitor.sees(f"{waiting} messages are on the way again")
        visitor.open("/admin/hub/unmappedvalue/")
        visitor.sees("Nothing to do")
        visitor.open("/admin/hub/message/?state=done")
    assert waiting >= 6
    assert not Message.objects.filter(state="dead letter", reason__contains="alma").exists()


def test_an_address_is_edited_and_the_order_goes_through(busy, visit):
    message = order_of(busy, "long_address")
    assert "shipto_line1: has" in message.reason
    with visit("operator") as visitor:
        visitor.open(f"/admin/hub/message/{message.pk}/change/")
        visitor.page.get_by_role("link", name="Edit and send").click()
        visitor.sees("What needs you")
        visitor.page.get_by_label("Ship to: street 1").fill("12 quai de la Fosse")
        visitor.page.get_by_label("Why do you change it?").fill("The rest is a note for the driver")
        visitor.picture("edit")
        visitor.press("Check and send")
        visitor.sees("with 1 field as you gave them")
        visitor.until("Sent on")
        visitor.sees("The rest is a note for the driver")
        visitor.picture("message-done")
    assert Edit.objects.get().reason == "The rest is a note for the driver"
    (stands,) = busy.standing(message.lane.key)
    assert stands["shipto_line1"] == "12 quai de la Fosse"


def test_the_erp_is_away_and_comes_back_and_nothing_is_lost(busy, visit):
    order = busy.order()
    with visit("operator") as visitor:
        visitor.follow("Connections")
        visitor.page.get_by_role("link", name="dynamics365").first.click()
        visitor.press("Away: nobody answers")
        visitor.sees("The sandbox is now: away")
        visitor.picture("connection-away")
        busy.receive_beside(order)
        visitor.open(f"/admin/hub/message/?q={order}&flow={busy.flow.pk}&state=waiting")
        visitor.until("Waiting")
        visitor.open(f"/admin/hub/connection/{busy.erp.pk}/change/")
        visitor.press("Answer as it should")
        visitor.sees("answers as it should")
        visitor.open(f"/admin/hub/message/?q=PS-{order}")
        visitor.until("Done", 60)
    assert busy.exact(order)


def test_a_wrong_mapping_is_published_seen_and_taken_back(busy, visit):
    order = busy.order()
    mapping = Mapping.objects.get(name="order")
    with visit("integrator") as visitor:
        visitor.follow("Mappings")
        visitor.page.get_by_role("link", name="Order to sales order").first.click()
        visitor.picture("mapping")
        visitor.press("Edit")
        city = visitor.page.locator("fieldset", has=visitor.page.locator("input[name=to][value=billto_city]"))
        city.locator("input[name=from]").fill("invoice_address.town")
        visitor.picture("mapping-draft")
        visitor.press("Save the draft", exact=True)
        visitor.sees("from invoice_address.town")
        visitor.picture("mapping-differences")
        visitor.page.get_by_label("What changes, and why").fill("Towns instead of cities")
        visitor.press("Publish", exact=True)
        visitor.sees("Version 2 is published")
        busy.receive_beside(order)
        visitor.open(f"/admin/hub/message/?q={order}&flow={busy.flow.pk}")
        visitor.until(busy.joined.shop_order(order)["reference"])
        visitor.page.get_by_role("link", name=busy.joined.shop_order(order)["reference"]).first.click()
        visitor.sees("the source record has no field 'invoice_address.town'")
        visitor.open(f"/admin/hub/mapping/{mapping.pk}/versions/")
        visitor.press("Restore", exact=True)
        visitor.sees("Version 1 is restored, as version 3")
        visitor.open(f"/admin/hub/message/?q={order}&flow={busy.flow.pk}")
        visitor.page.get_by_role("link", name=busy.joined.shop_order(order)["reference"]).first.click()
        visitor.page.wait_for_timeout(5000)  # until every worker has seen the version
        visitor.press("Send again", exact=True)
        visitor.until("Sent on")
    assert busy.exact(order)


def pages(busy):
    pair, dead = busy.pair, order_of(busy, "unknown_payment")
    tables = {one.name: one.pk for one in pair.lookup_tables.all()}
    order = pair.mappings.get(name="order").pk
    return {
        "front-page": "/admin/",
        "messages": "/admin/hub/message/",
        "dead-letters": "/admin/hub/deadletter/",
        "dead-letter": f"/admin/hub/message/{dead.pk}/change/",
        "edit": f"/admin/hub/message/{order_of(busy, 'long_address').pk}/edit/",
        "many": "/admin/hub/message/many/?class=mapping",
        "problems": "/admin/hub/problem/",
        "problem": f"/admin/hub/problem/{dead.problem_id}/change/",
        "unmapped-values": "/admin/hub/unmappedvalue/",
        "batches": "/admin/hub/batch/",
        "cross-references": "/admin/hub/crossreference/",
        "sync-jobs": "/admin/hub/syncjob/",
        "backfill": "/admin/hub/syncjob/backfill/",
        "runs": "/admin/hub/run/",
        "connections": "/admin/hub/connection/",
        "connection": f"/admin/hub/connection/{busy.erp.pk}/change/",
        "set-up": f"/admin/hub/connection/{busy.erp.pk}/set-up/",
        "pair": f"/admin/hub/pair/{pair.pk}/change/",
        "flows": "/admin/hub/flow/",
        "flow": f"/admin/hub/flow/{busy.flow.pk}/change/",
        "mapping": f"/admin/hub/mapping/{order}/change/",
        "mapping-preview": f"/admin/hub/mapping/{order}/preview/",
        "mapping-versions": f"/admin/hub/mapping/{order}/versions/",
        "lookup-table": f"/admin/hub/lookuptable/{tables['payment_methods']}/change/",
        "lookup-versions": f"/admin/hub/lookuptable/{tables['payment_methods']}/versions/",
        "people": "/admin/hub/person/",
        "person": f"/admin/hub/person/{Person.objects.first().pk}/change/",
        "token": "/admin/hub/apitoken/new/",
        "audit": "/admin/hub/auditentry/",
        "second-factor": "/admin/second-factor/",
        "password": "/admin/password_change/",
    }


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"]
)
def test_no_page_has_a_serious_barrier_or_a_refused_script(busy, live_server, chromium, viewport, scheme):
    found, all_pages = {}, pages(busy)
    wide = []
    with chromium() as browser:
        visitor = Visitor(browser, live_server.url, "administrator", viewport, scheme)
        for name, path in all_pages.items():
            visitor.open(path)
            visitor.picture(f"{visitor.name}-{name}", whole=True)
            if barriers := visitor.barriers():
                found[name] = barriers
            if visitor.page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
                wide.append(name)
        anonymous = browser.new_page()
        anonymous.goto(f"{live_server.url}/admin/login/")
        visitor.page = anonymous
        if barriers := visitor.barriers():
            found["login"] = barriers
    assert found == {}
    assert wide == []
    assert visitor.faults == []
