"""Messages and dead letters: the lists, and the page that says why a record is not in the ERP and what to do."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.admin import words
from hub.admin.base import ReadPage
from hub.admin.filters import ClassFilter, FlowFilter, PairFilter, ProblemFilter, ReceivedFilter, StateFilter
from hub.admin.keyset import KeysetMixin
from hub.admin.message_acts import ACTS
from hub.admin.message_edit import edit_page
from hub.admin.message_many import chosen, many_page
from hub.admin.message_page import message_page
from hub.admin.personal import customer
from hub.finding import find
from hub.models import DeadLetter, Message


@admin.register(Message)
class MessagePage(KeysetMixin, ReadPage):
    pair_path = "flow__pair"
    list_display = ("record", "shop", "shown_customer", "shown_amount", "shown_age", "shown_class", "shown_state")
    list_display_links = None
    list_filter: ClassVar[tuple[type[SimpleListFilter], ...]] = (
        StateFilter,
        ClassFilter,
        PairFilter,
        FlowFilter,
        ProblemFilter,
        ReceivedFilter,
    )
    list_filter_submit = False
    list_select_related = ("flow__pair__source", "flow__pair__target", "lane")
    search_fields = ("reference",)
    search_help_text = "Reference, the shop's id, the ERP's number, or the customer's whole e-mail"
    list_before_template = "console/message_list_top.html"
    actions = ("send_again_chosen", "skip_chosen")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        return find(queryset, search_term), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found = super().get_actions(request)
        return found if request.user.has_perm("hub.send_again") else {}

    def get_urls(self) -> list[Any]:
        """Each act on one message is a POST below the message's own address."""
        wrap = self.admin_site.admin_view
        name = self.opts.model_name
        own = [path("many/", wrap(self.many), name=f"hub_{name}_many")]
        own += [path("<int:pk>/edit/", wrap(self.edit), name=f"hub_{name}_edit")]
        for act, view in ACTS.items():
            own.append(path(f"<int:pk>/{act}/", wrap(self._act(view)), name=f"hub_{name}_{act.replace('-', '_')}"))
        return own + super().get_urls()

    def _act(self, view: Any) -> Any:
        def act(request: HttpRequest, pk: int) -> HttpResponse:
            return view(request, self.row(request, pk))

        return act

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"may_send_all": request.user.has_perm("hub.send_again")}
        return super().changelist_view(request, {**(extra_context or {}), **may})

    def row(self, request: HttpRequest, pk: int | str) -> Message:
        """Raises Http404 outside of the user's pairs."""
        rows = self.get_queryset(request).select_related(*self.list_select_related, "problem")
        found = rows.filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such message.")
        return found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return message_page(self, request, self.row(request, object_id))

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        return edit_page(self, request, self.row(request, pk))

    def many(self, request: HttpRequest) -> HttpResponse:
        return many_page(self, request)

    @admin.action(description="Send again")
    def send_again_chosen(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse:
        return chosen(self, request, queryset, "send again")

    @admin.action(description="Skip with a reason")
    def skip_chosen(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse:
        return chosen(self, request, queryset, "skip")

    @admin.display(description="Record")
    def record(self, row: Message) -> SafeString:
        name = row.reference or row.lane.key
        entity = words.entity_words(row.flow)
        address = f"/admin/hub/message/{row.pk}/change/"
        return format_html(
            '<a class="hub-link" href="{}">{}</a> <span class="hub-quiet">{}</span>', address, name, entity
        )

    @admin.display(description="Shop")
    def shop(self, row: Message) -> str:
        return row.flow.pair.source.label

    @admin.display(description="Customer")
    def shown_customer(self, row: Message) -> str:
        return customer(row) or "-"

    @admin.display(description="Amount")
    def shown_amount(self, row: Message) -> SafeString:
        return format_html('<span class="hub-number">{}</span>', words.money(row.amount, row.currency) or "-")

    @admin.display(description="Age")
    def shown_age(self, row: Message) -> SafeString:
        return format_html(
            '<time datetime="{}" title="{}">{}</time>', row.received_at, row.received_at, words.age_of(row)
        )

    @admin.display(description="Class")
    def shown_class(self, row: Message) -> str:
        return words.class_words(row.kind) if row.kind else "-"

    @admin.display(description="State")
    def shown_state(self, row: Message) -> SafeString:
        return words.state_badge(row)


@admin.register(DeadLetter)
class DeadLetterPage(MessagePage):
    list_filter = (ClassFilter, PairFilter, FlowFilter, ProblemFilter, ReceivedFilter)
