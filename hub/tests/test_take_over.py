"""Whoever lost its lane changes nothing, and whoever takes over writes nothing twice, wherever the first one was."""

import pytest
from django.utils import timezone

from connectors.sandbox import Response
from hub.conservation import breaches
from hub.handling import handle
from hub.lanes import LEASE, claim
from hub.models import Attempt, CrossReference, Lane, Message
from hub.tests.seeing import attempts, fresh, stands_as, watched

pytestmark = pytest.mark.django_db
WRITES = (
    ("erp", "POST", "/salesorders"),
    ("shop", "POST", "/api/order_histories"),
    ("shop", "PATCH", "/api/orders/"),
)
PHASES = (("shop", "GET", "/api/orders/"), *WRITES)
NAMES = ["first read", "order", "state", "note"]


class Killed(BaseException):
    """The worker is gone in the middle of a call."""


def at(running, phase, happens, *, before=False):
    """Once, at the first call of this phase: before the other side has done anything, or before its answer is read."""
    side, method, path = phase
    sandbox = getattr(running.joined, side)
    respond, left = sandbox.respond, [1]

    def responding(request):
        now = left[0] and request.method == method and path in request.target
        if not now:
            return respond(request)
        left[0] = 0
        if before:
            happens()
            return respond(request)
        answer = respond(request)
        happens()
        return answer

    sandbox.respond = responding


def expire():
    """The leases are over, as if nobody had renewed them."""
    Lane.objects.exclude(claimed_until=None).update(claimed_until=timezone.now() - LEASE)


def kill(running, claims, phase, **options):
    """Works on the first claim, and dies in this phase."""

    def dies():
        raise Killed

    at(running, phase, dies, **options)
    with pytest.raises(Killed):
        handle(claims[0])


def rows(message):
    """All that the hub keeps of the message, as it stands now."""
    return (
        Message.objects.filter(pk=message.pk).values().get(),
        Lane.objects.filter(pk=message.lane_id).values().get(),
        list(Attempt.objects.filter(message=message).values()),
        list(CrossReference.objects.order_by("pk").values()),
    )


def carried_once(running, order, erp, states=("2", "3")):
    """It stands there once with its total, made by one write, and the shop was told once."""
    assert len(erp.made("/salesorders")) == 1
    assert running.exact(order)
    rows = running.joined.shop.store.find("order_histories", id_order=str(order))
    assert [one["id_order_state"] for one in rows] == list(states)
    assert running.joined.shop_order(order)["note"] == f"Dynamics 365: PS-{order}"
    assert breaches() == []
    return True


# ---- the fence ----


MOMENTS = [(one, before) for one in PHASES for before in (True, False)]
MOMENT_NAMES = [f"{name} {when}" for name in NAMES for when in ("before it arrives", "before it is answered")]


@pytest.mark.parametrize(("phase", "before"), MOMENTS, ids=MOMENT_NAMES)
def test_whoever_lost_the_lane_changes_nothing_any_more(running, phase, before):
    """Another worker takes it over in the middle of a call, and does it all."""
    order = running.order()
    message = running.receive(order)
    erp = watched(running.joined.erp)
    (slow,) = claim(1)
    left = []

    def taken_over():
        expire()
        running.work()
        left.append(rows(message))

    at(running, phase, taken_over, before=before)
    handle(slow)
    assert rows(message) == left[0]
    assert stands_as(message) == ("finished", "done", "", 0)
    assert attempts(message) == [(1, "done", "")]
    # A state that has left cannot be called back, and the shop knows no key by which it could tell a second one.
    on_its_way = (phase, before) == (WRITES[1], True)
    assert carried_once(running, order, erp, states=["2", "3", "3"] if on_its_way else ["2", "3"])


@pytest.mark.parametrize("phase", PHASES, ids=NAMES)
def test_whoever_lost_the_lane_to_nobody_yet_leaves_it_as_it_was(running, phase):
    order = running.order()
    message = running.receive(order)
    erp = watched(running.joined.erp)
    (slow,) = claim(1)
    left = []

    def lost():
        Lane.objects.update(token=None, claimed_until=None)
        left.append(rows(message))

    at(running, phase, lost)
    handle(slow)
    assert rows(message) == left[0]
    assert (fresh(message).state, attempts(message)) == ("running", [])
    running.work()
    assert fresh(message).outcome == "done"
    assert carried_once(running, order, erp)


def test_a_worker_whose_lease_is_over_while_nobody_else_came_may_finish(running):
    order = running.order()
    message = running.receive(order)
    erp = watched(running.joined.erp)
    (slow,) = claim(1)
    at(running, WRITES[0], expire)
    handle(slow)
    assert stands_as(message) == ("finished", "done", "", 0)
    assert carried_once(running, order, erp)


def test_a_newer_message_that_comes_meanwhile_is_worked_on_after_the_one_that_was_taken_over(running):
    order = running.order()
    message = running.receive(order, "first")
    erp = watched(running.joined.erp)
    (slow,) = claim(1)
    newer = []

    def taken_over():
        newer.append(running.receive(order, "second"))
        expire()
        running.work()

    at(running, WRITES[0], taken_over)
    handle(slow)
    assert (fresh(message).outcome, fresh(newer[0]).state) == ("done", "finished")
    assert message.finished_at <= newer[0].finished_at
    assert carried_once(running, order, erp)


# ---- killed ----


@pytest.mark.parametrize(("phase", "before"), MOMENTS, ids=MOMENT_NAMES)
def test_the_next_worker_goes_on_where_the_killed_one_was_and_writes_nothing_twice(running, phase, before):
    order = running.order()
    message = running.receive(order)
    erp, shop = watched(running.joined.erp), watched(running.joined.shop)
    kill(running, claim(1), phase, before=before)
    assert (fresh(message).state, message.deaths, attempts(message)) == ("running", 0, [])
    assert (message.sent_at is not None) == (phase in WRITES)
    running.work()
    assert fresh(message).state == "running"  # the lease of the dead holds
    expire()
    running.work()
    assert stands_as(message) == ("finished", "done", "", 0)
    assert (message.deaths, attempts(message)) == (0, [(1, "done", "")])
    assert carried_once(running, order, erp)
    assert len(erp.to("/salesorders")) == 1  # whether the first one arrived was asked before a second
    assert len(shop.made("/api/orders/")) == 1


@pytest.mark.parametrize("phase", WRITES[1:], ids=NAMES[2:])
def test_what_is_marked_is_not_even_asked_of_the_erp_again(running, phase):
    message = running.receive(running.order())
    kill(running, claim(1), phase)
    assert "Order" in fresh(message).marks
    erp = watched(running.joined.erp)
    expire()
    running.work()
    assert (fresh(message).outcome, erp.seen) == ("done", [])


def test_an_order_whose_worker_was_killed_stays_in_doubt_while_the_erp_is_away_and_lets_no_newer_one_pass(running):
    order = running.order()
    message = running.receive(order, "first")
    erp = watched(running.joined.erp)
    kill(running, claim(1), WRITES[0])
    newer = running.receive(order, "second")
    expire()
    respond, running.joined.erp.respond = running.joined.erp.respond, unavailable
    running.work()
    assert (fresh(message).state, fresh(newer).state) == ("in doubt", "waiting")
    running.joined.erp.respond = respond
    running.later()
    running.work()
    assert (fresh(message).outcome, fresh(newer).state) == ("done", "finished")
    assert carried_once(running, order, erp)


def unavailable(request):
    return Response(503, b"", [("Content-Type", "text/html")])


# ---- deaths ----


def test_a_claim_that_died_before_it_had_begun_counts_for_nothing(running):
    orders = [running.order() for _ in range(3)]
    messages = [running.receive(one) for one in orders]
    for _ in range(5):
        assert len(claim(16)) == 3
        expire()
    assert {(fresh(one).state, one.deaths) for one in messages} == {("waiting", 0)}
    running.work()
    assert {fresh(one).outcome for one in messages} == {"done"}


def test_after_its_second_death_a_message_runs_alone_and_after_the_third_it_is_a_dead_letter(running):
    order, *others = [running.order() for _ in range(4)]
    killer = running.receive(order)
    kill(running, claim(16), PHASES[0])
    expire()
    kill(running, claim(16), PHASES[0])
    assert (fresh(killer).state, killer.deaths) == ("running", 1)
    expire()
    innocent = [running.receive(one) for one in others[:2]]
    beside = claim(16, idle=False)
    assert {one.message.pk for one in beside} == {one.pk for one in innocent}
    assert Lane.objects.get(alone=True).pk == killer.lane_id
    assert claim(16, idle=False) == []  # until this worker is idle
    for one in beside:
        handle(one)
    later = running.receive(others[2])
    (last,) = claim(16)
    assert (last.message.pk, last.message.lane.alone) == (killer.pk, True)
    kill(running, [last], PHASES[0])
    assert (fresh(killer).state, killer.deaths) == ("running", 2)
    expire()
    running.work()
    assert stands_as(killer) == ("dead letter", "", "internal", 0)
    assert killer.reason.startswith(
        "3 workers died while they worked on this message, the last with nothing beside it."
    )
    assert (killer.problem.state, fresh(killer.lane).alone, killer.lane.due_at) == ("open", False, None)
    assert {fresh(one).outcome for one in (*innocent, later)} == {"done"}
    assert running.standing(order) == []


def test_innocent_ones_in_the_same_batch_are_not_condemned(running):
    """Each time one message kills the worker, all that it has under way are running, too."""
    orders = [running.order() for _ in range(4)]
    *innocent, killer = [running.receive(one) for one in orders]
    for _ in range(2):
        batch = claim(16)
        assert len(batch) == 4
        together(running, batch, killer)
        expire()
    assert {fresh(one).deaths for one in innocent} == {1}
    for _ in range(4):  # each alone now, and the killer kills once more
        (one,) = claim(16)
        assert one.message.lane.alone
        if one.message.pk == killer.pk:
            kill(running, [one], PHASES[0])
            expire()
        else:
            handle(one)
    running.work()
    assert {stands_as(one) for one in innocent} == {("finished", "done", "", 0)}
    assert {fresh(one).deaths for one in innocent} == {0}
    assert stands_as(killer) == ("dead letter", "", "internal", 0)
    assert all(running.exact(one) for one in orders[:-1])


def together(running, batch, killer):
    """Works on all of the batch at once, as threads do: each begins in the first call of the one before it."""
    waiting = sorted(batch, key=lambda one: one.message.pk == killer.pk)

    def begin():
        if not waiting:
            raise Killed
        one = waiting.pop(0)
        at(running, PHASES[0], begin)
        handle(one)

    with pytest.raises(Killed):
        begin()


def test_a_message_that_was_innocent_after_all_starts_anew_with_its_deaths(running):
    message = running.receive(running.order())
    kill(running, claim(1), WRITES[0])
    expire()
    kill(running, claim(1), WRITES[1])
    expire()
    running.work()
    assert (stands_as(message), message.deaths) == (("finished", "done", "", 0), 0)
    assert not Lane.objects.filter(alone=True).exists()
