"""Pages by key, newest first, and filters that refuse what they do not know."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

SIZE, MOST = 50, 200


class Below(BasePagination):
    """`below` is the id that the page ends above; `size` up to 200. `next` leads on, and nothing is counted."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        size = _number(request, "size", SIZE)
        if not 1 <= size <= MOST:
            raise ValidationError({"size": f"From 1 to {MOST}."})
        if "below" in request.query_params:
            queryset = queryset.filter(pk__lt=_number(request, "below", 0))
        rows = list(queryset.order_by("-pk")[: size + 1])
        self.next = rows[size - 1].pk if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        address = None
        if self.next is not None:
            query = self.request.query_params.copy()
            query["below"] = str(self.next)
            address = self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")
        return Response({"next": address, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        def number(name: str, words: str) -> dict[str, Any]:
            return {"name": name, "in": "query", "description": words, "schema": {"type": "integer"}}

        return [number("below", "Only ids below this one."), number("size", f"Rows of a page, {MOST} at most.")]


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > 18:
        raise ValidationError({name: "A whole number."})
    return int(text)


def narrowed(request: Request, rows: QuerySet[Any], filters: dict[str, Any]) -> QuerySet[Any]:
    """`filters` are by query parameter: the field to compare, or what makes of the rows and the text the fewer rows.
    Raises ValidationError for a parameter that is none of them: one that is ignored in silence shows too much."""
    known = {*filters, "below", "size", "format"}
    if unknown := sorted(set(request.query_params) - known):
        raise ValidationError(
            {one: f"There is no such filter; there are {', '.join(sorted(known))}." for one in unknown}
        )
    for name, how in filters.items():
        text = request.query_params.get(name)
        if text is None:
            continue
        if callable(how):
            rows = how(rows, text)
        elif how.endswith(("_id", "pk")):
            if not text.isdecimal() or len(text) > 18:
                raise ValidationError({name: "A whole number."})
            rows = rows.filter(**{how: int(text)})
        else:
            rows = rows.filter(**{how: text})
    return rows
