"""What a folder of recorded orders lacks, made up as nobody in particular or, where it decides about money, refused."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from connectors.prestashop.sandbox import seed, states
from connectors.prestashop.sandbox.pricing import half_up
from connectors.prestashop.sandbox.schema import RESOURCES, Record
from connectors.prestashop.sandbox.shop import Shop
from connectors.prestashop.sandbox.store import Store

CONFIGURATIONS = {
    "PS_TIMEZONE": "Europe/Paris",
    "PS_LANG_DEFAULT": "1",
    "PS_CURRENCY_DEFAULT": "1",
    "PS_VERSION_DB": "8.2.1",
    "PS_SHOP_NAME": "Recorded shop",
    "PS_PRICE_ROUND_MODE": "2",
    "PS_ROUND_TYPE": "2",
    "PS_OS_ERROR": "8",
    "PS_OS_CANCELED": "6",
}
EXACT = Decimal("0.000002")  # what two unit prices, each rounded to six decimals, may be apart
DEAR_ENOUGH = Decimal("0.2")  # below, six decimals do not tell a rate to three
UNDETERMINED = "und"  # ISO 639's code for a language that nobody named
NAMED = 6  # orders that a message names before it only counts
Gaps = dict[str, dict[int, str]]  # for what is missing, the orders by id, in words


def complete(shop: Shop) -> None:
    """Fills in the resources that the folder leaves out altogether; where it has some records of a resource, one that
    is missing was missing in the shop, too, and stays so. Raises ValueError with everything that must have been
    recorded: currencies, order details, states of an order other than a new shop's own, and taxes that the prices do
    not tell."""
    shop.store.recorded = frozenset(name for name, table in shop.store.tables.items() if table)
    _check_zone(shop.store)
    gaps: Gaps = defaultdict(dict)
    _add_languages(shop)
    _add_shops(shop)
    if not shop.store.tables["order_states"]:
        _add_usual_states(shop)
    for order in shop.store.tables["orders"].values():
        _add_people(shop, order)
        _add_carriers(shop.store, order)
        _find_gaps(shop.store, order, gaps)
    for address in list(shop.store.tables["addresses"].values()):
        _add_places(shop, address)
    _add_goods(shop)
    _add_taxes(shop, gaps)
    if gaps:
        lacking = "; ".join(f"{what} for {_in_words(orders)}" for what, orders in sorted(gaps.items()))
        raise ValueError(
            f"The folder lacks what nobody can make up: {lacking}. Record it from the shop with display=full, or leave "
            "those orders out."
        )
    settle(shop)


def settle(shop: Shop) -> None:
    """What a shop's own tables hold beside its records: settings, and which payments belong to which invoice."""
    store = shop.store
    known = {one["name"] for one in store.tables["configurations"].values()}
    settings = dict(CONFIGURATIONS)
    for name, table in (("PS_LANG_DEFAULT", "languages"), ("PS_CURRENCY_DEFAULT", "currencies")):
        settings[name] = str(min(store.tables[table], default=1))
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    for name, value in settings.items():
        if name not in known:
            store.insert("configurations", {"name": name, "value": value, "date_add": moment, "date_upd": moment})
    for order in store.tables["orders"].values():
        order["associations"]["order_rows"] = []  # written from the order's details
    states.link_known_payments(shop)


def _check_zone(store: Store) -> None:
    zone = store.configuration("PS_TIMEZONE") or CONFIGURATIONS["PS_TIMEZONE"]
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"configurations: PS_TIMEZONE is {zone!r}, and that is no time zone.") from error


def _in_words(orders: dict[int, str]) -> str:
    words = [words for _, words in sorted(orders.items())]
    rest = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + rest


def _add_languages(shop: Shop) -> None:
    """Those of orders and customers and, where the folder names no language at all, those of its texts."""
    store = shop.store
    spoken = {one["id_lang"] for name in ("orders", "customers") for one in store.tables[name].values()}
    if not store.tables["languages"]:
        spoken |= _languages_of_texts(store) or ({"1"} if spoken <= {"0"} else set())
    for key in sorted(spoken - {"0"}):
        _add(store, "languages", key, name=f"Language {key}", iso_code=UNDETERMINED, active="1")


def _languages_of_texts(store: Store) -> set[str]:
    found: set[str] = set()
    for name, resource in RESOURCES.items():
        fields = [one.name for one in resource.fields if one.i18n]
        for record in store.tables[name].values():
            found.update(*(record[field] for field in fields))
    return {one for one in found if one.isdigit()}


def _add_shops(shop: Shop) -> None:
    store = shop.store
    wanted = {one["id_shop"] for one in store.tables["orders"].values()} - {"0"}
    for key in sorted(wanted or {str(min(store.tables["shops"], default=1))}):
        _add(store, "shops", key, name=f"Shop {key}", id_shop_group="1", id_category="2", active="1")
    for one in list(store.tables["shops"].values()):
        _add(store, "shop_groups", one["id_shop_group"], name=f"Shop group {one['id_shop_group']}", active="1")


def _add_usual_states(shop: Shop) -> None:
    """The states that every new shop has, in whatever languages this one speaks."""
    seed.plant_table(shop, "order_states")
    for state in shop.store.tables["order_states"].values():
        texts = {name: dict.fromkeys(shop.languages(), state[name].get("1", "")) for name in ("name", "template")}
        shop.store.change("order_states", state, **texts)


def _add_people(shop: Shop, order: Record) -> None:
    store, customer, now = shop.store, order["id_customer"], shop.now()
    _add(
        store,
        "customers",
        customer,
        firstname="Unrecorded",
        lastname="Customer",
        email=f"customer-{customer}@unrecorded.invalid",
        id_lang=order["id_lang"],
        id_shop=order["id_shop"],
        active="1",
        date_add=now,
        date_upd=now,
    )
    known = store.get("customers", customer)
    for name in ("id_address_delivery", "id_address_invoice"):
        _add(
            store,
            "addresses",
            order[name],
            id_customer=customer,
            alias=f"Address {order[name]}",
            firstname=known["firstname"] if known else "Unrecorded",
            lastname=known["lastname"] if known else "Customer",
            address1=f"Unrecorded address {order[name]}",
            city="Unrecorded",
            date_add=now,
            date_upd=now,
        )


def _add_carriers(store: Store, order: Record) -> None:
    shipments = store.find("order_carriers", id_order=order["id"])
    for key in {order["id_carrier"], *(one["id_carrier"] for one in shipments)}:
        _add(store, "carriers", key, name=f"Carrier {key}", id_reference=key, active="1")


def _add_places(shop: Shop, address: Record) -> None:
    """A country without its code: which one it is nobody said."""
    country, state = address["id_country"], address["id_state"]
    _add(shop.store, "countries", country, name=dict.fromkeys(shop.languages(), f"Country {country}"), active="1")
    _add(shop.store, "states", state, name=f"State {state}", id_country=country, active="1")


def _add(store: Store, resource: str, key: str, **values: object) -> None:
    if key not in ("", "0") and resource not in store.recorded and not store.get(resource, key):
        store.insert(resource, values, int(key))


def _find_gaps(store: Store, order: Record, gaps: Gaps) -> None:
    number = int(order["id"])
    absent = {"currencies", "order_details", "order_states"} - store.recorded
    if "currencies" in absent:
        gaps[f"currencies/{order['id_currency']}"][number] = f"order {number}"
    if (
        "order_states" in absent
        and order["current_state"] != "0"
        and not store.get("order_states", order["current_state"])
    ):
        gaps[f"order_states/{order['current_state']}"][number] = f"order {number}"
    if "order_details" in absent and (order["associations"].get("order_rows") or Decimal(order["total_products"])):
        gaps["order_details"][number] = f"order {number}"


def _add_goods(shop: Shop) -> None:
    """What rows have sold, at the price of the row: a catalogue that knows nothing else of it."""
    for row in shop.store.tables["order_details"].values():
        name, combination = dict.fromkeys(shop.languages(), row["product_name"]), row["product_attribute_id"]
        reference = row["product_reference"] if combination in ("", "0") else ""
        sold = {"price": row["unit_price_tax_excl"], "active": "1", "state": "1", "name": name, "reference": reference}
        _add(shop.store, "products", row["product_id"], **sold)
        part = {"id_product": row["product_id"], "reference": row["product_reference"], "minimal_quantity": "1"}
        _add(shop.store, "combinations", combination, **part)


def _add_taxes(shop: Shop, gaps: Gaps) -> None:
    """A tax that rows name and nobody recorded, from the rows that bear it alone, where their prices agree."""
    if "taxes" in shop.store.recorded:
        return
    bearers: dict[str, list[Record]] = defaultdict(list)
    for detail in shop.store.tables["order_details"].values():
        for tax in detail["associations"].get("taxes", []):
            if tax.get("id", "") not in ("", "0") and not shop.store.get("taxes", tax["id"]):
                bearers[tax["id"]].append(detail)
    for key, details in bearers.items():
        rate = _rate_of([one for one in details if len(one["associations"]["taxes"]) == 1])
        if rate is None:
            gaps[f"taxes/{key}"].update({int(one["id_order"]): f"order {one['id_order']}" for one in details})
        else:
            name = dict.fromkeys(shop.languages(), f"Tax {rate.normalize():f}%")
            _add(shop.store, "taxes", key, rate=str(rate), active="1", name=name)


def _rate_of(details: list[Record]) -> Decimal | None:
    """The rate in percent that turns each row's unit price before tax into the one after; None in case of doubt."""
    prices = [(Decimal(one["unit_price_tax_excl"]), Decimal(one["unit_price_tax_incl"])) for one in details]
    excl, incl = max(prices, default=(Decimal(0), Decimal(0)))
    if excl < DEAR_ENOUGH:
        return None
    rate = half_up((incl / excl - 1) * 100, 3)
    agreed = all(abs(one * (1 + rate / 100) - other) <= EXACT for one, other in prices)
    return rate if agreed and rate >= 0 else None
