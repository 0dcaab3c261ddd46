"""Message: one record in transit. The row is the queue."""

from django.db import models
from django.db.models import Q

from hub.models.flow import Flow
from hub.models.pair import Pair
from hub.models.problem import Problem


class Lane(models.Model):
    """The order of one record's messages. It is what a worker claims: one message of a record runs at a time.

    `due_at` is when there is something to do, and empty when there is nothing. A claim carries a `token`; whoever holds
    an older one finds no row to write to and stops. `claimed_by` is the worker process that has the claim. `alone`
    lanes are worked with nothing beside them: workers died twice while they worked on a message of theirs.
    """

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="lanes")
    entity = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    due_at = models.DateTimeField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(max_length=100, blank=True)
    alone = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("pair", "entity", "key"), name="one_lane_of_a_record"),)
        indexes = (
            models.Index(fields=("-alone", "due_at"), condition=Q(due_at__isnull=False), name="lanes_in_turn"),
            models.Index(
                fields=("pair", "due_at"), condition=Q(due_at__isnull=False), name="lanes_of_a_pair_with_work"
            ),
            models.Index(fields=("claimed_until",), condition=Q(claimed_until__isnull=False), name="claimed_lanes"),
            models.Index(fields=("key",), name="lanes_by_key"),
        )

    def __str__(self) -> str:
        return f"{self.entity} {self.key}"


class Message(models.Model):
    """`kind` is the class of what went wrong; `marks` are what finished steps have left for the later ones; `sent_at`
    is committed before a write leaves. `tries` counts failures that a repetition may mend, `deaths` workers that died
    with it. `number` is what people call the record by in the target, `customer_digest` finds the customer's e-mail
    without keeping it (see `hub.finding`). `edits` are the values that a person gave the target's fields for this
    message alone: {mapping: {path: value}}."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        HELD = "held", "Held"
        IN_DOUBT = "in doubt", "In doubt"
        DEAD_LETTER = "dead letter", "Dead letter"
        FINISHED = "finished", "Finished"

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        SUPERSEDED = "superseded", "Superseded"
        OVERTAKEN = "overtaken", "Overtaken"

    class Origin(models.TextChoices):
        WEBHOOK = "webhook", "Webhook"
        POLL = "poll", "Poll"
        BACKFILL = "backfill", "Backfill"
        PERSON = "person", "Person"
        MESSAGE = "message", "Another message"

    flow = models.ForeignKey(Flow, models.PROTECT, related_name="messages")
    lane = models.ForeignKey(Lane, models.PROTECT, related_name="messages")
    origin = models.CharField(max_length=10, choices=Origin.choices)
    event_id = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)

    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    kind = models.CharField(max_length=30, blank=True)
    reason = models.TextField(blank=True)
    detail = models.TextField(blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    deaths = models.PositiveIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    marks = models.JSONField(default=dict, blank=True)
    problem = models.ForeignKey(Problem, models.SET_NULL, null=True, blank=True, related_name="messages")

    reference = models.CharField(max_length=200, blank=True, db_index=True)
    customer = models.CharField(max_length=200, blank=True)
    customer_digest = models.CharField(max_length=64, blank=True, db_index=True)
    number = models.CharField(max_length=200, blank=True, db_index=True)
    edits = models.JSONField(default=dict, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    target_key = models.CharField(max_length=200, blank=True)
    target_link = models.CharField(max_length=1000, blank=True)

    class Meta:
        permissions = (
            ("send_again", "Send dead letters again, or skip them"),
            ("decide_held", "Decide about held messages"),
            ("edit_values", "Edit what a message sends"),
            ("unmask", "See personal data in clear"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("flow", "event_id"), condition=~Q(event_id=""), name="one_message_of_an_event"
            ),
            models.CheckConstraint(
                condition=Q(state="finished", finished_at__isnull=False) & ~Q(outcome="")
                | ~Q(state="finished") & Q(outcome="", finished_at=None),
                name="a_finished_message_has_an_outcome_and_no_other_has",
            ),
        )
        indexes = (
            models.Index(fields=("lane", "id"), condition=~Q(state="finished"), name="open_messages_of_a_lane"),
            models.Index(fields=("problem",), condition=~Q(state="finished"), name="open_messages_of_a_problem"),
            models.Index(fields=("finished_at", "outcome"), condition=Q(state="finished"), name="finished_messages"),
            # A page of a list is the newest ones below a key: one index for each thing that lists are narrowed by. They
            # are whole, since a prepared statement does not know which state it is asked about.
            models.Index(fields=("outcome", "-id"), name="messages_by_outcome"),
            models.Index(fields=("state", "-id"), name="messages_by_state"),
            models.Index(fields=("kind", "-id"), name="messages_by_class"),
            models.Index(fields=("flow", "-id"), name="messages_of_a_flow"),
        )

    def __str__(self) -> str:
        return f"{self.lane.entity} {self.reference or self.lane.key}"


class DeadLetters(models.Manager["Message"]):
    def get_queryset(self) -> models.QuerySet["Message"]:
        return super().get_queryset().filter(state=Message.State.DEAD_LETTER)


class DeadLetter(Message):
    """A message that waits for a person."""

    objects = DeadLetters()  # type: ignore[misc, assignment]  # a proxy's manager returns the proxied rows

    class Meta:
        proxy = True


class Waiting(models.Model):
    """This message waits for that one. A ring is refused when it is made."""

    waiter = models.ForeignKey(Message, models.CASCADE, related_name="waits_for")
    awaited = models.ForeignKey(Message, models.CASCADE, related_name="awaited_by")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("waiter", "awaited"), name="one_edge_between_two_messages"),)

    def __str__(self) -> str:
        return f"{self.waiter} waits for {self.awaited}"
