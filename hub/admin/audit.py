"""Audit entries: who changed or saw what. Nobody changes or deletes one here."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.admin import words
from hub.admin.base import ReadPage
from hub.admin.filters import NumberFilter
from hub.admin.keyset import KeysetMixin
from hub.models import AuditEntry, Person
from hub.people import pairs_of
from mappings.texts import words as as_text

PREFIXES = ("Message", "Problem", "Connection", "Mapping", "Flow", "Lookup table", "Pair", "Person")


class WhoFilter(NumberFilter):
    title = "who"
    parameter_name = "who"
    field = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        people = Person.objects.select_related("user").order_by("user__username")[:100]
        return [(one.user_id, str(one)) for one in people]


@admin.register(AuditEntry)
class AuditPage(KeysetMixin, ReadPage):
    list_display = ("when", "shown_who", "shown_what", "record", "pair")
    list_display_links = None
    list_select_related = ("who", "pair")
    list_filter = (WhoFilter,)
    search_fields = ("record",)
    search_help_text = "The record as entries name it: Message 44, Connection 2"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Those of no single pair only for whom no pair limits."""
        pairs = pairs_of(request.user)
        rows = AuditEntry.objects.all()
        return rows if pairs is None else rows.filter(Q(pair__in=pairs))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """By the beginning of the record's name, which has an index."""
        word = search_term.strip()
        number = word.isdecimal() and [f"{one} {word}:" for one in PREFIXES]
        if not word:
            return queryset, False
        question = Q(record__startswith=word)
        for one in number or ():
            question |= Q(record__startswith=one)
        return queryset.filter(question), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        entry = self.get_queryset(request).select_related("who", "pair").filter(pk=number).first()
        if entry is None or not self.has_view_permission(request):
            raise Http404("There is no such entry.")
        before, after = entry.before or {}, entry.after or {}
        names = dict.fromkeys([*before, *after])
        told = [(one, _told(before.get(one)), _told(after.get(one))) for one in names]
        return self.render(request, "audit_entry.html", entry.what, entry=entry, difference=told)

    @admin.display(description="When")
    def when(self, row: AuditEntry) -> SafeString:
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, words.moment(row.at))

    @admin.display(description="Who")
    def shown_who(self, row: AuditEntry) -> str:
        return str(row.who) if row.who else "the hub"

    @admin.display(description="What")
    def shown_what(self, row: AuditEntry) -> str:
        return row.what


def _told(value: Any) -> str:
    return as_text(value) if not isinstance(value, dict) else ", ".join(f"{k}: {as_text(v)}" for k, v in value.items())
