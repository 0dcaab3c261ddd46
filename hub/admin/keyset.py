"""Pages of a long list by key: the next one begins below the last row of this one, so that page 10,000 costs what the
first does, and a row that is added meanwhile shifts nothing. Nothing is counted."""

from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

BELOW, ABOVE = "below", "above"


class Unpaged(Paginator):
    """The change list asks for a paginator; the pages are the key's."""

    template_name = "console/keyset_pagination.html"

    @property
    def count(self) -> int:
        return 0


class KeysetList(ChangeList):
    """Newest first. `below` and `above` in the address are the key that the page begins at."""

    older: int | None = None
    newer: int | None = None

    def __init__(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        self.key = {name: _number(request.GET.get(name)) for name in (BELOW, ABOVE)}
        super().__init__(request, *args, **options)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (BELOW, ABOVE)}

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        return ["-pk"]

    def get_ordering_field_columns(self) -> dict[int, str]:
        return {}

    def get_results(self, request: HttpRequest) -> None:
        """The keys first, which an index alone answers, then their rows. One key more than is shown says whether there
        is another page."""
        size = self.list_per_page
        below, above = self.key[BELOW], self.key[ABOVE]
        rows = self.queryset
        if above is not None:
            found = _keys(rows.filter(pk__gt=above).order_by("pk"), size + 1)
            more, page = len(found) > size, found[:size][::-1]
            self.newer, self.older = (page[0] if more else None), above + 1
        else:
            found = _keys(rows if below is None else rows.filter(pk__lt=below), size + 1)
            page = found[:size]
            self.older = page[-1] if len(found) > size else None
            self.newer = page[0] if below is not None and page else None
        if above is not None and not page:  # nothing is newer any more: the first page
            self.key = {BELOW: None, ABOVE: None}
            self.get_results(request)
            return
        by_key = rows.in_bulk(page)
        self.result_list = [by_key[one] for one in page if one in by_key]
        self.result_count = self.full_result_count = len(page)
        self.show_full_result_count, self.show_admin_actions = False, True
        self.can_show_all = self.multi_page = False
        self.page_num = 1
        self.paginator = Unpaged(page, size)
        self.older_url = self.get_query_string({BELOW: self.older}, [ABOVE]) if self.older else ""
        self.newer_url = self.get_query_string({ABOVE: self.newer}, [BELOW]) if self.newer else ""


def _keys(rows: QuerySet[Any], most: int) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:most])


class KeysetMixin:
    paginator: ClassVar[type[Paginator]] = Unpaged
    ordering = ("-pk",)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return KeysetList


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
