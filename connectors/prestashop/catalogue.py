"""Products, combinations with their option values, and every item that can be sold."""

from decimal import Decimal

from connectors.base import Record, Value
from connectors.prestashop.client import Client
from connectors.prestashop.documents import Row
from connectors.prestashop.entities.catalogue import COMBINATION, ITEM, PRODUCT
from connectors.prestashop.items import Item, Items, bare, item_number, items_of, spelling
from connectors.prestashop.records import Records
from connectors.prestashop.values import flag, integer, language_text, number

PRODUCT_DISPLAY = "[id,reference,name,price,ean13,is_virtual,active,state]"
COMBINATION_DISPLAY = "full"


class Catalogue:
    def __init__(self, client: Client, records: Records, items: Items) -> None:
        self._client = client
        self._records = records
        self._items = items

    def product(self, row: Row) -> Record:
        """A product in the shop's default language, with the ids of its combinations."""
        ids = [one.get("id", "") for one in row.get("associations", {}).get("combinations", [])]
        path = f"products/{row['id']} combinations"
        # A product without combinations may list the combination 0.
        combinations = [{"id": one} for one in (integer(each, path) for each in ids) if one]
        return self._records.plain(PRODUCT, row) | {"combinations": combinations}

    def combination(self, row: Row) -> Record:
        return self._records.plain(COMBINATION, row) | {"option_values": self._option_values(row)}

    def items(self, **narrow: Value) -> list[Record]:
        """Items by product id; all, unless `item_number`, `reference` or `id_product` narrows it. Drafts are left
        out, products that are switched off are not. A product with combinations is an item of its own, too, where its
        number is not one of theirs: the shop sells it without a combination to whoever asks for none."""
        products, combinations = self._rows(narrow)
        self._records.prepare("combinations", combinations)
        found = items_of(products, combinations)
        sharing: dict[str, list[Item]] = {}
        if _narrows(narrow):
            sharing = self._items.by_reference(one.reference for one in found)
        else:
            for one in found:
                sharing.setdefault(spelling(one.reference), []).append(one)
        by_id = {row["id"]: row for row in products}
        parts = {row["id"]: row for row in combinations}
        items = [self._item(one, sharing, by_id[str(one.id_product)], parts) for one in found]
        taken = {one["item_number"] for one in items}
        without_choice = [self._item(one, sharing, by_id[str(one.id_product)], parts) for one in bare(products, found)]
        return items + [one | {"without_choice": True} for one in without_choice if one["item_number"] not in taken]

    def _rows(self, narrow: dict[str, Value]) -> tuple[list[Row], list[Row]]:
        if not _narrows(narrow):
            return (
                list(self._client.pages("products", display=PRODUCT_DISPLAY)),
                list(self._client.pages("combinations", display=COMBINATION_DISPLAY)),
            )
        ids = sorted(self._product_ids(narrow))
        return (
            self._client.by_values("products", "id", ids, display=PRODUCT_DISPLAY),
            self._client.by_values("combinations", "id_product", ids, display=COMBINATION_DISPLAY),
        )

    def _product_ids(self, narrow: dict[str, Value]) -> set[str]:
        """The products that items with this number, reference or product id can belong to."""
        called = str(narrow.get("item_number") or "")
        references = {str(narrow.get("reference") or ""), called, called.rpartition("-")[0]}
        ids = {part for part in called.split("-")[1:2] if called.startswith("product-") and part.isdecimal()}
        if narrow.get("id_product"):
            ids.add(str(narrow["id_product"]))
        for found in self._items.by_reference(references).values():
            ids |= {str(one.id_product) for one in found}
        return ids

    def _item(self, item: Item, sharing: dict[str, list[Item]], product: Row, parts: dict[str, Row]) -> Record:
        combination = parts.get(str(item.id_product_attribute)) if item.id_product_attribute else None
        where = f"products/{item.id_product}"
        price = number(product.get("price", ""), f"{where} price") or Decimal(0)
        impact = combination and number(combination.get("price", ""), f"combinations/{combination['id']} price")
        name = language_text(product.get("name", ""), "", self._records.default_language)
        values = self._option_values(combination) if combination else []
        record: Record = {
            "item_number": item_number(item, sharing.get(spelling(item.reference), [])),
            "id_product": item.id_product,
            "id_product_attribute": item.id_product_attribute,
            "reference": item.reference,
            "name": f"{name} ({', '.join(_spoken(one) for one in values)})" if values else name,
            "price": price + (impact or Decimal(0)),
            "ean13": (combination and combination.get("ean13")) or product.get("ean13", ""),
            "is_virtual": item.is_virtual,
            "active": flag(product.get("active", ""), f"{where} active"),
            "without_choice": False,
        }
        return {field.name: record[field.name] for field in ITEM.fields}

    def _option_values(self, combination: Row) -> list[Record]:
        found: list[Record] = []
        for one in combination.get("associations", {}).get("product_option_values", []):
            value = self._records.known("product_option_values", one.get("id", ""))
            if value is not None:
                option = self._records.known("product_options", value.get("id_attribute_group", "")) or {}
                found.append({"id": int(value["id"]), "option": self._name(option), "name": self._name(value)})
        return found

    def _name(self, row: Row) -> str:
        text = row.get("public_name") or row.get("name", "")
        return language_text(text, "", self._records.default_language)


def _narrows(given: dict[str, Value]) -> bool:
    return any(given.get(name) for name in ("item_number", "reference", "id_product"))


def _spoken(value: Record) -> str:
    return f"{value['option']}: {value['name']}" if value["option"] else str(value["name"])
