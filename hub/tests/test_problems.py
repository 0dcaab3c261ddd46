"""Problems: what stopped for one cause is one row, which closes and opens again by itself and loses nothing."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from hub.models import Connection, Flow, Lane, Message, Pair, Problem, Waiting
from hub.problems import assign, cause_of, settled, weight
from hub.tests.joined import Joined

GUIDS = ("8fff9e9b-aa80-4633-8c56-3a3e5d21870f", "91F0DACF-ab13-515d-a85f-b438109f3334")


@pytest.fixture
def flow(db):
    shop = Connection.objects.create(name="shop", label="Shop", system="prestashop")
    erp = Connection.objects.create(name="erp", label="ERP", system="dynamics365")
    pair = Pair.objects.create(name="one", label="Pair", source=shop, target=erp)
    return Flow.objects.create(pair=pair, name="orders", label="Orders", source_entity="orders", target_entity="order")


@pytest.fixture
def dead(flow):
    """Makes a message that stopped, with its problem."""

    def dead(words="Refused.", state="dead letter", **values):
        lane = Lane.objects.create(pair=flow.pair, entity="orders", key=str(uuid.uuid4()))
        message = Message(flow=flow, lane=lane, origin="poll", state=state, **values)
        with transaction.atomic():
            message.problem = assign(message, "refused", words)
            message.save()
        return message

    return dead


def finish(message):
    """As a message is finished: its row first, then its problem is looked at."""
    problem, message.problem = message.problem_id, None
    message.state, message.outcome, message.finished_at = "finished", "done", timezone.now()
    message.save()
    return settled(problem)


def in_threads(work, count):
    """At once, each in a transaction of its own."""

    def alone(number):
        try:
            with transaction.atomic():
                work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(alone, range(count)))


def cause(words, kind="refused", system="dynamics365", code="", field=""):
    return cause_of(kind, system, code, field, words)


SAME = [
    (
        "order_rows[{}].item_number: is no active product of the ERP (value: {!r}). Add a product with this number.",
        [(0, "PROTO-VASE"), (12, "it's 5\""), (3, "Väse, 20 cm"), (1, "")],
    ),
    (
        "Dynamics 365 refused to create order {}: a text is too long (name): the 'name' attribute of the 'salesorder' "
        "entity exceeded '{}' (HTTP 400, 0x80044331, request id {}).",
        [("PS-44", 300, GUIDS[0]), ("SHOP-2026/7", 100, GUIDS[1]), ("JGGFNFLOU", 4, GUIDS[0])],
    ),
    (
        "PrestaShop says {} EUR, Dynamics 365 would say {}: a difference of {}, and rounding can explain 0.01 at most.",
        [("136.89", "130.49 EUR", "6.40"), ("1,136.00", "0 EUR", "-6.4"), ("25268", "25 269,10 EUR", "1")],
    ),
    (
        "Reading orders/{}: the shop is busy or down (status 503). Tried {} times since {}.",
        [(29, 10, "2026-11-21 10:40 UTC"), (1234567, 9, "2026-01-02T10:40:05.123Z"), (3, 10, "21 Nov 2026")],
    ),
    (
        "Microsoft Entra refuses the sign-in, invalid_client: AADSTS7000215 {} Timestamp: {} (HTTP 401, trace id {}).",
        [(GUIDS[0], "2026-03-04 09:15:00Z", GUIDS[0]), (GUIDS[1], "2025-12-31 23:59:59Z", GUIDS[1])],
    ),
    (
        "customer.email -> emailaddress1: is taken by {}. See {}, or ask {}.",
        [
            ("hana@post.example", "https://erp.example/main.aspx?id=1&x=(2)", "“Hana”"),
            ("x.y+z@a-b.example", "http://localhost:8000/", "«Zoë»"),
        ],
    ),
    ("{} are gone, {} are left", [("44, 45 and 46", "12%"), ("7", "3 or 4"), ("1 and 2", "5/1/2026 3:04:05 PM")]),
]


@pytest.mark.parametrize(("words", "values"), SAME)
def test_records_that_stopped_for_one_cause_have_one_problem(words, values):
    assert len({cause(words.format(*one)) for one in values}) == 1


def test_the_words_of_a_problem_are_still_read():
    texts = [cause(words.format(*values[0]))[1] for words, values in SAME]
    assert texts == [
        "order_rows[…].item_number: is no active product of the ERP (value: …). Add a product with this number.",
        "Dynamics 365 refused to create order …: a text is too long (name): the 'name' attribute of the 'salesorder' "
        "entity exceeded … (HTTP 400, 0x80044331, request id …).",
        "PrestaShop says …, Dynamics 365 would say …: a difference of …, and rounding can explain … at most.",
        "Reading orders/…: the shop is busy or down (status 503). Tried … times since ….",
        "Microsoft Entra refuses the sign-in, invalid_client: … Timestamp: … (HTTP 401, trace id …).",
        "customer.email -> emailaddress1: is taken by …. See …, or ask ….",
        "… are gone, … are left",
    ]


def test_other_causes_are_other_problems():
    found = [
        cause("a -> b: is empty, and 'Name' is required (value: empty). Fill it in."),
        cause("a -> c: is empty, and 'Name' is required (value: empty). Fill it in."),
        cause("a -> address1_city: is empty."),
        cause("a -> address2_city: is empty."),
        cause("a: is not in the lookup table 'Currencies' (value: 'X'). Add 'X' to the table 'Currencies'."),
        cause("a: is not in the lookup table 'Price lists' (value: 'X'). Add 'X' to the table 'Price lists'."),
        cause("the source record has no field 'vat'. Correct the rule."),
        cause("the source record has no field 'tax'. Correct the rule."),
        cause("The step 'Map order' finds nothing to identify it by."),
        cause("The step 'Map contact' finds nothing to identify it by."),
        cause("Refused (HTTP 400, 0x80044331)."),
        cause("Refused (HTTP 400, 0x80044330)."),
        cause("Refused (HTTP 403, 0x80044330)."),
        cause("Refused."),
        cause("Refused.", kind="mapping"),
        cause("Refused.", system="prestashop"),
        cause("Refused.", code="85"),
        cause("Refused.", field="lines[0].tax"),
    ]
    assert len({digest for digest, _ in found}) == len(found)


def test_the_same_fault_in_several_rows_is_one_cause():
    line = "rows[{}].item: is no product (value: '{}')."
    once, often = line.format(0, "A-1"), "\n".join(line.format(number, f"B-{number}") for number in range(300))
    assert cause(once) == cause(often)
    assert cause(once, field="rows[0].item")[0] == cause(once, field="rows[12].item")[0]


def test_two_faults_are_one_cause_in_any_order():
    one, two = "a: is empty.", "b: is too long."
    assert cause(f"{one}\n{two}")[0] == cause(f"{two}\n{one}")[0]
    assert cause(f"{one}\n{two}")[0] != cause(one)[0]


@pytest.mark.parametrize("words", ["", "\0\ud800", "'" * 5000, "1." * 5000, "a@" * 5000, "x" * 100_000, "\n" * 1000])
def test_rubbish_has_a_cause_too(words):
    digest, general = cause(words)
    assert (len(digest), len(general) < 5000, "\0" in general) == (64, True, False)


def test_the_same_fault_of_two_real_orders_is_one_cause():
    joined = Joined()
    orders = [joined.order([(10,)]), joined.order([(1,), (2,), (10,)])]
    reasons = [joined.carry(one)[0].reason for one in orders]
    assert reasons[0] != reasons[1]
    assert cause(reasons[0]) == cause(reasons[1])
    held = [joined.order([(1,)]), joined.order([(2,), (3,)])]
    for number, one in enumerate(held, 5):
        joined.shop_order(one)["total_paid_tax_incl"] = f"{number}00.000000"
    outcomes = [joined.carry(one)[0] for one in held]
    assert {one.state for one in outcomes} == {"held"}
    assert cause(outcomes[0].reason) == cause(outcomes[1].reason) != cause(reasons[0])


def test_messages_of_one_cause_have_one_problem(dead):
    first, second, other = dead("Order 1 is refused."), dead("Order 22 is refused."), dead("Order 3 is closed.")
    assert first.problem == second.problem != other.problem
    assert (first.problem.words, first.problem.kind) == ("Order … is refused.", "refused")


def test_a_reference_in_the_words_makes_no_other_problem(dead):
    words = "The order {} is refused."
    first, second = (dead(words.format(one), reference=one) for one in ("abcdef", "Nr. (7)*"))
    assert first.problem == second.problem


def test_another_pair_has_problems_of_its_own(flow, dead):
    first = dead()
    other = Pair.objects.create(name="two", label="Two", source=flow.pair.target, target=flow.pair.source)
    message = dead(state="waiting")
    message.flow = Flow(pair=other)
    assert assign(message, "refused", "Refused.") != first.problem


def test_a_problem_closes_with_its_last_open_message(dead):
    first, second = dead(), dead()
    assert not finish(first)
    assert first_problem(second).state == "open"
    assert finish(second)
    problem = Problem.objects.get()
    assert (problem.state, problem.closed_at is None) == ("closed", False)
    assert not settled(problem.pk)
    assert not settled(0)


def first_problem(message):
    return Problem.objects.get(pk=message.problem_id)


def test_a_problem_that_comes_back_is_the_same_with_its_owner_and_note(dead):
    first = dead()
    owner = get_user_model().objects.create(username="anna")
    long_ago = timezone.now() - timedelta(days=9)
    Problem.objects.update(owner=owner, note="Call them.", first_seen=long_ago, last_seen=long_ago)
    finish(first)
    again = dead().problem
    assert (again.pk, again.owner, again.note, again.first_seen) == (first_problem_id(), owner, "Call them.", long_ago)
    assert (again.state, again.closed_at, again.last_seen > long_ago) == ("open", None, True)
    assert Problem.objects.get().owner == owner


def first_problem_id():
    return Problem.objects.values_list("pk", flat=True).get()


def test_a_problem_weighs_its_messages_and_all_that_wait_for_them(dead, flow):
    stopped = [dead(amount=Decimal("10.10"), currency="EUR"), dead(amount=Decimal("0.2"), currency="USD"), dead()]
    finished = dead(amount=Decimal(1000), currency="EUR")
    other = dead("Another cause.", amount=Decimal(500), currency="EUR")
    finish(finished)
    waiting = [dead(state="waiting", amount=Decimal("1.05"), currency="EUR") for _ in range(4)]
    Message.objects.filter(pk__in=[one.pk for one in waiting]).update(problem=None)
    edges = [(0, stopped[0]), (1, waiting[0]), (1, stopped[1]), (2, other), (2, finished), (0, waiting[1])]
    Waiting.objects.bulk_create(Waiting(waiter=waiting[number], awaited=awaited) for number, awaited in edges)
    assert weight(stopped[0].problem) == {
        "messages": 3,
        "waiting": 2,
        "money": {"EUR": Decimal("12.20"), "USD": Decimal("0.20")},
    }
    assert weight(other.problem) == {"messages": 1, "waiting": 1, "money": {"EUR": Decimal("501.05")}}


def test_a_problem_without_open_messages_weighs_nothing(dead):
    message = dead(amount=Decimal(1), currency="EUR")
    finish(message)
    assert weight(Problem.objects.get()) == {"messages": 0, "waiting": 0, "money": {}}


@pytest.mark.django_db(transaction=True)
def test_a_cause_that_two_workers_meet_at_once_is_one_problem(flow):
    def stop(number):
        lane = Lane.objects.create(pair_id=flow.pair_id, entity="orders", key=str(number))
        message = Message(flow=flow, lane=lane, origin="poll", state="dead letter")
        message.problem = assign(message, "refused", f"Order {number} is refused.")
        message.save()

    in_threads(stop, 8)
    assert Problem.objects.get().messages.count() == 8


@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_two_causes_in_another_order_do_not_wait_for_each_other(dead):
    causes = ["Refused.", "Closed."]

    def stop(number):
        for words in causes[:: 1 if number % 2 else -1]:
            dead(words)

    in_threads(stop, 6)
    assert sorted(Problem.objects.values_list("words", flat=True)) == sorted(causes)
    assert Message.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_a_problem_whose_last_messages_end_at_once_is_closed(dead):
    messages = [dead() for _ in range(8)]
    in_threads(lambda number: finish(messages[number]), 8)
    assert Problem.objects.get().state == "closed"


@pytest.mark.django_db(transaction=True)
def test_a_problem_that_closes_while_its_cause_comes_back_stays_open(dead):
    messages = [dead() for _ in range(4)]

    def either(number):
        if number < 4:
            finish(messages[number])
        else:
            dead()

    in_threads(either, 5)
    assert Problem.objects.get().state == "open"
