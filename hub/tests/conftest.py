from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
