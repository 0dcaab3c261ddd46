"""Both sandboxes in a process of their own, their limits off: says how to connect, and places what it is told to."""

import json
import sys
from contextlib import ExitStack

from connectors import sandbox_of, systems
from connectors.sandbox import Sandbox
from connectors.serving import serving
from connectors.session import Session

SHOP, ERP = "prestashop", "dynamics365"


def seed(erp: Sandbox, shop: Sandbox) -> None:
    connector = systems()[SHOP](shop.connection(), Session(transport=shop.transport()))
    items = [{"number": one["item_number"], **_only(one, "name", "price")} for one in connector.find("items")]
    currencies = [
        {"rate": one["conversion_rate"], **_only(one, "iso_code", "precision")} for one in connector.find("currencies")
    ]
    connector.close()
    erp.seed(items, currencies)


def _only(record: dict[str, object], *names: str) -> dict[str, object]:
    return {name: record[name] for name in names}


def main() -> None:
    """Reads a number a line: so many orders are placed, and their ids printed as a line of JSON."""
    shop, erp = sandbox_of(SHOP)(), sandbox_of(ERP)()
    with ExitStack() as stack:
        for one in (shop, erp):
            stack.enter_context(serving(one))
        seed(erp, shop)
        joined = [{"system": one.system, "settings": one.connection()} for one in (shop, erp)]
        print(json.dumps(joined), flush=True)
        for line in sys.stdin:
            placed = shop.control("place", {"kinds": ["plain"], "count": int(line)})
            print(json.dumps(placed["orders"]), flush=True)


if __name__ == "__main__":
    main()
