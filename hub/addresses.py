"""The address that a request comes from, behind as many proxies as the setting PROXIES says."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Each proxy of ours adds the address that it was asked from at the end; what stands before those is the sender's
    own word, which proves nothing."""
    told = [one.strip() for one in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if one.strip()]
    count = settings.PROXIES
    if count and len(told) >= count:
        return str(told[-count])
    return str(request.META.get("REMOTE_ADDR", ""))
