"""A hub with a million messages, made by the database itself: a spread of states as after some months of work."""

import time
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from hub.models import Connection, LookupTable, Pair, Problem, SyncJob, UnmappedValue
from hub.pairing import join

DAYS = 90
LANES = """
    INSERT INTO hub_lane (pair_id, entity, key, claimed_by, alone)
    SELECT (ARRAY[%(one)s, %(two)s])[1 + n %% 2], CASE WHEN n %% 3 = 0 THEN 'customers' ELSE 'orders' END, n::text, '',
           false FROM generate_series(1, %(count)s) n
"""
MESSAGES = """
    INSERT INTO hub_message (flow_id, lane_id, origin, event_id, received_at, state, outcome, kind, reason, detail,
        not_before, tries, deaths, first_tried_at, sent_at, finished_at, marks, problem_id, reference, customer,
        customer_digest, number, edits, amount, currency, target_key, target_link)
    SELECT f.id, l.id, 'poll', '', at, state, CASE WHEN state = 'finished' THEN outcome ELSE '' END,
        CASE WHEN state = 'dead letter' THEN (ARRAY['mapping', 'refused', 'not found'])[1 + (n / 1000) %% 3]
             WHEN state = 'held' THEN 'totals' ELSE '' END,
        CASE WHEN state IN ('dead letter', 'held') THEN 'It cannot be sent.' ELSE '' END, '', NULL, 1, 0, at, at,
        CASE WHEN state = 'finished' THEN at + interval '2 seconds' END, '{}',
        CASE WHEN state IN ('dead letter', 'held') THEN %(first)s + n %% 500 END,
        CASE WHEN l.entity = 'orders' THEN upper(substr(md5(n::text), 1, 9)) ELSE '' END,
        'Hana Number ' || n, md5('mail' || n), 'PS-' || n, '{}',
        CASE WHEN l.entity = 'orders' THEN round((n %% 50000) / 100.0, 2) END,
        CASE WHEN l.entity = 'orders' THEN 'EUR' ELSE '' END, md5('key' || n), ''
    FROM (SELECT id, pair_id, entity, key::bigint AS n FROM hub_lane) l
    JOIN hub_flow f ON f.pair_id = l.pair_id AND f.source_entity = l.entity,
    LATERAL (SELECT now() - (%(count)s - n) * interval '%(days)s days' / %(count)s AS at,
        CASE WHEN n %% 1000 < 3 THEN 'dead letter' WHEN n %% 1000 = 3 THEN 'held' WHEN n %% 1000 = 4 THEN 'waiting'
             WHEN n %% 20000 = 5 THEN 'in doubt' ELSE 'finished' END AS state,
        CASE WHEN n %% 100 < 90 THEN 'done' WHEN n %% 100 < 96 THEN 'skipped' WHEN n %% 100 < 99 THEN 'superseded'
             ELSE 'overtaken' END AS outcome) told
    ORDER BY n
"""
PROBLEMS = """
    INSERT INTO hub_problem (pair_id, cause, kind, words, state, first_seen, last_seen, note)
    SELECT (ARRAY[%(one)s, %(two)s])[1 + n %% 2], md5(n::text), 'mapping', 'It cannot be sent, cause ' || n, 'open',
           now() - interval '3 days', now(), '' FROM generate_series(1, 500) n
"""
REFERENCES = """
    INSERT INTO hub_crossreference (pair_id, source_entity, source_key, target_entity, target_key, label, link, hash,
        written_at, reported_at)
    SELECT m.pair_id, m.entity, m.key, 'salesorder', md5('key' || m.key), '', '', '', now(), now() FROM hub_lane m
"""
ENTRIES = """
    INSERT INTO hub_auditentry (at, who_id, what, record, pair_id, before, after)
    SELECT now() - n * interval '1 minute', NULL, 'sent again', 'Message ' || n || ': orders ' || n, %(one)s, NULL, NULL
    FROM generate_series(1, %(count)s / 5) n
"""
RUNS = """
    INSERT INTO hub_run (job_id, started_at, finished_at, read, received, problem)
    SELECT %(job)s, now() - n * interval '1 minute', now() - n * interval '1 minute', 50, 3, ''
    FROM generate_series(1, %(count)s / 5) n
"""
BLOCKS = """
    INSERT INTO hub_block (value_id, message_id)
    SELECT %(value)s, id FROM hub_message WHERE state = 'dead letter' AND kind = 'mapping'
"""


def build(count: int) -> None:
    pairs = [_pair(name) for name in ("one", "two")]
    now = timezone.now()
    table = LookupTable.objects.get(pair=pairs[0], name="payment_methods")
    value = UnmappedValue.objects.create(table=table, code="alma", folded="alma", first_seen=now, last_seen=now)
    User.objects.create_superuser("bench", password=None)
    job = SyncJob.objects.order_by("pk").values_list("pk", flat=True)[0]
    given: dict[str, Any] = {"one": pairs[0].pk, "two": pairs[1].pk, "count": count, "days": DAYS, "value": value.pk}
    _step("problems", PROBLEMS, given)
    given |= {"job": job, "first": Problem.objects.order_by("pk").values_list("pk", flat=True)[0]}
    for name, statement in (
        ("lanes", LANES),
        ("messages", MESSAGES),
        ("cross-references", REFERENCES),
        ("audit entries", ENTRIES),
        ("runs", RUNS),
        ("blocks", BLOCKS),
        ("statistics", "ANALYZE"),
    ):
        _step(name, statement, given)


def _pair(name: str) -> Pair:
    shop = Connection.objects.create(name=f"shop-{name}", label=f"Shop {name}", system="prestashop")
    erp = Connection.objects.create(name=f"erp-{name}", label=f"ERP {name}", system="dynamics365")
    pair = Pair(name=name, label=f"Pair {name}", source=shop, target=erp)
    join(pair, ("customers", "orders"), None)
    return pair


def _step(name: str, statement: str, given: dict[str, Any]) -> None:
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(statement, given if "%(" in statement else None)
    print(f"  {name}: {time.monotonic() - began:.0f} s", flush=True)
