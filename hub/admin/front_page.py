"""What the front page shows."""

from typing import Any

from django.http import HttpRequest


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    return context
