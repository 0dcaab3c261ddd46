"""What a person does to one message, each by a POST: send again, skip, show in clear, add what a table lacks."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect

from hub.admin.personal import show_in_clear
from hub.again import LeftAsItIs, NewerWasSent, send_again, skip
from hub.lookups import add_entry, typed
from hub.models import Block, Message

Act = Callable[[HttpRequest, Message], None]


def _may_decide(request: HttpRequest, message: Message) -> None:
    """Raises PermissionDenied. Held messages are decided about by other people than dead letters are mended by."""
    right = "hub.decide_held" if message.state == Message.State.HELD else "hub.send_again"
    if not request.user.has_perm(right):
        raise PermissionDenied


def _send_again(request: HttpRequest, message: Message) -> None:
    _may_decide(request, message)
    try:
        send_again(message, _who(request), anyway=request.POST.get("anyway") == "yes")
    except NewerWasSent as error:
        notices.warning(request, f"{error} The button 'Send this older one anyway' does it.")
    else:
        notices.success(request, f"{message} is on its way again.")


def _skip(request: HttpRequest, message: Message) -> None:
    _may_decide(request, message)
    reason = " ".join(request.POST.get("reason", "").split())
    if not reason:
        notices.error(
            request, "Say why it is skipped: whoever looks for the order later reads it. Nothing was changed."
        )
        return
    skip(message, reason[:500], _who(request))
    notices.success(request, f"{message} is skipped: {reason[:500]}")


def _unmask(request: HttpRequest, message: Message) -> None:
    if not request.user.has_perm("hub.unmask"):
        raise PermissionDenied
    show_in_clear(request, message)


def _add_entry(request: HttpRequest, message: Message) -> None:
    """For a value that stops this very message: nothing else can be added here."""
    if not request.user.has_perm("hub.change_lookuptable"):
        raise PermissionDenied
    number = request.POST.get("value", "")
    known = Block.objects.filter(message=message).select_related("value__table__pair")
    block = known.filter(value=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if block is None:
        raise Http404("This value does not stop this message any more.")
    add_for(request, block.value, request.POST.get("ours", ""))


def add_for(request: HttpRequest, value: Any, text: str) -> None:
    """Adds the entry for an unmapped value and says what it has released."""
    table, ours = value.table, text.strip()
    if not ours and request.POST.get("nothing") != "yes":
        notices.error(request, f"Say what {value.code!r} is in '{table.label}'. Nothing was changed.")
        return
    try:
        typed_value = typed(table, ours) if ours else None
        released = add_entry(table, value.code, typed_value, _who(request), note="For an unmapped value")
    except ValueError as error:
        notices.error(request, f"{error} Nothing was changed.")
        return
    told = f"{value.code} is now {ours or 'nothing'} in '{table.label}'."
    notices.success(request, f"{told} {released} {'message is' if released == 1 else 'messages are'} on the way again.")


def _who(request: HttpRequest) -> Any:
    return request.user


def _posted(act: Act) -> Callable[[HttpRequest, Message], HttpResponse]:
    def view(request: HttpRequest, message: Message) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            act(request, message)
        except LeftAsItIs as error:
            notices.error(request, str(error))
        return redirect("admin:hub_message_change", message.pk)

    return view


ACTS = {
    "send-again": _posted(_send_again),
    "skip": _posted(_skip),
    "in-clear": _posted(_unmask),
    "add-entry": _posted(_add_entry),
}
