"""Unmapped values: what no lookup table knows, once for however many messages it stops; one entry releases them all."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hub import batches
from hub.again import LeftAsItIs, send_again
from hub.fresh import SECONDS
from hub.models import Block, LookupEntry, LookupTable, Message, UnmappedValue
from mappings.transforms import folded

log = logging.getLogger(__name__)
AT_ONCE = 100  # messages that are released where the entry is made; more of them are a batch
# Workers read a table anew after two seconds, four at most.
UNTIL_SEEN = timedelta(seconds=2 * SECONDS + 0.5)


def blocked(stopped: Mapping[int, Iterable[tuple[str, str]]], pairs: Mapping[int, int]) -> None:
    """Keeps what stops these messages: {message: [(table, code)]}, each of a pair. Inside the transaction that makes
    them dead letters."""
    tables = {
        (one.pair_id, one.name): one
        for one in LookupTable.objects.filter(
            pair__in=set(pairs.values()), name__in={table for codes in stopped.values() for table, _ in codes}
        )
    }
    now = timezone.now()
    for message, codes in stopped.items():
        for name, code in codes:
            table = tables.get((pairs[message], name))
            if table is None:
                continue
            seen = {"last_seen": now, "closed_at": None}
            first = {**seen, "code": code[:500], "first_seen": now}
            value, _ = UnmappedValue.objects.update_or_create(
                table=table, folded=folded(code)[:500], defaults=seen, create_defaults=first
            )
            Block.objects.get_or_create(value=value, message_id=message)


def release(table: LookupTable, who: User | None = None) -> int:
    """Closes the unmapped values for which the table has an entry now, and sends again every message that nothing else
    stops. Returns how many; where there are many, a batch does it and they are on their way."""
    known = {folded(one) for one in LookupEntry.objects.filter(table=table).values_list("theirs", flat=True)}
    values = [one for one in UnmappedValue.objects.filter(table=table, closed_at=None) if one.folded in known]
    if not values:
        return 0
    with transaction.atomic():
        UnmappedValue.objects.filter(pk__in=[one.pk for one in values]).update(closed_at=timezone.now())
        free = _free([one.pk for one in values])
    if len(free) > AT_ONCE:
        title = f"Released by the table {table.label}"
        batches.start(batches.SEND_AGAIN, free, title, who, table.pair, after=UNTIL_SEEN)
        return len(free)
    return sum(_sent(message, who) for message in Message.objects.filter(pk__in=free).select_related("lane"))


def _free(values: list[int]) -> list[int]:
    """The dead letters that these values have stopped and no other value does, oldest first."""
    stopped: dict[int, int] = defaultdict(int)
    dead = Q(message__state=Message.State.DEAD_LETTER)
    for message in Block.objects.filter(dead, value__in=values).values_list("message", flat=True):
        stopped[message] += 1
    still = Block.objects.filter(message__in=stopped, value__closed_at=None).exclude(value__in=values)
    return sorted(stopped.keys() - set(still.values_list("message", flat=True)))


def _sent(message: Message, who: User | None) -> bool:
    try:
        send_again(message, who, after=UNTIL_SEEN)
    except LeftAsItIs as error:
        log.info("Not released: %s", error)
        return False
    return True


def sweep() -> int:
    """Releases what an entry answers that was made in the same instant in which a message stopped."""
    tables = LookupTable.objects.filter(unmapped_values__closed_at=None, unmapped_values__isnull=False).distinct()
    return sum(release(table) for table in tables)
