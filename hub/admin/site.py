"""The console's navigation: the operator's words, in the order of the work."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from hub import audit
from hub.admin.front_page import front_page

__all__ = ["account_links", "front_page", "navigation", "password_change"]
# Title, icon and model of each page; a page stands there for whoever may see its rows.
WORK = (
    ("Messages", "swap_horiz", "message"),
    ("Dead letters", "mark_email_unread", "deadletter"),
    ("Problems", "report", "problem"),
    ("Unmapped values", "help_center", "unmappedvalue"),
    ("Batches", "playlist_add_check", "batch"),
)
RECORDS = (
    ("Cross-references", "link", "crossreference"),
    ("Sync jobs", "event_repeat", "syncjob"),
    ("Runs", "history", "run"),
)
SET_UP = (
    ("Connections", "lan", "connection"),
    ("Pairs", "compare_arrows", "pair"),
    ("Flows", "account_tree", "flow"),
    ("Mappings", "schema", "mapping"),
    ("Lookup tables", "table_view", "lookuptable"),
)
PEOPLE = (
    ("People", "group", "person"),
    ("API tokens", "key", "apitoken"),
    ("Audit entries", "policy", "auditentry"),
)
GROUPS = (("Work", WORK), ("Exchange", RECORDS), ("Set-up", SET_UP), ("People", PEOPLE))


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    start = {"title": "Front page", "icon": "dashboard", "link": reverse("admin:index"), "active": _at_index}
    groups: list[dict[str, Any]] = [{"title": None, "items": [start]}]
    for title, pages in GROUPS:
        items = [item for one in pages if (item := _item(*one))]
        groups.append({"title": title, "separator": True, "items": items})
    return groups


def _item(title: str, icon: str, model: str) -> dict[str, Any] | None:
    try:
        link = reverse(f"admin:hub_{model}_changelist")
    except NoReverseMatch:
        return None
    active = partial(_begins_with, link=link)
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "active": active,
        "permission": partial(_may_view, model=model),
    }


def _at_index(request: HttpRequest) -> bool:
    return request.path == reverse("admin:index")


def _begins_with(request: HttpRequest, link: str) -> bool:
    return request.path.startswith(link)


def _may_view(request: HttpRequest, model: str) -> bool:
    return request.user.has_perm(f"hub.view_{model}")


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    try:
        return [{"title": "Second factor", "link": reverse("admin:second_factor")}]
    except NoReverseMatch:
        return []


def password_change(request: HttpRequest) -> HttpResponse:
    """The person's own: Django's page, and an entry that it was used."""
    answer = admin.site.password_change(request)
    if request.method == "POST" and answer.status_code == 302:
        audit.note(request.user, "changed their own password", f"User {request.user}")
    return answer
