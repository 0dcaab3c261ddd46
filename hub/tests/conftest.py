from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

from hub import connecting
from hub.admin import front_page
from hub.tests.running import Running

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(autouse=True)
def nothing_counted():
    """What the front page has counted for one test is no other test's."""
    front_page.counted.forget()


@pytest.fixture
def running(db):
    """A shop and an ERP joined by rows, with both sandboxes in this process."""
    yield Running()
    connecting.close_all()
    connecting.transports.clear()


@pytest.fixture
def chromium():
    """Opens the browser: `with chromium() as browser`. Playwright keeps an event loop in the thread meanwhile, and
    Django would open a database connection for that loop alone and never close it: so rows are made before, and
    looked at afterwards."""

    @contextmanager
    def opened():
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
            yield browser
            browser.close()

    return opened
