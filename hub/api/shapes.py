"""What the API answers. Money is {"amount": "12.30", "currency": "EUR"}; times are UTC with a Z."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from hub import models, problems
from hub.conservation import Sum
from hub.masking import person

Serializer = serializers.ModelSerializer


class Money(serializers.Serializer):
    amount = serializers.CharField()
    currency = serializers.CharField()


def money(amount: Decimal | None, currency: str) -> dict[str, str] | None:
    return None if amount is None else {"amount": f"{amount:f}", "currency": currency}


class Message(Serializer):
    pair = serializers.IntegerField(source="flow.pair_id")
    entity = serializers.CharField(source="lane.entity")
    key = serializers.CharField(source="lane.key", help_text="The record's id in the shop.")
    customer = serializers.SerializerMethodField(help_text="As lists show it: Hana D.")
    money = serializers.SerializerMethodField()

    class Meta:
        model = models.Message
        fields: tuple[str, ...] = (
            "id", "pair", "flow", "entity", "key", "reference", "number", "customer", "money", "origin", "state",
            "outcome", "kind", "reason", "tries", "not_before", "received_at", "finished_at", "problem", "target_key",
            "target_link",
        )  # fmt: skip

    def get_customer(self, row: models.Message) -> str:
        return person(row.customer)

    def get_money(self, row: models.Message) -> dict[str, str] | None:
        return money(row.amount, row.currency)


class Attempt(Serializer):
    class Meta:
        model = models.Attempt
        fields = ("number", "started_at", "ended_at", "ended_in", "kind", "reason", "steps", "versions")


class MessageWhole(Message):
    attempts = Attempt(many=True)

    class Meta(Message.Meta):
        fields: tuple[str, ...] = (*Message.Meta.fields, "attempts")


class Problem(Serializer):
    owner = serializers.CharField(source="owner.username", default=None)
    weight = serializers.SerializerMethodField(help_text="Messages, waiting ones, and money by currency.")

    class Meta:
        model = models.Problem
        fields = (
            "id",
            "pair",
            "kind",
            "words",
            "state",
            "first_seen",
            "last_seen",
            "closed_at",
            "owner",
            "note",
            "weight",
        )

    def get_weight(self, row: models.Problem) -> dict[str, Any]:
        found = problems.weight(row)
        return {**found, "money": {one: f"{amount:f}" for one, amount in found["money"].items()}}


class UnmappedValue(Serializer):
    table_name = serializers.CharField(source="table.name")
    pair = serializers.IntegerField(source="table.pair_id")
    waiting = serializers.IntegerField()

    class Meta:
        model = models.UnmappedValue
        fields = ("id", "pair", "table", "table_name", "code", "first_seen", "last_seen", "closed_at", "waiting")


class CrossReference(Serializer):
    class Meta:
        model = models.CrossReference
        fields = (
            "id", "pair", "source_entity", "source_key", "target_entity", "target_key", "link", "written_at",
            "reported_at",
        )  # fmt: skip


class Connection(Serializer):
    class Meta:
        model = models.Connection
        fields = (
            "id", "name", "label", "system", "settings", "paused", "paused_because", "poll_seconds", "tested_at",
            "test_passed", "test_answer",
        )  # fmt: skip


class Pair(Serializer):
    class Meta:
        model = models.Pair
        fields = ("id", "name", "label", "source", "target", "namespace")


class Flow(Serializer):
    version = serializers.IntegerField(source="current.number", default=None)

    class Meta:
        model = models.Flow
        fields = ("id", "pair", "name", "label", "source_entity", "target_entity", "on", "settings", "version")


class Mapping(Serializer):
    version = serializers.IntegerField(source="current.number", default=None)

    class Meta:
        model = models.Mapping
        fields = ("id", "pair", "name", "label", "target_entity", "version")


class Entry(Serializer):
    ours = serializers.JSONField(allow_null=True)

    class Meta:
        model = models.LookupEntry
        fields = ("theirs", "ours")


class LookupTable(Serializer):
    entries = Entry(many=True)

    class Meta:
        model = models.LookupTable
        fields = ("id", "pair", "name", "label", "entries")


class SyncJob(Serializer):
    class Meta:
        model = models.SyncJob
        fields = ("id", "connection", "entity", "kind", "on", "next_at", "cursor_at", "since", "until")


class Run(Serializer):
    class Meta:
        model = models.Run
        fields = ("id", "job", "started_at", "finished_at", "read", "received", "problem")


class Batch(Serializer):
    total = serializers.IntegerField()

    class Meta:
        model = models.Batch
        fields = (
            "id", "action", "title", "pair", "who", "reason", "created_at", "finished_at", "cancelled_at", "position",
            "total", "done", "left",
        )  # fmt: skip


class AuditEntry(Serializer):
    who = serializers.CharField(source="who.username", default=None)

    class Meta:
        model = models.AuditEntry
        fields = ("id", "at", "who", "what", "record", "pair", "before", "after")


class Conservation(serializers.Serializer):
    """Received = done + skipped + superseded + overtaken + what is open."""

    flow = serializers.IntegerField()
    received = serializers.IntegerField()
    states = serializers.DictField(child=serializers.IntegerField())
    holds = serializers.BooleanField()


def conservation(one: Sum) -> dict[str, Any]:
    return {"flow": one.flow.pk, "received": one.received, "states": one.states, "holds": one.holds}


class Fault(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()
    remedy = serializers.CharField()


class Error(serializers.Serializer):
    """Every error has this shape."""

    error = Fault()


class Anyway(serializers.Serializer):
    anyway = serializers.BooleanField(default=False, help_text="Also where a newer change was sent since.")


class Reason(serializers.Serializer):
    reason = serializers.CharField(max_length=500, help_text="Whoever looks for the record later reads it.")


class NewMessage(serializers.Serializer):
    flow = serializers.IntegerField()
    key = serializers.CharField(max_length=200, help_text="The record's id in the shop.")


class NewEntry(serializers.Serializer):
    theirs = serializers.CharField(max_length=500)
    ours = serializers.JSONField(allow_null=True)


class Released(serializers.Serializer):
    released = serializers.IntegerField(help_text="Messages that are on the way again.")


class NewBatch(serializers.Serializer):
    action = serializers.ChoiceField(models.Batch.Action.choices)
    messages = serializers.ListField(child=serializers.IntegerField(), max_length=10_000)
    reason = serializers.CharField(max_length=500, required=False, default="")


class Backfill(serializers.Serializer):
    connection = serializers.IntegerField()
    entity = serializers.CharField(max_length=100)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class Because(serializers.Serializer):
    because = serializers.CharField(max_length=500)


class Tested(serializers.Serializer):
    ok = serializers.BooleanField()
    words = serializers.CharField()


class Note(serializers.Serializer):
    note = serializers.CharField(max_length=5000, allow_blank=True)
