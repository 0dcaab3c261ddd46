"""One shop: its tables, its clock in its own time zone, and what several modules ask of both."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from connectors.prestashop.sandbox.schema import Record, fixed
from connectors.prestashop.sandbox.store import Store


class Shop:
    """`clock` gives aware UTC; the shop writes local time without an offset."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock

    def now(self, shift: timedelta = timedelta()) -> str:
        """The shop's local time, shifted."""
        zone = ZoneInfo(self.store.configuration("PS_TIMEZONE", "Europe/Paris"))
        return (self.clock() + shift).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")

    def languages(self) -> list[str]:
        return [str(one) for one in sorted(self.store.tables["languages"])]

    def default_language(self) -> str:
        return self.store.configuration("PS_LANG_DEFAULT", "1")

    def text(self, record: Record, field: str, language: str = "") -> str:
        """An i18n field in this language, else in the shop's own."""
        texts: dict[str, str] = record[field]
        return texts.get(language) or texts.get(self.default_language()) or next(iter(texts.values()), "")

    def precision(self, id_currency: str) -> int:
        """The decimal places of a currency."""
        currency = self.store.get("currencies", id_currency)
        return int(currency["precision"]) if currency else 2

    def mail(self, template: str, to: str, **facts: str) -> None:
        self.store.mails.append({"template": template, "to": to, "at": self.now(), **facts})

    def rounded(self, id_currency: str, amount: str, times: str = "1") -> Decimal:
        """The amount times a quantity, rounded half up to the currency's precision."""
        return Decimal(fixed(Decimal(amount) * Decimal(times), self.precision(id_currency)))

    def known(self, resource: str, key: int | str) -> Record:
        """Raises ValueError where there is no such record."""
        record = self.store.get(resource, key)
        if not record:
            raise ValueError(f"The shop has no {resource} {key}.")
        return record
