"""The console's pages of connections, as tests open them."""

import socket

from hub.tests.console import text_of

LIST = "/admin/hub/connection/"
NEW_KEY = "NEWKEY7Q2M4TNEWKEY7Q2M4TNEWKEY7Q"


def page_of(row):
    return f"{LIST}{row.pk}/change/"


def filled(row, **changes):
    """What the form sends, with these changes."""
    data = {"name": row.name, "label": row.label, "poll_seconds": row.poll_seconds}
    data |= {f"setting-{name}": value for name, value in row.settings.items()}
    return {**data, **{name.replace("setting_", "setting-"): value for name, value in changes.items()}}


def pressed(client, row):
    """What the page says after a press on Test."""
    return text_of(client.post(f"{LIST}{row.pk}/test/", follow=True))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def changed_address(address):
    def change(running):
        running.shop.settings["address"] = address
        running.shop.save()

    return change
