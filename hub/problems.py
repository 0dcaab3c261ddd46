"""Problems: all messages that stopped for one cause, found by the words without what differs between records."""

import hashlib
import json
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import TypedDict

from django.db.models import Count, Q, Sum
from django.db.models.expressions import RawSQL
from django.utils import timezone

from connectors import systems
from hub.models import Message, Pair, Problem, Waiting
from hub.scrubbing import scrubbed

MOST_LINES, LONGEST_LINE = 50, 2000
GAP = "…"
# What a quoted text names where one of these stands beside it; elsewhere it is a value of the record.
THINGS = "field|step|rule|table|column|attribute|property|entity|setting|mapping|transform|parameter|privilege|format"
MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = r"[T\s][0-9]{2}:[0-9]{2}[0-9:.]*(?:Z|\s?[+-][0-9]{2}:?[0-9]{2})?(?:\sUTC)?"
# Fields such as address1_city, what was answered, and names of things stay; the rest goes.
PARTS = re.compile(
    rf"""
    (?P<kept> \b(?:{THINGS})s?\s(?P<quote>['"])[^'"\n]+(?P=quote)
            | (?<!\w)(['"])[^'"\n]+\3(?=\s(?:{THINGS})\b)
            | \b(?:HTTP|status|error|code|Errno)\s[0-9]{{1,5}}\b
            | \b0x[0-9a-fA-F]{{4,8}}\b
            | (?<![\w-])[a-z]+(?:_[a-z]+)*_?[0-9]{{1,2}}(?:_[a-z0-9]+)*(?![\w-]) )
    | https?://[^\s<>"']*[^\s<>"'.,:;]
    | (?<![^\s<>"'(),;:=])[^\s<>"'(),;:=@]+@[\w-]+(?:\.[\w-]+)+
    | (?<!\w)'(?:[^'\\\n]|\\.)*'(?!\w) | (?<!\w)"(?:[^"\\\n]|\\.)*"(?!\w) | [“„«‹][^“”„«»‹›\n]*[”“»›]
    | \b(?:[0-9]{{1,2}}\.?\s)?{MONTH}\.?(?:\s[0-9]{{1,2}},?)?\s[0-9]{{4}}\b
    | {DATE}(?:{TIME})?
    | (?<!\w)[-+]?[0-9](?:[0-9.,:'’/\u00a0\u202f-]*[0-9])?(?:\s?%|\s[AP]M\b|\s[A-Z]{{3}}\b)?(?![\w-])
    | (?<![\w-])[\w-]*[0-9][\w-]*
    | (?<![\w-])[A-Z]{{7,}}(?![\w-])
    """,
    re.VERBOSE,
)
GAPS = re.compile(rf"{GAP}(?:(?:[/:-]|(?:,|\sand|\sor|\s)*\s?){GAP})+")


class Weight(TypedDict):
    messages: int
    waiting: int
    money: dict[str, Decimal]


def cause_of(kind: str, system: str, code: str, field: str, words: str) -> tuple[str, str]:
    """The digest of a cause, and the words that it is known by: each line once, without ids, numbers, amounts, dates,
    quoted values, references and addresses, which differ between records of one cause."""
    lines = [one[:LONGEST_LINE] for one in scrubbed(words).splitlines() if one.strip()]
    general = dict.fromkeys(_general(one) for one in lines[:MOST_LINES])
    parts = [kind, system, code, re.sub(r"\[[0-9]*\]", "[]", field), sorted(general)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest(), "\n".join(general)


def _general(line: str) -> str:
    parts = _labels().split(line)  # every second one is a label
    parts[::2] = [PARTS.sub(_kept, one) for one in parts[::2]]
    return GAPS.sub(GAP, "".join(parts)).strip()


@cache
def _labels() -> re.Pattern[str]:
    """The names of systems that hold a number."""
    labels = [re.escape(one.label) for one in systems().values() if re.search("[0-9]", one.label)]
    return re.compile(rf"\b({'|'.join(labels) or '(?!)'})\b")


def _kept(found: re.Match[str]) -> str:
    return found["kept"] or GAP


def lock(pairs: Iterable[int]) -> None:
    """One transaction at a time looks after the problems of a pair. `assign` and `settled` see to it by themselves; a
    transaction that calls them for more than one pair names all of them here first, so that no two wait for each
    other."""
    rows = Pair.objects.select_for_update(no_key=True).filter(pk__in=set(pairs)).order_by("pk")
    list(rows.values_list("pk"))


def assign(message: Message, kind: str, words: str, *, system: str = "", code: str = "", field: str = "") -> Problem:
    """The problem that the message belongs to, open again where it was closed. Whoever calls puts it on the message's
    row, inside the same transaction."""
    pair = message.flow.pair_id
    if len(message.reference) > 3:
        words = re.sub(rf"(?<!\w){re.escape(message.reference)}(?!\w)", GAP, words)
    cause, general = cause_of(kind, system, code, field, words)
    lock([pair])
    now = timezone.now()
    seen = {"state": Problem.State.OPEN, "closed_at": None, "last_seen": now}
    problem, _ = Problem.objects.update_or_create(
        pair_id=pair,
        cause=cause,
        defaults=seen,
        create_defaults={**seen, "kind": kind, "words": general, "first_seen": now},
    )
    return problem


def settled(problem_id: int) -> bool:
    """Closes the problem if none of its messages is open any more, and says whether it did. Inside the transaction
    that took the message away from it."""
    lock(Problem.objects.filter(pk=problem_id).values_list("pair", flat=True))
    if Message.objects.filter(problem=problem_id).exclude(state=Message.State.FINISHED).exists():
        return False
    opened = Problem.objects.filter(pk=problem_id, state=Problem.State.OPEN)
    return bool(opened.update(state=Problem.State.CLOSED, closed_at=timezone.now()))


def weight(problem: Problem) -> Weight:
    """How many open messages the problem has, how many wait for them, be it over others, and what all are worth by
    currency."""
    message, waiting = Message._meta.db_table, Waiting._meta.db_table
    waiters = f"""
        WITH RECURSIVE stopped(id) AS (
            SELECT id FROM {message} WHERE problem_id = %s AND state <> 'finished'
            UNION SELECT waiter_id FROM {waiting} JOIN stopped ON awaited_id = stopped.id
        ) SELECT id FROM stopped"""  # noqa: S608  only names of tables are put in
    own = Q(problem=problem) & ~Q(state=Message.State.FINISHED)
    waits = Q(state=Message.State.WAITING) & ~Q(problem=problem)
    found = Message.objects.filter(own | waits, pk__in=RawSQL(waiters, [problem.pk]))  # noqa: S611
    weight = Weight(messages=0, waiting=0, money={})
    sums = (
        found.order_by()
        .values("currency")
        .annotate(own=Count("pk", filter=own), waits=Count("pk", filter=waits), sum=Sum("amount"))
    )
    for one in sums:
        weight["messages"] += one["own"]
        weight["waiting"] += one["waits"]
        if one["sum"] is not None:
            weight["money"][one["currency"]] = one["sum"]
    return weight
