"""The console stands: it asks who one is, in a real browser."""

import pytest
from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def test_the_front_page_leads_to_the_sign_in(client):
    answer = client.get("/", follow=True)
    assert answer.status_code == 200
    assert "Tillbridge" in answer.content.decode()


@pytest.mark.needs("chromium")
def test_an_administrator_signs_in_with_the_browser(live_server, chromium):
    User.objects.create_superuser("anna", password="a long pass phrase")
    faults = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(live_server.url)
        page.fill("input[name=username]", "anna")
        page.fill("input[name=password]", "a long pass phrase")
        page.click("button[type=submit]")
        page.wait_for_url(f"{live_server.url}/admin/", wait_until="networkidle")
        title = page.title()
    assert "Tillbridge" in title
    assert faults == []


def test_the_queues_own_pages_are_not_in_the_console(client):
    client.force_login(User.objects.create_superuser("anna"))
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/django_q/schedule/").status_code == 404
