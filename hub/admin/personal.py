"""Personal data in the console: masked until somebody who may asks to see it, which leaves an audit entry."""

import time

from django.http import HttpRequest

from hub import audit
from hub.masking import person
from hub.models import Message

CLEAR_FOR = 600  # seconds that one message stays in clear for the one who asked


def in_clear(request: HttpRequest, message: Message) -> bool:
    until = request.session.get("in_clear", {}).get(str(message.pk), 0)
    return bool(until > time.time() and request.user.has_perm("hub.unmask"))


def show_in_clear(request: HttpRequest, message: Message, why: str = "saw personal data") -> None:
    """For ten minutes, in this session alone. Asked again meanwhile, it leaves no second entry."""
    if in_clear(request, message):
        return
    now = time.time()
    kept = {one: until for one, until in request.session.get("in_clear", {}).items() if until > now}
    request.session["in_clear"] = {**kept, str(message.pk): now + CLEAR_FOR}
    audit.note(request.user, why, f"Message {message.pk}: {message}", pair=message.flow.pair)


def customer(message: Message, clear: bool = False) -> str:
    return message.customer if clear else person(message.customer)
