"""Somebody at a browser, with a worker that works meanwhile."""

import os
import random
import threading
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from django.db import connections

from connectors.prestashop.sandbox.shopper import Shopper
from hub.models import Rule
from hub.pairing import poll
from hub.tests.console import somebody

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PASSWORD = "a long pass phrase"
SHOTS = os.environ.get("SCREENSHOTS", "")  # a folder: the walks leave pictures there


def set_up(running, alma=6):
    """People, and a shop with orders that go through and orders that stop. Returns {kind: order}."""
    for role in ("operator", "integrator", "administrator"):
        somebody(role)
    rule = Rule.objects.get(version__mapping__name="order", to="payment", kind=Rule.Kind.VALUE)
    rule.transform = [{"name": "lookup", "table": "payment_methods"}]
    rule.save()
    shopper = Shopper(running.joined.shop, random.Random(4))
    orders = {}
    for kind in ("plain", "company", "gift", "unknown_product", "inconsistent", "long_address"):
        orders[kind] = shopper.place(kind, state=2) if kind == "plain" else shopper.place(kind)
    for _ in range(alma):
        orders["unknown_payment"] = shopper.place("unknown_payment")
    poll(running.pair)
    for order in range(1, max(orders.values()) + 1):
        running.receive(order)
    running.work()
    running.later()
    running.work()
    return orders


@contextmanager
def at_work(running):
    """A worker beside the browser: what waits for its time is due at once."""
    over = threading.Event()

    def work():
        try:
            while not over.wait(0.2):
                running.later()
                running.work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=30)


class Visitor:
    """Signs in and clicks. `faults` are errors of pages and refused scripts."""

    def __init__(self, browser, address, role, viewport=None, scheme="light"):
        self.address, self.faults = address, []
        self.name = f"{'phone' if viewport == PHONE else 'desktop'}-{scheme}"
        self.page = browser.new_context(viewport=viewport or DESKTOP, color_scheme=scheme).new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.faults.append(said.text))
        self.page.on("response", lambda one: one.status >= 400 and self.faults.append(f"{one.status} {one.url}"))
        self.open("/admin/login/?next=/admin/")
        self.page.fill("input[name=username]", role)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{address}/admin/")

    def open(self, path):
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")

    def follow(self, name):
        """A link of the console's navigation."""
        self.page.locator(f'#nav-sidebar-apps a:has(span:text-is("{name}"))').first.click()
        self.page.wait_for_load_state("networkidle")

    def press(self, name, **options):
        self.page.get_by_role("button", name=name, **options).first.click()
        self.page.wait_for_load_state("networkidle")

    def sees(self, text, seconds=20):
        self.page.get_by_text(text).first.wait_for(timeout=seconds * 1000)

    def until(self, text, seconds=30):
        """Looks at the page again until it says so."""
        for _ in range(seconds * 2):
            if self.page.get_by_text(text).count():
                return
            self.page.wait_for_timeout(500)
            self.page.reload()
        raise AssertionError(f"{text!r} was not seen on {self.page.url}")

    def picture(self, name, whole=False):
        if SHOTS:
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=whole)

    def barriers(self):
        """What axe-core finds serious: rule and first place."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in ("serious", "critical")
        ]
