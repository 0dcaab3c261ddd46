"""Many messages at once: what was chosen is shown with its count and its money before a batch begins."""

from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub import batches
from hub.admin import words
from hub.again import STOPPED
from hub.models import Message, Pair


def chosen(page: Any, request: HttpRequest, rows: QuerySet[Message], action: str) -> HttpResponse:
    """Those that were ticked in the list."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    return _asked(
        page, request, page.get_queryset(request).filter(pk__in=ids), action, {"ids": ",".join(map(str, ids))}
    )


def many_page(page: Any, request: HttpRequest) -> HttpResponse:
    """GET asks about all that the list's address narrows down to; POST begins the batch."""
    if not request.user.has_perm("hub.send_again"):
        raise PermissionDenied
    data = request.POST if request.method == "POST" else request.GET
    rows, hidden = _narrowed(page, request, data)
    action = data.get("action", batches.SEND_AGAIN)
    if request.method != "POST" or data.get("sure") != "yes":
        return _asked(page, request, rows, action, hidden)
    reason = " ".join(data.get("reason", "").split())
    if action == batches.SKIP and not reason:
        notices.error(request, "Say why they are skipped: whoever looks for one later reads it.")
        return _asked(page, request, rows, action, hidden)
    return _begun(request, rows, action, reason)


def _narrowed(page: Any, request: HttpRequest, data: Any) -> tuple[QuerySet[Message], dict[str, str]]:
    """Only what can be decided about: dead letters, and held ones for those who may."""
    rows = page.get_queryset(request)
    if "ids" in data:
        ids = [int(one) for one in data["ids"].split(",") if one.isdecimal() and len(one) < 19]
        return rows.filter(pk__in=ids), {"ids": data["ids"]}
    filters = {name: value for name, value in data.items() if name in _FILTERS or name == "q"}
    found = page.get_changelist_instance(_asking(request, filters)).get_queryset(_asking(request, filters))
    return found, filters


_FILTERS = ("state", "class", "pair", "flow", "problem", "received")


def _asking(request: Any, filters: dict[str, str]) -> HttpRequest:
    """The list's own request, so that its filters mean here what they mean there."""
    data = request.GET.copy()
    data.clear()
    data.update(filters)
    request.GET = data
    return request


def _decidable(request: HttpRequest, rows: QuerySet[Message]) -> QuerySet[Message]:
    states = STOPPED if request.user.has_perm("hub.decide_held") else (Message.State.DEAD_LETTER,)
    return rows.filter(state__in=states)


def _asked(
    page: Any, request: HttpRequest, rows: QuerySet[Message], action: str, hidden: dict[str, str]
) -> HttpResponse:
    if not request.user.has_perm("hub.send_again"):
        raise PermissionDenied
    found = _decidable(request, rows).order_by()
    sums = found.values("currency").annotate(sum=Sum("amount"))
    money = {one["currency"]: one["sum"] for one in sums if one["sum"] is not None}
    count = found.count()
    return page.render(
        request,
        "message_many.html",
        "Skip many messages" if action == batches.SKIP else "Send many messages again",
        action=action,
        skips=action == batches.SKIP,
        count=count,
        money=words.moneys(money) if money else "",
        hidden=hidden,
        some=found.select_related("lane", "flow__pair__source").order_by("-pk")[:10],
        too_many=count > batches.MOST,
        most=batches.MOST,
    )


def _begun(request: Any, rows: QuerySet[Message], action: str, reason: str) -> HttpResponse:
    found = _decidable(request, rows)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[: batches.MOST + 1])
    pairs = list(Pair.objects.filter(flows__messages__in=ids[:1000]).distinct()[:2]) if ids else []
    verb = "Skip" if action == batches.SKIP else "Send again"
    title = f"{verb}: {len(ids)} {'message' if len(ids) == 1 else 'messages'}"
    try:
        batch = batches.start(
            action,
            ids,
            title,
            request.user,
            pairs[0] if len(pairs) == 1 else None,
            reason,
        )
    except ValueError as error:
        notices.error(request, str(error))
        return redirect("admin:hub_deadletter_changelist")
    return redirect("admin:hub_batch_change", batch.pk)
