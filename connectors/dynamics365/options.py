"""The settings of a connection and what they may hold."""

import re

from connectors.base import Pace, Setting, pace_settings
from connectors.errors import NeedsPerson

DEEP_INSERT = "deep insert"
BATCH = "batch"
LARGEST_PAGE = 5000
TENANT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+(?![0-9]+$){LABEL}")

# For each application user, from "Service protection API limits" in Microsoft's documentation of the Power Platform:
# 6000 requests in a sliding window of 300 s, 52 at the same time. Each web server of an environment counts on its own,
# so the true limits are these or higher.
PACE = Pace(calls=6000, seconds=300, at_once=52)
SETTINGS = (
    Setting(
        "environment_url",
        "Environment address",
        help="https://<name>.crm<n>.dynamics.com, from the Power Platform admin center, Environments.",
    ),
    Setting("tenant", "Tenant", help="Directory (tenant) id of the app registration, or its domain."),
    Setting("client_id", "Client id", help="Application (client) id of the app registration."),
    Setting("client_secret", "Client secret", secret=True, help="The secret's value, not its id."),
    Setting(
        "authority",
        "Sign-in authority",
        default="https://login.microsoftonline.com",
        help="https://login.microsoftonline.us for US Government, https://login.partner.microsoftonline.cn for China.",
    ),
    Setting(
        "order_write",
        "How orders are written",
        default=DEEP_INSERT,
        choices=(DEEP_INSERT, BATCH),
        help="Order and lines in one request; or as one change set of upserts, where the environment refuses that.",
    ),
    Setting(
        "order_reference_column",
        "Order reference column",
        required=False,
        help="Logical name of a text column of your own on orders, such as new_shoporder; empty where there is none.",
    ),
    Setting("api_version", "Web API version", default="v9.2"),
    Setting("page_size", "Rows per page", default="500", help="1 to 5000."),
    *pace_settings(PACE),
)


def checked(values: dict[str, str]) -> dict[str, str]:
    """The values without surrounding blanks. Raises NeedsPerson naming all that cannot be used."""
    clean = {name: value if name == "client_secret" else value.strip() for name, value in values.items()}
    wrong = []
    if not re.fullmatch(r"v[0-9]+\.[0-9]+", clean["api_version"]):
        wrong.append("Web API version must look like v9.2")
    if not re.fullmatch(r"[0-9]{1,4}", clean["page_size"]) or not 1 <= int(clean["page_size"]) <= LARGEST_PAGE:
        wrong.append(f"Rows per page must be 1 to {LARGEST_PAGE}")
    if not re.fullmatch(r"https?://[^/\s?#@]+/?", clean["authority"]):
        wrong.append("Sign-in authority must look like https://login.microsoftonline.com")
    if not TENANT_ID.fullmatch(clean["tenant"]) and not DOMAIN.fullmatch(clean["tenant"]):
        wrong.append("Tenant must be the directory id (a GUID) or a domain such as contoso.onmicrosoft.com")
    if wrong:
        raise NeedsPerson(f"Dynamics 365 connection: {'; '.join(wrong)}.", "Correct the settings of the connection.")
    return clean
