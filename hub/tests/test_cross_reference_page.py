"""Cross-references in the console: found by either key, and leading to both systems."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hub.models import Connection, CrossReference, Message, Pair
from hub.tests.console import console, text_of

pytestmark = pytest.mark.django_db
LIST = "/admin/hub/crossreference/"


@pytest.fixture
def carried(running):
    """An order that stands in the ERP, by its cross-reference."""
    running.shop.settings["admin_address"] = "https://shop.example/admin123"
    running.shop.save()
    order = running.order()
    running.receive(order)
    running.work()
    return CrossReference.objects.get(source_entity="orders", source_key=str(order))


def many(pair, number, **fields):
    now = timezone.now()
    names = {"source_entity": "products", "target_entity": "product", "written_at": now, **fields}
    CrossReference.objects.bulk_create(
        CrossReference(pair=pair, **{"source_key": str(n), "target_key": f"key-{n}", **names}) for n in range(number)
    )


def found(page):
    return [one.pk for one in page.context["cl"].result_list]


def test_the_list_says_which_record_is_which_and_when_the_shop_was_told(carried):
    page = console("manager").get(LIST)
    said = text_of(page)
    assert f"Order {carried.source_key} Order {carried.target_key} PS-{carried.source_key} Pair" in said
    assert f'href="{carried.link}"'.replace("&", "&amp;") in page.content.decode()
    assert "Customer" in said


def test_its_page_leads_to_both_systems_and_to_its_messages(carried):
    message = Message.objects.get(lane__entity="orders")
    page = console("manager").get(f"{LIST}{carried.pk}/change/")
    said, body = text_of(page), page.content.decode()
    assert f"Order {carried.source_key} is order PS-{carried.source_key}" in said
    assert f"https://shop.example/admin123/index.php/sell/orders/{carried.source_key}/view" in body
    assert f"main.aspx?pagetype=entityrecord&amp;etn=salesorder&amp;id={carried.target_key}" in body
    assert f"/admin/hub/message/{message.pk}/change/" in body
    assert "not yet" not in said
    customer = CrossReference.objects.get(source_entity="customers")
    assert "Shop told not yet" in text_of(console("auditor").get(f"{LIST}{customer.pk}/change/"))


def test_no_personal_data_is_a_label(carried):
    contact = CrossReference.objects.get(source_entity="customers", target_entity="contact")
    assert contact.label == ""
    assert carried.label == f"PS-{carried.source_key}"


@pytest.mark.parametrize("typed", ["{key}", " {key} ", "{upper}", "{{{upper}}}"])
def test_it_is_found_by_the_key_in_the_erp_however_it_was_copied(carried, typed):
    word = typed.format(key=carried.target_key, upper=carried.target_key.upper())
    assert found(console("manager").get(LIST, {"q": word})) == [carried.pk]


def test_it_is_found_by_the_key_in_the_shop_and_by_whole_keys_only(running, carried):
    client = console("manager")
    assert carried.pk in found(client.get(LIST, {"q": carried.source_key}))
    many(running.pair, 120, source_entity="addresses")
    assert len(found(client.get(LIST, {"q": "11"}))) == 1
    assert found(client.get(LIST, {"q": carried.target_key[:-1]})) == []
    assert found(client.get(LIST, {"q": "%"})) == []
    assert client.get(LIST, {"q": "\0"}).status_code == 200


def test_a_search_reads_by_indexes_alone(running, carried):
    many(running.pair, 2000)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(found(console("manager").get(LIST, {"q": "key-1999"}))) == 1
    searched = [one["sql"] for one in asked if "hub_crossreference" in one["sql"] and "key-1999" in one["sql"]]
    assert len(searched) == 2
    for sql in searched:
        plan = explained(sql)
        assert re.search("index", plan, re.IGNORECASE), plan
        assert not re.search(r"\bSCAN hub_|Seq Scan", plan), plan


def explained(sql):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            return " ".join(str(row[-1]) for row in cursor.fetchall())
        cursor.execute("ANALYZE hub_crossreference")
        cursor.execute(f"EXPLAIN {sql}")
        return " ".join(row[0] for row in cursor.fetchall())


def test_pages_go_on_below_the_last_row(running, carried):
    many(running.pair, 120)
    client = console("manager")
    page = client.get(LIST)
    first = found(page)
    second = found(client.get(LIST + page.context["cl"].older_url))
    assert len(first) == len(second) == 50
    assert first[-1] - 1 == second[0]


def test_who_is_limited_to_other_pairs_finds_none_even_by_its_key(running, carried):
    shop = Connection.objects.create(name="other", label="Other", system="prestashop")
    other = Pair.objects.create(name="other", label="Other", source=shop, target=running.erp)
    many(other, 3, target_key=carried.target_key)
    client = console("manager", pairs=[other])
    page = client.get(LIST, {"q": carried.target_key})
    assert {one.pair_id for one in page.context["cl"].result_list} == {other.pk}
    assert len(found(page)) == 3
    assert client.get(f"{LIST}{carried.pk}/change/").status_code == 404
    assert "Other" in text_of(client.get(LIST))


def test_nobody_changes_one(carried):
    client, before = console("administrator"), (carried.target_key, carried.written_at)
    client.post(f"{LIST}{carried.pk}/change/", {"target_key": "x"})
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{carried.pk}/delete/", {"post": "yes"}).status_code == 403
    carried.refresh_from_db()
    assert (carried.target_key, carried.written_at) == before


def test_a_link_that_is_no_web_address_is_no_link(carried):
    CrossReference.objects.filter(pk=carried.pk).update(link="javascript:alert(1)")
    client = console("manager")
    for address in (LIST, f"{LIST}{carried.pk}/change/"):
        assert "javascript:alert" not in client.get(address).content.decode()


def test_an_empty_list_and_a_record_without_messages_say_so(running):
    client = console("manager")
    assert client.get(LIST).status_code == 200
    many(running.pair, 1)
    (one,) = CrossReference.objects.all()
    assert "They were tidied away; the cross-reference stays." in text_of(client.get(f"{LIST}{one.pk}/change/"))
