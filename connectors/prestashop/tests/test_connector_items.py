"""Every item that can be sold has one number, and an order's line finds it."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import NotFound
from connectors.prestashop.tests.connector_shop import Shop


def line_number(shop: Shop, **fields: Any) -> str:
    key = shop.order()
    shop.line(key, **fields)
    return str(shop.connect().read("orders", key)["order_rows"][1]["item_number"])


def numbers(shop: Shop) -> dict[tuple[int, int], str]:
    items = shop.connect().find("items")
    return {(one["id_product"], one["id_product_attribute"]): one["item_number"] for one in items}


def test_items_are_combinations_and_products_without_any(shop: Shop):
    found = numbers(shop)

    assert found[1, 0] == "LUM-AUBE"
    assert found[2, 1] == "LUM-BRUME-1"
    assert len(found) == len(set(found.values()))


def test_a_shared_reference_gets_the_id_of_the_combination(shop: Shop):
    found = numbers(shop)

    assert [found[2, one] for one in (1, 2, 3, 4)] == [f"LUM-BRUME-{one}" for one in (1, 2, 3, 4)]
    assert line_number(shop, product_id=2, product_attribute_id=3, product_reference="LUM-BRUME") == "LUM-BRUME-3"


def test_a_product_sold_without_choosing_a_combination_is_an_item_too(shop: Shop):
    (found,) = shop.connect().find("items", item_number="LUM-BRUME-0")

    assert (found["id_product"], found["id_product_attribute"], found["without_choice"]) == (2, 0, True)
    assert line_number(shop, product_id=2, product_attribute_id=0, product_reference="LUM-BRUME") == "LUM-BRUME-0"


def test_where_one_combination_has_the_products_reference_the_product_itself_goes_by_it_too(shop: Shop):
    for key in ("2", "3", "4"):
        shop.change("combinations", key, reference=f"BRUME-{key}")

    found = numbers(shop)

    assert (found[2, 1], (2, 0) in found) == ("LUM-BRUME", False)
    assert line_number(shop, product_id=2, product_attribute_id=0, product_reference="LUM-BRUME") == "LUM-BRUME"


def test_a_reference_of_its_own_is_a_combinations_number(shop: Shop):
    assert numbers(shop)[3, 5] == "TABLIER-S"
    assert line_number(shop, product_id=3, product_attribute_id=5, product_reference="TABLIER-S") == "TABLIER-S"


def test_without_reference_the_ids_are_the_number(shop: Shop):
    found = numbers(shop)

    assert (found[11, 0], found[3, 7]) == ("product-11", "product-3-7")
    assert line_number(shop, product_id=11, product_reference="") == "product-11"
    assert line_number(shop, product_id=3, product_attribute_id=7, product_reference="") == "product-3-7"


def test_a_combination_without_reference_goes_by_its_products(shop: Shop):
    shop.change("products", "3", reference="TABLIER")

    assert numbers(shop)[3, 7] == "TABLIER"
    assert line_number(shop, product_id=3, product_attribute_id=7, product_reference="TABLIER") == "TABLIER"


def test_two_products_with_one_reference_are_never_taken_for_each_other(shop: Shop):
    shop.change("products", "8", reference="MIEL-500")

    found = numbers(shop)

    assert (found[5, 0], found[8, 0]) == ("product-5", "product-8")
    assert line_number(shop, product_id=8, product_reference="MIEL-500") == "product-8"


def test_upper_and_lower_case_do_not_tell_references_apart(shop: Shop):
    shop.change("products", "5", reference="tablier-s")

    assert (numbers(shop)[5, 0], numbers(shop)[3, 5]) == ("tablier-s-0", "TABLIER-S-5")
    assert line_number(shop, product_id=5, product_reference="tablier-s") == "tablier-s-0"


def test_a_line_follows_a_product_that_got_another_reference_since(shop: Shop):
    shop.change("products", "5", reference="HONEY-500")

    assert line_number(shop, product_id=5, product_reference="MIEL-500") == "HONEY-500"


def test_a_product_renamed_to_a_shared_reference_gets_its_id(shop: Shop):
    shop.change("products", "5", reference="LUM-BRUME")

    assert line_number(shop, product_id=5, product_reference="MIEL-500") == "LUM-BRUME-0"


def test_a_vanished_product_goes_by_the_reference_of_the_line(shop: Shop):
    assert line_number(shop, product_id=777, product_reference="GONE-1") == "GONE-1"
    assert line_number(shop, product_id=777, product_reference="") == "product-777"
    assert line_number(shop, product_id=777, product_attribute_id=9, product_reference="") == "product-777-9"
    assert line_number(shop, product_id=777, product_attribute_id=9, product_reference="LUM-BRUME") == "LUM-BRUME-9"


def test_a_product_that_was_made_anew_under_its_reference_is_found(shop: Shop):
    assert line_number(shop, product_id=777, product_reference="MIEL-500") == "MIEL-500"


def test_a_product_sold_without_choosing_a_combination_is_none_of_them(shop: Shop):
    assert line_number(shop, product_id=2, product_attribute_id=0, product_reference="LUM-BRUME") == "LUM-BRUME-0"


@pytest.mark.parametrize("reference", ["A|B", "10,20", "M[1]", "[]x", "100%", "a_b"])
def test_references_with_the_filters_own_characters_are_found(shop: Shop, reference: str):
    shop.change("products", "5", reference=reference)
    shop.change("products", "8", reference="A")

    assert line_number(shop, product_id=5, product_reference=reference) == reference


def test_a_virtual_item_says_so_on_its_line(shop: Shop):
    key = shop.order()
    shop.line(key, product_id=6, product_reference="PATRON-PDF")

    assert shop.connect().read("orders", key)["order_rows"][1]["is_virtual"] is True


def test_an_item_carries_name_with_options_and_price_with_its_difference(shop: Shop):
    item = shop.connect().read("items", "LUM-BRUME-3")

    assert item["price"] == Decimal("86.600000")
    assert item["name"] == "Mist pendant (Colour: Sand, Size: L)"
    assert item["active"] is True


def test_an_item_that_is_switched_off_is_listed_and_a_draft_is_not(shop: Shop):
    shop.change("products", "9", state=0)

    items = {one["id_product"]: one for one in shop.connect().find("items")}

    assert items[12]["active"] is False
    assert 9 not in items


@pytest.mark.parametrize("number", ["LUM-AUBE", "LUM-BRUME-2", "TABLIER-M", "product-11", "product-3-7"])
def test_every_item_is_read_by_its_number(shop: Shop, number: str):
    assert shop.connect().read("items", number)["item_number"] == number


@pytest.mark.parametrize("number", ["LUM-BRUME", "nothing", "product-2", "product-999", "", "-"])
def test_an_item_that_is_not_sold_is_not_found(shop: Shop, number: str):
    with pytest.raises(NotFound):
        shop.connect().read("items", number)


def test_items_are_found_by_reference(shop: Shop):
    found = shop.connect().find("items", reference="lum-brume")

    assert [one["id_product_attribute"] for one in found] == [1, 2, 3, 4, 0]
    assert shop.connect().find("items", id_product=3, id_product_attribute=6)[0]["item_number"] == "TABLIER-M"


def test_a_catalogue_of_many_pages_comes_whole(shop: Shop):
    assert len(shop.connect(page_size="2").find("items")) == len(shop.connect().find("items")) > 10


def test_a_combination_comes_with_its_option_values(shop: Shop):
    combination = shop.connect().read("combinations", "3")

    assert combination["option_values"] == [
        {"id": 1, "option": "Colour", "name": "Sand"},
        {"id": 5, "option": "Size", "name": "L"},
    ]
    assert (combination["default_on"], combination["price"]) == (False, Decimal("12.500000"))


def test_a_product_comes_with_the_ids_of_its_combinations(shop: Shop):
    product = shop.connect().read("products", "3")

    assert product["name"] == "Linen apron"
    assert [one["id"] for one in product["combinations"]] == [5, 6, 7]
    assert shop.connect().read("products", "1")["combinations"] == []
