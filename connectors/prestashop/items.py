"""What can be sold, and the number that each item goes by: a combination, or a product that has none.

References are not unique: all combinations of a product may share one, and a combination without a reference of its
own goes by its product's. So the number is
1. the reference, where exactly one item of the shop has it;
2. `<reference>-<id_product_attribute>` where several share it;
3. `product-<id_product>` or `product-<id_product>-<id_product_attribute>` where there is no reference, or where two
   products without combinations share one, since 2. would not tell them apart.
A product with combinations that is sold without choosing one goes by the same rule, with 0 for the combination.
Upper and lower case do not tell references apart: neither the shop's database nor most ERPs see a difference.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.filters import can_be_listed, equals
from connectors.prestashop.values import flag, integer

PRODUCT_DISPLAY = "[id,reference,is_virtual,state,combinations[id]]"
COMBINATION_DISPLAY = "[id,id_product,reference]"
Cached = Callable[[str, Callable[[], Any]], Any]


@dataclass(frozen=True)
class Item:
    """`id_product_attribute` is 0 for a product without combinations; `reference` may be inherited from the product."""

    id_product: int
    id_product_attribute: int
    reference: str
    is_virtual: bool = False

    @property
    def ids(self) -> tuple[int, int]:
        return (self.id_product, self.id_product_attribute)


def spelling(reference: str) -> str:
    return reference.strip().casefold()


def item_number(item: Item, sharing: list[Item]) -> str:
    """The number of an item, by the rule above; `sharing` are the shop's items with the same reference."""
    several = len(sharing) > 1
    alike = [one for one in sharing if not one.id_product_attribute and one.ids != item.ids]
    combination = f"-{item.id_product_attribute}" if item.id_product_attribute else ""
    if not item.reference or (several and not combination and alike):
        return f"product-{item.id_product}{combination}"
    return f"{item.reference}-{item.id_product_attribute}" if several else item.reference


def items_of(products: Iterable[Row], combinations: Iterable[Row]) -> list[Item]:
    """The items of these products; `combinations` are all that belong to any of them. Drafts are not for sale."""
    by_product: dict[str, list[Row]] = {}
    for row in combinations:
        by_product.setdefault(row.get("id_product", ""), []).append(row)
    items = []
    for product in products:
        own = product.get("reference", "").strip()
        if product.get("state", "1") == "0":
            continue
        for row in by_product.get(product["id"], []):
            items.append(Item(int(product["id"]), int(row["id"]), row.get("reference", "").strip() or own))
        if product["id"] not in by_product:
            virtual = flag(product.get("is_virtual", ""), f"products/{product['id']} is_virtual")
            items.append(Item(int(product["id"]), 0, own, virtual))
    return items


def bare(products: Iterable[Row], items: Iterable[Item]) -> list[Item]:
    """The products themselves whose items are all combinations."""
    combined = {str(one.id_product) for one in items if one.id_product_attribute}
    return [Item(int(one["id"]), 0, one.get("reference", "").strip()) for one in products if one["id"] in combined]


class Items:
    """Finds items by reference or product, a few calls for many at once; answers are kept in the session's cache."""

    def __init__(self, client: Client, cached: Cached) -> None:
        self._client = client
        self._cached = cached

    def by_reference(self, references: Iterable[str]) -> dict[str, list[Item]]:
        """Every item that goes by one of these references, by `spelling`."""
        wanted = {spelling(one): one.strip() for one in references if one.strip()}
        return self._kept(
            "items by reference",
            list(wanted),
            lambda names: self._look_up([wanted[one] for one in names]),
            lambda item: spelling(item.reference),
        )

    def by_product(self, ids: Iterable[int]) -> dict[str, list[Item]]:
        """The items of these products, by product id as text; nothing for a product that is gone."""
        names = sorted({str(one) for one in ids if one})
        return self._kept("items by product", names, self._of_products, lambda item: str(item.id_product))

    def numbered(self, wanted: list[Item]) -> dict[Item, tuple[str, Item | None]]:
        """For the items of order lines, as the lines remember them: their number today and the item in the catalogue,
        None where it is gone. What is gone goes by the reference that the line remembers."""
        known = self.by_reference(one.reference for one in wanted)
        found = {one: _same(known.get(spelling(one.reference), []), one) for one in wanted}
        renamed = [one for one in wanted if found[one] is None]
        products = self.by_product(one.id_product for one in renamed)
        found |= {one: _same(products.get(str(one.id_product), []), one) for one in renamed}
        known |= self.by_reference(item.reference for item in found.values() if item)
        return {
            one: (item_number(item or one, known.get(spelling((item or one).reference), [])), item)
            for one, item in found.items()
        }

    def _kept(
        self,
        kind: str,
        names: list[str],
        look_up: Callable[[list[str]], list[Item]],
        name_of: Callable[[Item], str],
    ) -> dict[str, list[Item]]:
        kept: dict[str, list[Item]] = {name: self._cached(f"{kind} {name}", list) for name in names}
        missing = [name for name in names if not kept[name]]
        fresh = look_up(missing) if missing else []
        for name in missing:
            mine = [one for one in fresh if name_of(one) == name]
            kept[name] = self._cached(f"{kind} {name}", partial(list, mine))
        return kept

    def _look_up(self, references: list[str]) -> list[Item]:
        items = self._items(self._with_reference("products", references, PRODUCT_DISPLAY))
        # A product that goes by another reference itself may have combinations that go by this one.
        matching = self._with_reference("combinations", references, COMBINATION_DISPLAY)
        more = [Item(_product(row), int(row["id"]), row["reference"].strip()) for row in matching]
        return items + [one for one in more if one.ids not in {each.ids for each in items}]

    def _of_products(self, ids: list[str]) -> list[Item]:
        return self._items(self._client.by_values("products", "id", ids, display=PRODUCT_DISPLAY))

    def _items(self, products: list[Row]) -> list[Item]:
        ids = [row["id"] for row in products if _may_have_combinations(row)]
        return items_of(
            products, self._client.by_values("combinations", "id_product", ids, display=COMBINATION_DISPLAY)
        )

    def _with_reference(self, resource: str, references: list[str], display: str) -> list[Row]:
        rows = self._client.by_values(
            resource, "reference", [one for one in references if can_be_listed(one)], display=display
        )
        for one in references:
            if not can_be_listed(one):
                rows += self._client.pages(resource, {"reference": equals(one)}, display=display)
        wanted = {spelling(one) for one in references}
        return list({row["id"]: row for row in rows if spelling(row.get("reference", "")) in wanted}.values())


def _may_have_combinations(product: Row) -> bool:
    """Whether asking is worth a call; a product without any lists none, or the combination 0."""
    listed = product.get("associations", {}).get("combinations")
    return listed is None or any(one.get("id") not in ("", "0", None) for one in listed)


def _product(combination: Row) -> int:
    return integer(combination.get("id_product", ""), f"combinations/{combination['id']} id_product") or 0


def _same(items: list[Item], wanted: Item) -> Item | None:
    return next((one for one in items if one.ids == wanted.ids), None)
