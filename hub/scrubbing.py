"""Takes out of texts and records what nobody may keep: passwords, keys, tokens, cookies and card data.

Whatever system they came from: in JSON, XML, forms, addresses and printed headers, by the name before the value; also
where one of these is written inside another, or was cut off in the middle.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from json import JSONDecoder
from typing import Any

from connectors.http import MASK

Found = tuple[int, int, bytes]  # where it begins, where it ends, what takes its place
# Looked for first, since most texts hold none of them; what stands there is then looked at closely.
STEMS = (
    b"pass",
    b"pwd",
    b"secret",
    b"token",
    b"assertion",
    b"key",
    b"authorization",
    b"cookie",
    b"card",
    b"cvc",
    b"cvv",
)
SECRET_NAME = re.compile(
    rb"passw|passphrase|^pass$|pwd$|securekey$|secret(?:s|key|value|text)?$|assertion$|wskey$|apikey$|authorization$|cookies?$"
    rb"|card(?:holder|number|no$|num$|exp|brand|security)|^(?:card)?cv[cv]2?(?:code|number)?$|token$"
)
NO_SECRET = re.compile(  # a place in a list, and names of errors
    rb"(?:skip|page|paging|continuation|next|delta|change|sync|concurrency)(?:token|cookie)$"
    rb"|^(?:invalid|expired|missing|bad|wrong)"
)
LINE_NAME = re.compile(rb"authorization$|cookies?$")  # as headers are printed: their values go to the end of the line
NAME = re.compile(rb"[\w-]{0,64}")
BEFORE_ELEMENT = re.compile(rb"(?:<|&lt;)(?:[\w.-]+:)?\Z")
REST_OF_TAG = re.compile(rb"(?:\s[^<>]*?)?(?:(?<!/)>|(?<!/)&gt;)")
QUOTE = re.compile(rb"""\\*["']|\\u0022|&quot;|&#0?39;|%22|%27""")
AFTER_NAME = re.compile(
    rb"""(?P<close>(?:\\*["']|\\u0022|&quot;|&#0?39;|%22|%27|\[\w*\]|\]|%5d)*)\s{0,20}"""
    rb"""(?:[,\s]{0,20}\\*["']?value\\*["']?\s{0,20})?"""
    rb"""(?P<sign>=>|=|:|%3a|%3d|(?<=["'])>|</[\w.:-]+>\s{0,20}<(?:[\w.-]+:)?value(?:\s[^<>]*)?>)\s{0,20}""",
    re.IGNORECASE,
)
PLAIN = re.compile(rb"""[^&\s"'<>\\]+""")
PLAIN_IN_JSON = re.compile(rb"""[^&\s"'<>\\,}\]]+""")
PLAIN_IN_PERCENT = re.compile(rb"""(?:(?!%2[26Cc])[^&\s"'<>\\])+""")
LINE = re.compile(rb"""[^\r\n"<\\]+""")
ELEMENT_TEXT = re.compile(rb"[^<]+")
QUOTED = {quote: re.compile(rb"(?:[^%s\\]|\\.)*" % quote, re.DOTALL) for quote in (b'"', b"'")}
USER_INFO = re.compile(rb"""://[^/\s@"'<>]+@""")
GONE = MASK.encode()

ONLY_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
LONG_NUMBER = re.compile(rb"0000(?:0{9,}|[ -]0000[ -]0000[ -]0{1,7}(?!0)|[ -]000000[ -]0{4,5}(?!0))")
ESCAPE = re.compile(rb"\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}")  # its digits are not the number's
NOT_INSIDE = re.compile(rb"(?:\A|[^\w.-]|\\[bfnrt]|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})\Z")
NOT_GOING_ON = re.compile(rb"(?![\w-]|[.,]\d)")
CARD = re.compile(rb"(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|64[4-9]\d|65\d\d|35[2-8]\d)\d{12}|3[47]\d{13}")
NAME_BEFORE = re.compile(
    rb"""<([\w.:-]{1,60})(?:\s[^<>]*)?>(?:<!\[CDATA\[)?\Z|(?<![\w-])([\w-]{1,60})\\*["']?\s{0,9}[:=]\s{0,9}\\*["']?\Z"""
)
HINT = re.compile(rb"card|payment|transaction|\bpan\b", re.IGNORECASE)
BARE_IN_JSON = re.compile(rb"""(\\*["'])\s*:\s*\Z""")


def scrubbed(text: str) -> str:
    """The text without secrets, and fit for a text column."""
    return without_secrets([text.encode(errors="replace")])[0].decode().replace("\0", "�")


def without_secrets(texts: list[bytes]) -> list[bytes]:
    """The texts without secrets; those that held none are the same objects. Many at once cost little more than one."""
    ends = list(accumulate(len(one) + 1 for one in texts))
    suspects = {bisect_right(ends, place) for place in _suspicious(b"\0".join(texts))}
    return [_clean(text) if number in suspects else text for number, text in enumerate(texts)]


def _suspicious(text: bytes) -> Iterator[int]:
    """Places where a secret may be."""
    lower = text.lower()
    for stem in STEMS:
        yield from _hits(lower, stem)
    yield from (start for start, _, _ in _cards(text))
    if b"@" in text:
        yield from (one.start() for one in USER_INFO.finditer(text))


def _clean(text: bytes) -> bytes:
    text = _replaced(text, _secrets(text))
    text = USER_INFO.sub(b"://" + GONE + b"@", text)
    return _replaced(text, _cards(text))


def _replaced(text: bytes, found: Iterable[Found]) -> bytes:
    parts, done = [], 0
    for start, end, instead in found:
        parts += [text[done:start], instead]
        done = end
    return b"".join([*parts, text[done:]])


def _secrets(text: bytes) -> Iterator[Found]:
    lower, done = text.lower(), 0
    for start, end in sorted({_name(text, hit) for stem in STEMS for hit in _hits(lower, stem)}):
        if start >= done and _is_secret(lower[start:end]) and (found := _value(text, start, end)):
            yield found
            done = found[1]


def _hits(lower: bytes, stem: bytes) -> Iterator[int]:
    at = lower.find(stem)
    while at >= 0:
        yield at
        at = lower.find(stem, at + len(stem))


def _name(body: bytes, hit: int) -> tuple[int, int]:
    """Where the whole name begins and ends."""
    start = hit
    while start and hit - start < 64 and (body[start - 1 : start].isalnum() or body[start - 1] in b"_-"):
        start -= 1
    if start and body[start - 1] in b"%\\":  # what is left of %22 or of \n
        start = min(hit, start + (2 if body[start - 1] == ord("%") else 1))
    found = NAME.match(body, hit)
    return start, found.end() if found else hit


def _is_secret(name: bytes) -> bool:
    plain = name.replace(b"_", b"").replace(b"-", b"")
    return bool(SECRET_NAME.search(plain)) and not NO_SECRET.search(plain)


def _value(body: bytes, start: int, end: int) -> Found | None:
    """Where the value of the name at `start` to `end` begins and ends, and what takes its place."""
    if BEFORE_ELEMENT.search(body, max(0, start - 60), start) and (tag := REST_OF_TAG.match(body, end)):
        closing = re.compile(rb"(?:<|&lt;)/(?:[\w.-]+:)?" + re.escape(body[start:end]) + rb"\b").search(body, tag.end())
        return tag.end(), closing.start() if closing else len(body), GONE
    after = AFTER_NAME.match(body, end)
    if after is None:
        return None
    at, sign = after.end(), after["sign"]
    if quote := QUOTE.match(body, at):
        return quote.end(), _end_of_quoted(body, quote.end(), quote[0]), GONE
    quotes = QUOTE.findall(after["close"])
    mask = quotes[-1] + GONE + quotes[-1] if quotes and sign == b":" else GONE
    if body[at : at + 1] in (b"{", b"["):
        return at, _end_of_json(body, at), mask
    found = _bare(body[start:end].lower(), sign, bool(quotes)).match(body, at)
    return (at, found.end(), mask) if found and found[0] not in (b"null", b"None") else None


def _bare(name: bytes, sign: bytes, quoted: bool) -> re.Pattern[bytes]:
    """What a value without quotes consists of, behind this name and sign."""
    if sign == b":" and LINE_NAME.search(name):
        return LINE
    if sign.startswith(b"%"):
        return PLAIN_IN_PERCENT
    if sign.endswith(b">") and sign != b"=>":
        return ELEMENT_TEXT
    return PLAIN_IN_JSON if quoted else PLAIN


def _end_of_quoted(body: bytes, at: int, quote: bytes) -> int:
    """Where the text ends that this quote opened; at the end of all where it was cut off."""
    if quote in QUOTED:
        found = QUOTED[quote].match(body, at)
        return found.end() if found else at
    if not quote.startswith(b"\\") or quote == rb"\u0022":
        end = body.find(quote, at)
        return end if end >= 0 else len(body)
    for one in re.finditer(rb"(?<!\\)(\\*)" + quote[-1:], body[at:]):
        if len(one[0]) == len(quote):
            return at + one.start()
        if len(one[1]) % 2 == 0:  # the text around it ends here
            return at + one.end() - 1
    return len(body)


def _end_of_json(body: bytes, at: int) -> int:
    text = body[at:].decode(errors="surrogateescape")
    try:
        _, end = JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return len(body)
    return at + len(text[:end].encode(errors="surrogateescape"))


def _cards(text: bytes, hinted: bool = False) -> Iterator[Found]:
    """Card numbers keep their last four digits. Order numbers, barcodes and parcel numbers pass the check sum by
    chance, so a number is a card's only where its name hints at one, or where it begins like one and is as long."""
    for found in LONG_NUMBER.finditer(text.translate(ONLY_ZEROS)):
        start, end = found.span()
        if escape := ESCAPE.search(text, max(0, start - 5), start + 4):
            start = max(start, escape.end())
        digits = text[start:end].replace(b" ", b"").replace(b"-", b"")
        if not 13 <= len(digits) <= 19 or not _checks(digits):
            continue
        if not NOT_INSIDE.search(text, max(0, start - 6), start) or not NOT_GOING_ON.match(text, end):
            continue
        if hinted or CARD.fullmatch(digits) or _hinted(text, start):
            bare = BARE_IN_JSON.search(text, max(0, start - 20), start)
            quote = bare[1] if bare else b""
            yield start, end, quote + GONE + digits[-4:] + quote


def _checks(digits: bytes) -> bool:
    """The Luhn check sum."""
    doubled = [(one - 48) * 2 for one in digits[-2::-2]]
    return (sum(one - 48 for one in digits[-1::-2]) + sum(one - 9 if one > 9 else one for one in doubled)) % 10 == 0


def _hinted(body: bytes, start: int) -> bool:
    name = NAME_BEFORE.search(body, max(0, start - 120), start)
    return bool(name and HINT.search(name[1] or name[2]))


def clean_record(value: Any, name: str = "") -> Any:
    """The value without secrets, whose name this is; where it is a row of name and value, by the name that it holds."""
    if isinstance(value, dict):
        named = _secret_text(value.get("name"))
        return {
            key: MASK
            if one not in (None, "") and (_secret_text(key) or (named and key == "value"))
            else clean_record(one, key)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [clean_record(one, name) for one in value]
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    plain = str(value).encode(errors="replace")
    clean = _clean(plain)
    if HINT.search(str(name).encode(errors="replace")):
        clean = _replaced(clean, _cards(clean, hinted=True))
    return value if clean == plain else clean.decode()


def _secret_text(name: Any) -> bool:
    return isinstance(name, str) and _is_secret(name.lower().encode(errors="replace"))
