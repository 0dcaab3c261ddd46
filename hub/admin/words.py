"""Words and badges that several pages show in the same way."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors import systems
from hub.models import Flow, Message

State, Outcome = Message.State, Message.Outcome
LOOKS = {
    State.WAITING: "",
    State.RUNNING: "",
    State.HELD: "warn",
    State.IN_DOUBT: "warn",
    State.DEAD_LETTER: "bad",
    Outcome.DONE: "good",
    Outcome.SKIPPED: "",
    Outcome.SUPERSEDED: "",
    Outcome.OVERTAKEN: "",
}
CLASSES = {
    "mapping": "Mapping",
    "refused": "Refused",
    "not found": "Not found",
    "sign-in": "Sign-in refused",
    "temporary": "Temporary",
    "in doubt": "In doubt",
    "record": "Waits for a record",
    "totals": "Totals differ",
    "cancelled": "Cancelled later",
    "not reported back": "Not reported back",
    "internal": "Our fault",
}


def class_words(kind: str) -> str:
    return CLASSES.get(kind, kind.capitalize())


def look_of(message: Message) -> str:
    return {str(state): look for state, look in LOOKS.items()}.get(message.outcome or message.state, "")


def badge(text: str, look: str = "") -> SafeString:
    return format_html('<span class="hub-badge {}">{}</span>', look, text)


def state_badge(message: Message) -> SafeString:
    return badge(message.get_outcome_display() or message.get_state_display(), look_of(message))


def money(amount: Decimal | None, currency: str) -> str:
    """At least two decimals, and none of those that are kept cut off: 12.30 EUR, 1200 JPY stays as it is stored."""
    if amount is None:
        return ""
    plain = amount.normalize()
    exponent = plain.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    shown = f"{plain:,.{max(places, 0 if currency in WHOLE else 2)}f}"
    return f"{shown} {currency}".strip()


WHOLE = {"JPY", "KRW", "CLP", "VND", "ISK", "XOF", "XAF", "PYG", "UGX"}


def moneys(sums: dict[str, Decimal]) -> str:
    return " + ".join(money(sums[one], one) for one in sorted(sums)) or "no amount"


def age(seconds: float) -> str:
    """45 s, 12 min, 3 h 20 min, 4 d."""
    whole = int(max(seconds, 0))
    if whole < 90:
        return f"{whole} s"
    if whole < 90 * 60:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h {minutes} min" if minutes else f"{whole // 3600} h"
    return f"{whole // 86400} d"


def age_of(message: Message) -> str:
    return age((timezone.now() - message.received_at).total_seconds())


def entity_words(flow: Flow) -> str:
    """The kind of record in the shop's words: "Order"."""
    return entity_label(flow.pair.source.system, flow.source_entity)


def entity_label(system: str, name: str) -> str:
    known = systems().get(system)
    return next((one.label for one in known.entities if one.name == name), name) if known else name


def moment(at: datetime | None) -> str:
    """In the console's zone: 26 Nov 2026 10:41."""
    return date_format(timezone.localtime(at), "j M Y H:i") if at else ""


def second(at: datetime | None) -> str:
    """The same to the second: 26 Nov 2026 10:41:12."""
    return date_format(timezone.localtime(at), "j M Y H:i:s") if at else ""


def count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
