"""What lists of messages are narrowed by. Each choice is answered by an index."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from hub.admin import words
from hub.again import STOPPED
from hub.models import Flow, Message, Pair, Problem
from hub.people import limited

Choices = Iterable[tuple[Any, str]]


class StateFilter(SimpleListFilter):
    """States of open messages and outcomes of finished ones, in one list."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        opened = [one for one in Message.State if one != Message.State.FINISHED]
        return [(one.value, one.label) for one in [*opened, *Message.Outcome]] + [
            ("stopped", "Dead letter or held"),
            ("open", "Open (all)"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        value = self.value()
        if value == "stopped":
            return queryset.filter(state__in=STOPPED)
        if value == "open":
            return queryset.exclude(state=Message.State.FINISHED)
        if value in Message.Outcome.values:
            return queryset.filter(outcome=value)
        return queryset.filter(state=value) if value else queryset


class ClassFilter(SimpleListFilter):
    title = "class"
    parameter_name = "class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(words.CLASSES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class NumberFilter(SimpleListFilter):
    """By the key of another row."""

    field = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(**{self.field: int(value)}) if value.isdecimal() else queryset.none()


class PairFilter(NumberFilter):
    title = "pair"
    parameter_name = "pair"
    field = "flow__pair"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(one.pk, one.label) for one in limited(Pair.objects.order_by("label"), request.user, "pk")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By the flows of the pair, which have an index."""
        value = self.value()
        if not value:
            return queryset
        flows = list(Flow.objects.filter(pair=int(value)).values_list("pk", flat=True)) if value.isdecimal() else []
        return queryset.filter(flow__in=flows)


class FlowFilter(NumberFilter):
    title = "flow"
    parameter_name = "flow"
    field = "flow"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(one.pk, str(one)) for one in limited(Flow.objects.select_related("pair"), request.user, "pair")]


class ProblemFilter(NumberFilter):
    """Comes from a problem's page; as a choice in the list there would be too many."""

    title = "problem"
    parameter_name = "problem"
    field = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        chosen = request.GET.get(self.parameter_name, "")
        found = limited(Problem.objects.filter(pk=int(chosen) if chosen.isdecimal() else 0), request.user, "pair")
        return [(one.pk, str(one)) for one in found]


class ReceivedFilter(SimpleListFilter):
    title = "received"
    parameter_name = "received"
    SINCE = (
        ("1h", "Last hour", 1),
        ("24h", "Last 24 hours", 24),
        ("7d", "Last 7 days", 168),
        ("30d", "Last 30 days", 720),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(name, label) for name, label, _ in self.SINCE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        hours = next((hours for name, _, hours in self.SINCE if name == self.value()), None)
        return queryset.filter(received_at__gte=timezone.now() - timedelta(hours=hours)) if hours else queryset
