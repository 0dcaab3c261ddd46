"""The webservice's front door: the list of the resources that a key may use."""

from connectors.prestashop.sandbox.rights import Key
from connectors.prestashop.sandbox.schema import RESOURCES
from connectors.prestashop.sandbox.shop import Shop

VERBS = ("get", "put", "post", "patch", "delete", "head")


def root(key: Key, api: str, shop: Shop) -> list[str]:
    """The parts of the XML document."""
    name = shop.store.configuration("PS_SHOP_NAME", "Shop").replace("&", "&amp;").replace('"', "&quot;")
    parts = [f'<api shopName="{name}">\n']
    for resource in RESOURCES:
        allowed = key.methods_for(resource)
        if not allowed:
            continue
        rights = " ".join(f'{one}="{str(one.upper() in allowed).lower()}"' for one in VERBS)
        marks = f'xlink:href="{api}/{resource}" {rights}'
        parts.append(f"<{resource} {marks}>\n<description {marks}>\n{resource.replace('_', ' ').capitalize()}")
        parts.append("</description>\n")
        parts += [
            f'<schema xlink:href="{api}/{resource}?schema={one}" type="{one}"/>\n' for one in ("blank", "synopsis")
        ]
        parts.append(f"</{resource}>\n")
    return [*parts, "</api>\n"]
