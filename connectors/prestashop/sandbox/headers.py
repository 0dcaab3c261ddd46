"""The headers that the webservice and the PHP below it put on an answer."""

from connectors.prestashop.sandbox.errors import PHP
from connectors.prestashop.sandbox.shop import Shop

XML = ("Content-Type", "text/xml;charset=utf-8")
HTML = [("Content-Type", "text/html; charset=utf-8"), ("X-Powered-By", PHP)]
REALM = "Welcome to PrestaShop Webservice, please enter the authentication key as the login. No password required."
SIGN_IN = ("WWW-Authenticate", f'Basic realm="{REALM}"')


def webservice_headers(shop: Shop, version: str, content_type: tuple[str, str] | None = XML) -> list[tuple[str, str]]:
    """`version` is "0" until somebody has signed in; an answer without a body has no type."""
    epoch = str(int(shop.clock().timestamp()))
    headers = [content_type] if content_type else []
    headers += [("Access-Time", epoch), ("X-Powered-By", "PrestaShop Webservice")]
    return [*headers, ("PSWS-Version", version), ("Execution-Time", "0.003")]
