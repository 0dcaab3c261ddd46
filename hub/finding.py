"""Finds messages by what people know: the shop's reference or id, the ERP's number, the customer's e-mail.

The e-mail itself is not kept with a message: only a digest, keyed by the pair's namespace, that finds it again.
"""

import hashlib
import uuid
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from hub.models import CrossReference, Message, Pair

MOST = 500  # messages found by one word


def email_digest(email: str, namespace: uuid.UUID) -> str:
    """Empty for no e-mail."""
    plain = email.strip().casefold()
    return hashlib.blake2b(plain.encode(), key=namespace.bytes, digest_size=32).hexdigest() if plain else ""


def find(rows: QuerySet[Message], text: str) -> QuerySet[Message]:
    """Those of the rows that the text names exactly, or whose reference or number begins with it. Each question has an
    index of its own; one question for all of them would read the whole table."""
    word = text.strip()
    if not word:
        return rows
    ids: set[int] = set()
    for question in _questions(word):
        ids.update(Message.objects.filter(question).order_by("-pk").values_list("pk", flat=True)[:MOST])
    return rows.filter(pk__in=ids)


def _questions(word: str) -> Iterable[Q]:
    if "@" in word:
        digests = [email_digest(word, one) for one in Pair.objects.values_list("namespace", flat=True)]
        yield Q(customer_digest__in=digests)
        return
    for form in dict.fromkeys((word, word.upper())):
        yield Q(reference__startswith=form)
        yield Q(number__startswith=form)
    yield Q(lane__key=word)
    for one in CrossReference.objects.filter(target_key__in=(word, word.lower()))[:MOST]:
        yield Q(lane__pair=one.pair_id, lane__entity=one.source_entity, lane__key=one.source_key)
    if word.isdecimal() and len(word) < 19:
        yield Q(pk=int(word))
