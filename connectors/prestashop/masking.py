"""What hooks see of a call: the shop's key and its customers' secrets are masked before anybody can keep them.

The key by its value, wherever an answer repeats it: a redirect's address, a page that prints the request's headers.
Everything else by the element's name, in answers of every kind: an order that is read, the whole order that PATCH sends
back, and error 127, which echoes a request with or without escaping it.
"""

import re
from base64 import b64encode
from dataclasses import replace
from urllib.parse import quote

from connectors.http import MASK
from connectors.prestashop.documents import SECRETS
from connectors.session import Call, Session

SHORTEST = 8  # anything shorter is no key, and would be found in every other word
NAMES = "|".join(sorted(SECRETS))
# Up to the element's end, or to the end of an answer that was cut off in the middle of a secret.
ELEMENT = re.compile(
    rf"((?:<|&lt;)({NAMES})(?:\s[^<>]*?)?(?:(?<!/)>|(?<!/)&gt;)).*?(?=(?:<|&lt;)/\2\b|\Z)".encode(),
    re.DOTALL | re.IGNORECASE,
)


def masked_session(session: Session, key: str) -> Session:
    """The same session, whose hooks see calls without secrets."""
    masking = Masking(session, key)
    return replace(session, before=masking.before, after=masking.after)


class Masking:
    def __init__(self, session: Session, key: str) -> None:
        self._session = session
        forms = {key, quote(key, safe=""), b64encode(f"{key}:".encode()).decode(), b64encode(key.encode()).decode()}
        self._forms = sorted(forms, key=len, reverse=True) if len(key) >= SHORTEST else []

    def before(self, call: Call) -> None:
        self._mask(call)
        self._session.before(call)

    def after(self, call: Call) -> None:
        self._mask(call)
        self._session.after(call)

    def _mask(self, call: Call) -> None:
        call.url = self._text(call.url)
        call.error = self._text(call.error)
        call.request_headers = {name: self._text(value) for name, value in call.request_headers.items()}
        call.response_headers = {name: self._text(value) for name, value in call.response_headers.items()}
        call.request_body = self._body(call.request_body)
        call.response_body = self._body(call.response_body)

    def _text(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def _body(self, body: bytes) -> bytes:
        for form in self._forms:
            body = body.replace(form.encode(), MASK.encode())
        return ELEMENT.sub(rb"\1" + MASK.encode(), body)
