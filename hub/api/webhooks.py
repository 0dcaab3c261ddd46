"""Webhooks: a shop or an ERP says that a record changed. The answer comes after the message is committed."""

import hmac
from typing import Any

from django.http import RawPostDataException
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors import systems
from connectors.base import Event
from connectors.errors import RecordRefused
from hub.api.doors import Door, door_of
from hub.inbox import receive
from hub.models import Message

LARGEST = 1024 * 1024


class TooLarge(APIException):
    status_code = 413
    default_detail = "The body is over 1 MB. Send ids; the record is read from the system itself."


class NotProved(APIException):
    """Answered 401; the framework's own would be 403 where no user signs in."""

    status_code = 401


class Webhooks(APIView):
    """Takes what a connection's system posts. The body is a hint; the record is read again."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        request=Any,
        responses={202: OpenApiResponse(description="Accepted: the ids of the messages that wait for the records.")},
    )
    def post(self, request: Request, name: str, token: str = "") -> Response:
        door = door_of(name)
        if door is None:
            raise NotFound(f"There is no connection {name!r}.")
        body = _body(request)
        _verify(door, request, body, token)
        try:
            events = systems()[door.connection.system].events(request.headers, body)
        except RecordRefused as error:
            raise ParseError(f"{error.message} {error.hint}") from error
        identity = request.headers.get("webhook-id", "")
        messages = receive(door.connection, _identified(events, identity), Message.Origin.WEBHOOK)
        ids = [one.pk for one in messages]
        return Response({"id": ids[0] if ids else None, "messages": ids}, status=202)


def _body(request: Request) -> bytes:
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        raise TooLarge
    try:
        body: bytes = request._request.body
    except RawPostDataException as error:
        raise ParseError("The body could not be read.") from error
    if len(body) > LARGEST:
        raise TooLarge
    return body


def _verify(door: Door, request: Request, body: bytes, token: str) -> None:
    """By the signature, or by the secret path for senders that cannot sign. Raises NotProved."""
    if token:
        if not any(hmac.compare_digest(token.encode(), one.encode()) for one in door.tokens):
            raise NotProved("The secret in the address is not this connection's.")
        return
    problem = "The connection has no signing secret."
    for secret in door.signing:
        try:
            Webhook(secret).verify(body, dict(request.headers), json_parse=False)
            return
        except (WebhookVerificationError, ValueError) as error:
            problem = str(error) or "The signature is not valid."
    raise NotProved(f"{problem}. See the connection's set-up page for how to sign.")


def _identified(events: list[Event], identity: str) -> list[Event]:
    """The sender's id for the call is the event's; with several records in it, each has its own."""
    if not identity:
        return events
    if len(events) == 1:
        return [Event(events[0].entity, events[0].key, identity)]
    return [Event(one.entity, one.key, f"{identity}/{one.entity}/{one.key}") for one in events]
