"""Failures in the words of the service, of Entra, and of the gateway in front of both."""

from connectors.dynamics365.sandbox.entra import Entra, EntraError
from connectors.dynamics365.sandbox.errors import Refused
from connectors.dynamics365.sandbox.limits import DOCUMENTED_REQUESTS, LENGTHENED, too_many_requests
from connectors.dynamics365.sandbox.wire import refusal
from connectors.sandbox import Fault, Request, Response

GATEWAY = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


def fault_response(fault: Fault, request: Request, entra: Entra, address: str) -> Response:
    if "/oauth2/" in request.path or ".well-known" in request.path:
        return entra_fault(fault, entra)
    if fault.kind == "expired":
        return refusal(entra.unauthorized(address))
    if fault.kind == "malformed":
        return Response(200, b'{"@odata.context":"' + address.encode(), [("Content-Type", "application/json")])
    if fault.kind == "maintenance":
        return page(503, "The service is unavailable for maintenance.", waiting(fault))
    if fault.kind == "html" or (fault.kind == "status" and fault.status in GATEWAY):
        return page(
            fault.status if fault.status in (502, 504) else 502 if fault.kind == "html" else fault.status,
            "",
            waiting(fault),
        )
    if fault.kind == "status" and fault.status == 429:
        return throttled(fault)
    if fault.kind == "status" and fault.status == 401:
        return refusal(entra.unauthorized(address))
    status = fault.status if fault.kind == "status" else 500
    return refusal(Refused(status, "0x80040216", "An unexpected error occurred.", waiting(fault)))


def throttled(fault: Fault) -> Response:
    """Whoever goes on is told to wait longer each time."""
    wait = fault.retry_after if fault.retry_after is not None else 1
    if fault.retry_after is not None:
        fault.retry_after += LENGTHENED
    return refusal(too_many_requests(DOCUMENTED_REQUESTS, wait))


def waiting(fault: Fault) -> list[tuple[str, str]]:
    return [("Retry-After", str(fault.retry_after))] if fault.retry_after is not None else []


def page(status: int, text: str, headers: list[tuple[str, str]]) -> Response:
    title = f"{status} - {GATEWAY.get(status, 'Error')}"
    body = f"<html><head><title>{title}</title></head><body><h2>{title}</h2><p>{text}</p></body></html>"
    return Response(status, body.encode(), [("Content-Type", "text/html"), *headers])


def entra_fault(fault: Fault, entra: Entra) -> Response:
    if fault.kind == "malformed":
        return Response(200, b'{"token_type":"Bearer","expires_in":', [("Content-Type", "application/json")])
    if fault.kind in ("html", "maintenance"):
        return page(fault.status if fault.status in GATEWAY else 503, "", waiting(fault))
    if fault.kind == "expired":
        return entra.refusal(EntraError(401, "invalid_client", 7000222, "The provided client secret keys are expired."))
    status = fault.status if fault.kind == "status" else 500
    text = "A transient error has occurred. Please try again."
    return entra.refusal(EntraError(status, "temporarily_unavailable", 90033, text, waiting(fault)))
