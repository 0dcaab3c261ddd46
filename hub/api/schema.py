"""How the API describes itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object

Extension: Any = OpenApiAuthenticationExtension


class TokenScheme(Extension):
    target_class = "hub.api.access.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return build_bearer_security_scheme_object("Authorization", "Bearer")


class SessionScheme(Extension):
    target_class = "hub.api.access.Session"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def of_the_api(endpoints: list[Any], **options: Any) -> list[Any]:
    """Webhooks are addresses of a connection, and described on its page."""
    return [one for one in endpoints if one[0].startswith("/api/v1/")]
