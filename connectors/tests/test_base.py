"""What every connector has without doing anything for it: many records at once, a pace, and whose quota it uses."""

import pytest

from connectors.base import Connector, Pace, Setting, pace_settings
from connectors.dynamics365.tests.connected import Erp
from connectors.errors import NeedsPerson, NotFound, SignInRefused, TryLater
from connectors.prestashop import connector as PrestaShop
from connectors.sandbox import Fault

KEY = "7d3b6a52-8f0e-5c55-9d2b-0f6f0a1b2c3d"


class Slow(Connector):
    name = "slow"
    label = "Slow"
    settings = (Setting("place", "Place"), Setting("word", "Word", secret=True))
    entities = ()


class Paced(Slow):
    pace = Pace(calls=100, seconds=300, at_once=4)
    settings = (*Slow.settings, *pace_settings(pace))


def connect(kind=Slow, **settings):
    return kind({"place": "here", "word": "secret", **settings})


def shop(address="https://shop.example", **settings):
    return PrestaShop({"address": address, "key": "K" * 32, **settings})


@pytest.fixture
def erp():
    return Erp()


def test_many_records_are_read_each_with_its_own_error(erp):
    dynamics = erp.connect()
    dynamics.write("contact", {"lastname": "Byron"}, idempotency_key=KEY)
    erp.sandbox.faults = [Fault("status", status=500, path="3b6a", every=2)]

    found = dynamics.read_many("contact", [KEY, "nobody", KEY, KEY.replace("7d", "8e")])

    assert list(found) == [KEY, "nobody", KEY.replace("7d", "8e")]
    assert found[KEY]["lastname"] == "Byron"
    assert isinstance(found["nobody"], NotFound)
    assert isinstance(found[KEY.replace("7d", "8e")], TryLater)


@pytest.mark.parametrize(("kind", "error"), [("maintenance", TryLater), ("expired", SignInRefused)])
def test_what_concerns_the_whole_system_is_raised_instead_of_told_for_each(erp, kind, error):
    dynamics = erp.connect()
    erp.sandbox.faults = [Fault(kind, times=-1)]

    with pytest.raises(error):
        dynamics.read_many("contact", [KEY, "nobody"])


def test_a_system_has_no_pace_unless_it_says_so():
    assert connect().own_pace() == Pace(0, 0, 0)


@pytest.mark.parametrize(
    ("a_minute", "at_once", "pace"),
    [
        ("", "", Pace(100, 300, 4)),
        ("1", "1", Pace(5, 300, 1)),
        ("0", "0", Pace(0, 0, 0)),
        (" 60 ", "9", Pace(300, 300, 9)),
    ],
)
def test_a_connection_may_keep_another_pace(a_minute, at_once, pace):
    assert connect(Paced, calls_a_minute=a_minute, calls_at_once=at_once).own_pace() == pace


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "٥", "9999999"])
@pytest.mark.parametrize("name", ["calls_a_minute", "calls_at_once"])
def test_a_pace_that_is_no_number_is_named_with_the_settings(name, value):
    with pytest.raises(NeedsPerson, match="must be a whole number") as caught:
        connect(Paced, **{name: value})
    assert caught.value.field == name


def test_the_systems_keep_the_pace_that_is_known_of_them(erp):
    assert erp.connect().own_pace() == Pace(calls=6000, seconds=300, at_once=52)
    assert erp.connect(calls_a_minute="60").own_pace() == Pace(300, 300, 52)
    assert shop().own_pace() == Pace(0, 0, 8)
    assert shop(calls_a_minute="30", calls_at_once="2").own_pace() == Pace(30, 60, 2)


def test_a_quota_is_owned_by_the_open_settings_and_told_without_the_secret():
    owner = connect().quota_owner()
    assert owner.startswith("slow ")
    assert owner == connect(word="another").quota_owner()
    assert owner != connect(place="there").quota_owner()


def test_a_shop_owns_its_quota_whatever_key_and_spelling():
    owner = shop().quota_owner()
    assert owner == "prestashop shop.example:443"
    assert owner == shop("HTTPS://Shop.Example:443//api/", key="L" * 32, id_shop="2", page_size="7").quota_owner()
    assert shop("https://shop.example/Store/").quota_owner() == "prestashop shop.example:443/Store"
    assert shop("http://127.0.0.1:8800").quota_owner() == "prestashop 127.0.0.1:8800"


def test_an_application_user_of_an_environment_owns_its_quota(erp):
    told = erp.sandbox.announcement()
    owner = erp.connect().quota_owner()
    assert owner == f"dynamics365 {told['tenant']}/{told['client_id']}/{told['address']}"
    assert owner == erp.connect(tenant=told["tenant"].upper(), client_secret="x", page_size="7").quota_owner()
    assert owner != erp.connect(client_id="another").quota_owner()
    assert owner != erp.connect(environment_url="https://b.crm4.dynamics.com").quota_owner()
