"""Somebody who buys in the demo's shop: a rush at first, then an order every few seconds, some of which stop."""

import random
from collections.abc import Callable, Iterator

from connectors.sandbox import Sandbox

RUSH_SOUND = 30  # orders that go through
UNKNOWN_PAYMENT, LONG_ADDRESS, UNKNOWN_PRODUCT, CONTRADICTING = 40, 3, 2, 2  # of the first rush
SOUND = ("plain", "plain", "plain", "guest", "company", "gift", "voucher_amount", "foreign_currency", "several_rates")
STOPS = ("unknown_product", "long_address", "inconsistent", "unknown_payment")
ONE_IN = 12  # of the later orders stops


def rush() -> list[str]:
    """The kinds of the first orders, in the order in which they come."""
    source = random.Random(7)  # noqa: S311  the same demo every time
    kinds = [source.choice(SOUND) for _ in range(RUSH_SOUND)]
    kinds += ["unknown_payment"] * UNKNOWN_PAYMENT + ["long_address"] * LONG_ADDRESS
    kinds += ["unknown_product"] * UNKNOWN_PRODUCT + ["inconsistent"] * CONTRADICTING
    source.shuffle(kinds)
    return kinds


def later() -> Iterator[str]:
    source = random.Random()  # noqa: S311
    while True:
        yield source.choice(STOPS) if source.randrange(ONE_IN) == 0 else source.choice(SOUND)


def place(shop: Sandbox, kind: str) -> None:
    """Through the shop's own checkout. Kept with the shop's state."""
    with shop.lock:
        shop.control("place", {"kinds": [kind]})
        shop.save()


def buy(shop: Sandbox, seconds: float, wait: Callable[[float], bool]) -> None:
    """Until `wait` says that it is over."""
    for kind in later():
        if wait(seconds):
            return
        place(shop, kind)
