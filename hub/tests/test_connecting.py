"""Connectors of a worker thread: made from the rows, at no cost while these stay as they are."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections

from connectors.base import Pace
from hub import connecting, limits
from hub.models import Connection, Credential, Quota

pytestmark = pytest.mark.django_db


def test_connections_of_one_owner_share_a_quota_and_the_strictest_pace(running):
    second = Connection.objects.create(
        name="second", label="Second", system="dynamics365", settings={**running.erp.settings, "calls_at_once": "3"}
    )
    secret = Credential(connection=second, name="client_secret")
    secret.value = running.erp.secret("client_secret")[0]
    secret.save()
    owner = connecting.connector_of(running.erp).quota_owner()
    assert connecting.connector_of(second).quota_owner() == owner
    assert set(Connection.objects.exclude(quota=None).values_list("name", "quota__owner")) == {
        ("dynamics365", owner),
        ("second", owner),
    }
    assert limits.limiter(owner).pace == Pace(6000, 300, 3)
    second.settings["calls_at_once"] = "0"
    second.save()
    connecting.connector_of(second)
    assert limits.limiter(owner).pace == Pace(6000, 300, 52)


def test_connectors_cost_no_statement_until_a_row_changes(running, django_assert_num_queries):
    first = connecting.connectors_of(running.pair)
    with django_assert_num_queries(0):
        assert connecting.connectors_of(running.pair) == first
    running.erp.settings["page_size"] = "77"
    running.erp.save()
    changed = connecting.connectors_of(running.pair)
    assert changed[0] is first[0]
    assert changed[1].values["page_size"] == "77"


def test_a_secret_that_is_replaced_is_used_at_once(running):
    old = connecting.connector_of(running.shop)
    Credential.objects.filter(connection=running.shop, name="key").delete()
    secret = Credential(connection=running.shop, name="key")
    secret.value = "another key of thirty-two chars."
    secret.save()
    assert connecting.connector_of(running.shop) is not old
    assert connecting.connector_of(running.shop).values["key"] == "another key of thirty-two chars."


def test_a_connection_whose_quota_was_deleted_gets_another(running):
    connecting.connectors_of(running.pair)
    Quota.objects.all().delete()
    connecting._rows.forget()
    connecting.connector_of(running.shop).find("currencies")
    assert Connection.objects.get(pk=running.shop.pk).quota == Quota.objects.get()


def in_thread(running):
    made = connecting.connector_of(running.shop)
    close_old_connections()
    return made


@pytest.mark.django_db(transaction=True)
def test_a_thread_has_a_connector_of_its_own_and_none_that_was_forgotten(running):
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread, running).result()
        assert connecting.connector_of(running.shop) is not first
        assert pool.submit(in_thread, running).result() is first
        connecting.close_all()
        assert pool.submit(in_thread, running).result() is not first


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on threads of other tests
def test_a_forked_process_has_nothing_of_its_parent(running):
    connecting.connectors_of(running.pair)
    child = os.fork()
    if not child:
        os._exit(bool(limits._limiters or connecting._rows._kept))
    assert os.waitpid(child, 0)[1] == 0
    assert limits._limiters
    assert connecting._rows._kept
