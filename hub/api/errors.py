"""Every error of the API in one shape: {"error": {"code", "message", "remedy"}}, in words."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from hub.again import LeftAsItIs, NewerWasSent

log = logging.getLogger(__name__)
REMEDIES = {
    401: "Send 'Authorization: Bearer TOKEN' with a token that the console made (People, API tokens).",
    403: "Use a token whose role may do this; the table of roles stands in the console under People.",
    404: "Look at the id, and whether the token's person may act for its pair.",
    405: "Look at the operation's method in /api/v1/docs/.",
    415: "Send JSON with 'Content-Type: application/json'.",
    429: "Wait as long as Retry-After says.",
}


class Refused(exceptions.APIException):
    """Somebody asked for what cannot be done now: 409, with the words and what to do."""

    status_code = 409

    def __init__(self, message: str, remedy: str = "", code: str = "conflict") -> None:
        super().__init__(message, code)
        self.remedy = remedy


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, LeftAsItIs):
        anyway = 'Send it with "anyway": true if you mean it.' if isinstance(error, NewerWasSent) else ""
        error = Refused(str(error), anyway, type(error).__name__)
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is no such record, or it is of a pair that you may not see.")
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    answer = exception_handler(error, context)
    if answer is None:
        set_rollback()
        if context["view"].request.path.startswith("/api/v1/"):
            log.exception("The API failed")
            return Response(_shape("internal", "Our fault: nothing to correct in the request.", ""), 500)
        return None
    if not context["request"].path.startswith("/api/v1/"):
        return answer
    status = answer.status_code
    remedy = getattr(error, "remedy", "") or REMEDIES.get(status, "")
    code = getattr(error, "get_codes", lambda: "error")()
    if isinstance(error, exceptions.ValidationError):
        shape = _shape("invalid", "The request has faults.", "Correct the fields that are named.")
        shape["error"]["fields"] = answer.data
    else:
        shape = _shape(str(code), str(getattr(error, "detail", error)), remedy)
    answer.data = shape
    return answer


def _shape(code: str, message: str, remedy: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "remedy": remedy}}
