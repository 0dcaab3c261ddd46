"""Cross-references: which record of the shop is which of the ERP."""

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
from hub.links import link, safe
from hub.models import CrossReference, Message, Pair
from hub.people import limited

MOST = 500


class PairOfReference(NumberFilter):
    title = "pair"
    parameter_name = "pair"
    field = "pair"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(one.pk, one.label) for one in limited(Pair.objects.order_by("label"), request.user, "pk")]


@admin.register(CrossReference)
class CrossReferencePage(KeysetMixin, ReadPage):
    list_display = ("in_shop", "in_erp", "label", "pair", "written", "reported")
    list_display_links = None
    list_select_related = ("pair__source", "pair__target")
    list_filter = (PairOfReference,)
    search_fields = ("source_key",)
    search_help_text = "The whole key in the shop or in the ERP"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CrossReference], search_term: str
    ) -> tuple[QuerySet[CrossReference], bool]:
        """Each key has an index; one question for both would read every row. A GUID may be typed as people copy it."""
        word = search_term.strip().strip("{}")
        if not word:
            return queryset, False
        ids: set[int] = set()
        for question in (Q(source_key=word), Q(target_key__in={word, word.lower()})):
            ids.update(queryset.filter(question).order_by().values_list("pk", flat=True)[:MOST])
        return queryset.filter(pk__in=ids), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rows = self.get_queryset(request).select_related(*self.list_select_related)
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        found = rows.filter(pk=number).first()
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such cross-reference.")
        lane = {"lane__pair": found.pair_id, "lane__entity": found.source_entity, "lane__key": found.source_key}
        messages = Message.objects.filter(**lane).select_related("lane").order_by("-pk")[:20]
        ours = words.entity_label(found.pair.source.system, found.source_entity)
        theirs = words.entity_label(found.pair.target.system, found.target_entity)
        return self.render(
            request,
            "cross_reference.html",
            f"{ours} {found.source_key} is {theirs.lower()} {found.label or found.target_key}",
            reference=found,
            ours=f"{ours} {found.source_key}",
            theirs=f"{theirs} {found.target_key}",
            source_link=link(found.pair.source, found.source_entity, found.source_key),
            target_link=safe(found.link) or link(found.pair.target, found.target_entity, found.target_key),
            messages=[(one, words.state_badge(one)) for one in messages],
        )

    @admin.display(description="In the shop")
    def in_shop(self, row: CrossReference) -> SafeString:
        entity = words.entity_label(row.pair.source.system, row.source_entity)
        return format_html('<a class="hub-link" href="{}/change/">{} {}</a>', row.pk, entity, row.source_key)

    @admin.display(description="In the ERP")
    def in_erp(self, row: CrossReference) -> SafeString:
        entity, href = words.entity_label(row.pair.target.system, row.target_entity), safe(row.link)
        if not href:
            return format_html("{} {}", entity, row.target_key)
        shown = '{} <a class="hub-link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
        return format_html(shown, entity, href, row.target_key)

    @admin.display(description="Written")
    def written(self, row: CrossReference) -> str:
        return words.moment(row.written_at)

    @admin.display(description="Shop told")
    def reported(self, row: CrossReference) -> str:
        return words.moment(row.reported_at) or "-"
