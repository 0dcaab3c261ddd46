"""Problems: dead letters of one cause, with what they are worth, who looks after them and what to do."""

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib import messages as notices
from django.contrib.admin import SimpleListFilter
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub import problems
from hub.admin import words
from hub.admin.base import ReadPage
from hub.admin.filters import Choices, ClassFilter, NumberFilter
from hub.admin.keyset import KeysetList, KeysetMixin
from hub.models import AuditEntry, Message, Pair, Problem, Waiting
from hub.people import limited, may_see

FIRST = 20  # messages that a problem's page lists


class StateFilter(SimpleListFilter):
    """Open ones, unless somebody asks for more."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("closed", "Closed"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        found = list(super().choices(changelist))
        return [{**found[0], "display": "Open"}, *found[1:]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Problem]) -> QuerySet[Problem]:
        value = self.value()
        return queryset if value == "all" else queryset.filter(state=value or Problem.State.OPEN)


class PairOfProblem(NumberFilter):
    title = "pair"
    parameter_name = "pair"
    field = "pair"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(one.pk, one.label) for one in limited(Pair.objects.order_by("label"), request.user, "pk")]


class ProblemList(KeysetList):
    """What the problems of the page are worth, in two statements for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        weights = weights_of([one.pk for one in self.result_list])
        for one in self.result_list:
            one.weight = weights[one.pk]


def weights_of(numbers: list[int]) -> dict[int, dict[str, Any]]:
    """{problem: {"messages", "waiting", "money" by currency}}; waiting are those that wait for them directly."""
    found: dict[int, dict[str, Any]] = {one: {"messages": 0, "waiting": 0, "money": {}} for one in numbers}
    open_ones = Message.objects.filter(problem__in=numbers).exclude(state=Message.State.FINISHED)
    sums = open_ones.order_by().values_list("problem", "currency").annotate(Count("pk"), Sum("amount"))
    for number, currency, count, amount in sums:
        found[number]["messages"] += count
        if amount is not None:
            money: dict[str, Decimal] = found[number]["money"]
            money[currency] = amount
    edges = Waiting.objects.filter(awaited__problem__in=numbers).order_by()
    for number, count in edges.values_list("awaited__problem").annotate(Count("pk")):
        found[number]["waiting"] = count
    return found


@admin.register(Problem)
class ProblemPage(KeysetMixin, ReadPage):
    list_display = (
        "shown_words",
        "shown_class",
        "pair",
        "shown_messages",
        "shown_money",
        "seen",
        "owner",
        "shown_state",
    )
    list_display_links = None
    list_filter: ClassVar[tuple[Any, ...]] = (StateFilter, ClassFilter, PairOfProblem)
    list_select_related = ("pair", "owner")
    search_fields = ("words",)
    search_help_text = "Words of the problem"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[KeysetList]:
        return ProblemList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rows = self.get_queryset(request).select_related("pair__target", "pair__source", "owner")
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        problem = rows.filter(pk=number).first()
        if problem is None or not self.has_view_permission(request):
            raise Http404("There is no such problem.")
        if request.method == "POST":
            return self._looked_after(request, problem)
        weight = problems.weight(problem)
        own = problem.messages.exclude(state=Message.State.FINISHED).select_related("lane", "flow__pair__source")
        return self.render(
            request,
            "problem.html",
            f"Problem {problem.pk}",
            problem=problem,
            kind=words.class_words(problem.kind),
            weight=weight,
            money=words.moneys(weight["money"]),
            first=[
                (one, words.state_badge(one), words.money(one.amount, one.currency))
                for one in own.order_by("pk")[:FIRST]
            ],
            people=self._people(problem),
            may_change=request.user.has_perm("hub.change_problem"),
            may_send=request.user.has_perm("hub.send_again"),
            history=AuditEntry.objects.filter(record__startswith=f"Problem {problem.pk}:").order_by("-pk")[:20],
        )

    def _people(self, problem: Problem) -> list[User]:
        """Who can look after it: whoever may send its messages again."""
        active = User.objects.filter(is_active=True, is_staff=True).order_by("username")
        return [one for one in active if one.has_perm("hub.send_again") and may_see(one, problem.pair_id)]

    def _looked_after(self, request: HttpRequest, problem: Problem) -> HttpResponse:
        if not request.user.has_perm("hub.change_problem"):
            raise PermissionDenied
        named = request.POST.get("owner", "")
        owner = next((one for one in self._people(problem) if str(one.pk) == named), None)
        if named and owner is None:
            notices.error(request, "This person cannot look after it: no right to send messages of this pair again.")
            return redirect("admin:hub_problem_change", problem.pk)
        note = request.POST.get("note", "").strip()[:5000]
        before = {"owner": str(problem.owner or ""), "note": problem.note}
        after = {"owner": str(owner or ""), "note": note}
        if before != after:
            Problem.objects.filter(pk=problem.pk).update(owner=owner, note=note)
            self.note(request, "changed owner or note", problem, before, after)
            notices.success(request, "Saved.")
        return redirect("admin:hub_problem_change", problem.pk)

    @admin.display(description="Problem")
    def shown_words(self, row: Problem) -> SafeString:
        text = row.words if len(row.words) < 160 else row.words[:160] + "…"
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, text)

    @admin.display(description="Class")
    def shown_class(self, row: Problem) -> str:
        return words.class_words(row.kind)

    @admin.display(description="Messages")
    def shown_messages(self, row: Any) -> SafeString:
        waiting = f" + {row.weight['waiting']} waiting" if row.weight["waiting"] else ""
        address = f"/admin/hub/message/?problem={row.pk}&state=open"
        return format_html('<a class="hub-link" href="{}">{}</a>{}', address, row.weight["messages"], waiting)

    @admin.display(description="Money")
    def shown_money(self, row: Any) -> str:
        return words.moneys(row.weight["money"]) if row.weight["money"] else "-"

    @admin.display(description="First and last seen")
    def seen(self, row: Problem) -> SafeString:
        return format_html("{}<br>{}", words.moment(row.first_seen), words.moment(row.last_seen))

    @admin.display(description="State")
    def shown_state(self, row: Problem) -> SafeString:
        return words.badge(row.get_state_display(), "bad" if row.state == Problem.State.OPEN else "good")
