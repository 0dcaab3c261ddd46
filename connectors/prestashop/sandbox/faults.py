"""What goes wrong at a shop, in its own words."""

from collections.abc import Iterable

from connectors.prestashop.sandbox.errors import NOT_ACTIVE, SWITCHED_OFF, error_xml
from connectors.prestashop.sandbox.headers import HTML, SIGN_IN, XML, webservice_headers
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.xml import OPENING, document
from connectors.sandbox import Fault, Request, Response

NO_BODY = 599  # as a fault's status: the 500 comes without any body
DEPRECATED = (
    15,
    "[PHP Unknown error #8192] Function utf8_encode() is deprecated (/srv/shop/EmailLexer.php, line 275)",
)
PRINTED = (
    "<br />\n<b>Warning</b>:  Undefined array key 1 in <b>/srv/shop/classes/Tools.php</b> on line <b>97</b><br />\n"
)
PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>{title}</title></head>
<body><h2>{title}</h2><p>{words}</p></body></html>
"""


def response(fault: Fault, request: Request, shop: Shop, address: str, version: str) -> Response:
    """`error_before` and `error_after` answer 500 with PHP's warnings as errors, or with nothing at all where the
    fault's status is 599. `malformed` prints a warning before the XML, and cuts the XML off where the status is 500.
    `status` answers that status with a page; 302 leads to the front page."""
    if fault.kind in ("error_before", "error_after"):
        return Response(500, b"", HTML) if fault.status == NO_BODY else _xml(shop, 500, [DEPRECATED] * 3, version)
    if fault.kind == "expired":
        refused = _xml(shop, 401, NOT_ACTIVE, "0")
        refused.headers.append(SIGN_IN)
        return refused
    if fault.kind == "maintenance":
        return _xml(shop, 503, [SWITCHED_OFF], "0")
    if fault.kind == "html":
        return Response(500, _page("500 Server Error", "Oops, something went wrong."), HTML)
    if fault.kind == "malformed":
        return _malformed(fault, request, shop, version)
    if fault.status == 302:
        return Response(302, b"", [*HTML, ("Location", f"{address}/")])
    headers = [("Retry-After", str(fault.retry_after))] if fault.retry_after is not None else []
    return Response(fault.status, _page(str(fault.status), "The web server in front of the shop."), [*HTML, *headers])


def _malformed(fault: Fault, request: Request, shop: Shop, version: str) -> Response:
    resource = request.path.removeprefix("/api").strip("/").partition("/")[0] or "api"
    whole = document([f"<{resource}>\n", f"</{resource}>\n"])
    body = f"{OPENING}<{resource}>\n<".encode() if fault.status == 500 else PRINTED.encode() + whole
    return Response(200, body, [XML, *webservice_headers(shop, version, None)])


def _xml(shop: Shop, status: int, errors: Iterable[tuple[int, str]], version: str) -> Response:
    return Response(status, document(error_xml(errors)), webservice_headers(shop, version))


def _page(title: str, words: str) -> bytes:
    return PAGE.format(title=title, words=words).encode()
