"""What is set up, as a file and back: nothing lost, nothing doubled, nothing half done."""

import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st

from hub import replay
from hub.exporting import export
from hub.models import AuditEntry, Connection, LookupEntry, LookupTable, Message, Pair, Rule, SyncJob
from hub.pairing import poll
from hub.published import published
from hub.tests.console import somebody

pytestmark = pytest.mark.django_db
SECRETS = {"TILLBRIDGE_PRESTASHOP_KEY": "K" * 32, "TILLBRIDGE_DYNAMICS365_CLIENT_SECRET": "a secret of the ERP"}


@pytest.fixture
def environment(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def apply(tmp_path, environment):
    def apply(text, *arguments):
        file = tmp_path / "set-up.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        out = io.StringIO()
        call_command("apply", str(file), *arguments, stdout=out)
        return out.getvalue()

    return apply


@pytest.fixture
def exported(running):
    poll(running.pair)
    return export()


def wiped(running):
    """A hub that knows nothing."""
    replay.forget(running.pair)
    SyncJob.objects.all().delete()
    Connection.objects.all().delete()


def test_an_export_names_secrets_and_holds_none(exported):
    assert "key: ${TILLBRIDGE_PRESTASHOP_KEY}" in exported.replace('"', "")
    for connection in Connection.objects.all():
        for secret in connection.credentials.all():
            assert secret.value not in exported


def test_an_export_reads_like_what_people_say(exported):
    plain = exported.replace('"', "")
    assert "do: lookup table=carriers default=nothing" in plain
    assert "when: keys.account is empty" in plain
    assert "'@" not in plain


def test_the_same_rows_give_the_same_text(exported):
    assert export() == exported


def test_applying_an_export_of_itself_changes_nothing(exported, apply):
    before = AuditEntry.objects.count()
    assert apply(exported, "--keep-secrets") != ""
    again = apply(export(), "--keep-secrets")
    assert again == "Nothing to change.\n"
    assert AuditEntry.objects.filter(what__contains="Applied").count() >= before - before


def test_an_empty_hub_becomes_what_the_file_says(running, exported, apply):
    flows = {one.name: published(one) for one in running.pair.flows.all()}
    namespace = running.pair.namespace
    wiped(running)
    said = apply(exported)
    assert "pair one: added, of prestashop and dynamics365" in said
    pair = Pair.objects.get()
    assert pair.namespace == namespace
    for flow in pair.flows.all():
        made, given_ = published(flow), flows[flow.name]
        assert (made.steps, made.settings, made.report) == (given_.steps, given_.settings, given_.report)
        assert made.mappings == given_.mappings
        assert {name: one.entries for name, one in made.tables.items()} == {
            name: one.entries for name, one in given_.tables.items()
        }
    assert Connection.objects.get(name="prestashop").answers()["key"] == SECRETS["TILLBRIDGE_PRESTASHOP_KEY"]
    assert set(SyncJob.objects.values_list("entity", flat=True)) == {"orders", "customers"}
    assert apply(exported) == "Nothing to change.\n"
    assert export() == exported


def test_a_dry_run_says_the_same_and_changes_nothing(running, exported, apply):
    changed = exported.replace("label: Carriers", "label: Shippers").replace("UPS: 4", "UPS: 5")
    said = apply(changed, "--dry-run", "--keep-secrets")
    assert "pair one, table carriers: UPS changed from 4 to 5" in said
    assert "nothing was changed" in said
    assert LookupTable.objects.get(name="carriers").label == "Carriers"
    done = apply(changed, "--keep-secrets")
    assert done.splitlines()[:-1] == said.splitlines()[:-1]
    assert LookupEntry.objects.get(theirs="UPS").ours == 5


def test_a_changed_rule_is_a_new_version_and_an_audit_entry(running, exported, apply):
    somebody("integrator", "ines")
    changed = exported.replace("from: invoice_address.city", "from: delivery_address.city")
    said = apply(changed, "--keep-secrets", "--as", "ines")
    assert "billto_city changed from from invoice_address.city to from delivery_address.city" in said
    mapping = running.pair.mappings.get(name="order")
    assert (mapping.current.number, mapping.current.who.username) == (2, "ines")
    assert Rule.objects.get(version=mapping.current, to="billto_city").source == "delivery_address.city"
    assert AuditEntry.objects.filter(what__contains="published", who__username="ines").exists()


def test_what_the_file_does_not_name_stays_and_is_said(running, exported, apply):
    fewer = re.sub(r"(?m)^      price_lists:\n        label: .*\n        entries: \{\}\n", "", exported)
    assert fewer != exported
    said = apply(fewer, "--keep-secrets")
    assert "Left as it is, since the file does not name it: pair one: lookup table price_lists" in said
    assert LookupTable.objects.filter(name="price_lists").exists()


BAD = [
    ("tillbridge: 1", "tillbridge: 2", "tillbridge: 1"),
    ("    system: prestashop", "    system: magento", "There is no system 'magento'"),
    ("    label: prestashop", "    lable: prestashop", "Is 'label' meant?"),
    ("poll_seconds: 60", "poll_seconds: 2", "from 5 on"),
    ("    shop: prestashop", "    shop: shoppe", "There is no connection 'shoppe'"),
    ("do: lookup table=carriers default=nothing", "do: lookip table=carriers", "a transform"),
    ("do: lookup table=carriers default=nothing", "do: lookup table=carrier", "no lookup table 'carrier'"),
    ("to: billto_city", "to: billto_town", "is no field of"),
    ("UPS: 4", "UPS: [4]", "must be a text, a number or nothing"),
    ("UPS: 4", "UPS: 4\n          ups : 5", "the same code as in line"),
    ("UPS: 4", "UPS: 4\n          UPS: 5", "stands there twice"),
    ("UPS: 4", "UPS: *all", "Anchors and aliases"),
    ("UPS: 4", "UPS: !!python/object:os.system 4", "Tags"),
    ("UPS: 4", "\tUPS: 4", "cannot be read as YAML"),
    ('"on": true', '"on": perhaps', "true or false"),
    ("kind: filter", "kind: filtre", "is of no kind that there is"),
    ("skip: current_state.paid is false", "skip: current_state.paid is", "is expected"),
    ("    namespace: ", "    namespace: x", "is no UUID"),
    ("      address: ", "      adress: ", "Is 'address' meant?"),
    ("secrets:\n      key: ${TILLBRIDGE_PRESTASHOP_KEY}", "secrets:\n      key: plain-secret", "stands in no file"),
    ("${TILLBRIDGE_PRESTASHOP_KEY}", "${NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE is not set"),
]


@pytest.mark.parametrize(("good", "bad", "words"), BAD)
def test_a_bad_file_is_refused_whole_with_line_and_reason(running, exported, apply, good, bad, words):
    assert good in exported, good
    broken = exported.replace(good, bad, 1)
    with pytest.raises(CommandError) as raised:
        apply(broken)
    said = str(raised.value)
    assert words in said
    line = int(re.search(r"yaml, line (\d+):", said)[1])
    before, after = exported.splitlines(), broken.splitlines()
    changed = next(number for number, text in enumerate(after, 1) if text not in before[number - 1 : number])
    elsewhere = "line" in words or good.strip() == "shop: prestashop"
    assert line - changed in (0, 1, -1) or elsewhere, (line, changed)
    assert "nothing was changed" in said
    assert AuditEntry.objects.filter(what__contains="Applied").count() == 0
    assert "plain-secret" not in said


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"just words", b"- a\n- b\n", b"a: [1,", b"{" * 3000])
def test_rubbish_is_refused_in_words(running, apply, content):
    with pytest.raises(CommandError, match="line"):
        apply(content)


def test_a_failure_in_the_middle_changes_nothing(running, exported, apply, monkeypatch):
    before = export()
    changed = exported.replace("UPS: 4", "UPS: 5").replace("from: invoice_address.city", "from: delivery_address.city")
    monkeypatch.setattr("hub.applying.changing.publishing.publish_data", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        apply(changed, "--keep-secrets")
    assert export() == before


def test_the_namespace_of_a_pair_that_has_sent_something_is_not_changed(running, exported, apply):
    Message.objects.create(
        flow=running.flow, lane=running.pair.lanes.create(entity="orders", key="1"), origin=Message.Origin.PERSON
    )
    moved = exported.replace(str(running.pair.namespace), "5b2d7a52-7c1e-4f4e-9a63-0f6d1f3c2b12")
    with pytest.raises(CommandError, match="its records would double"):
        apply(moved, "--keep-secrets")


def test_from_a_test_system_into_production_with_other_addresses(running, exported, apply, monkeypatch):
    monkeypatch.setenv("SHOP_ADDRESS", "https://shop.example")
    text = re.sub(r"address: .*", "address: ${SHOP_ADDRESS}", exported, count=1)
    wiped(running)
    apply(text)
    assert Connection.objects.get(name="prestashop").settings["address"] == "https://shop.example"


def test_an_entry_in_a_file_releases_what_waits_for_it(running, exported, apply):
    rule = Rule.objects.get(version__mapping__name="order", to="payment", kind=Rule.Kind.VALUE)
    rule.transform = [{"name": "lookup", "table": "payment_methods"}]
    rule.save()
    order = running.order()
    running.joined.shop.store.tables["orders"][order]["module"] = "alma"
    message = running.receive(order)
    running.work()
    text = re.sub(
        r"(      payment_methods:\n        label: .*\n        entries:\n)", r"\1          alma: Alma\n", export()
    )
    assert "1 messages that waited for an entry are on the way again" in apply(text, "--keep-secrets")
    message.refresh_from_db()
    assert message.state == Message.State.WAITING


HOSTILE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)


@options(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(theirs=HOSTILE.filter(lambda text: text.strip()), ours=HOSTILE | st.integers(-999, 999) | st.none())
@pytest.mark.parametrize("extra", ["", "NO", "007", "1e3", "~", "yes", "2026-11-26", "0x1F", "a: b", "- a", "#x", "'"])
def test_hostile_codes_survive(running, apply, theirs, ours, extra):
    table = LookupTable.objects.get(name="carriers")
    table.entries.all().delete()
    codes = {theirs: ours} | ({extra: extra} if extra and extra.strip() != theirs.strip() else {})
    for code, value in codes.items():
        LookupEntry.objects.create(table=table, theirs=code, ours=value)
    text = export()
    table.entries.all().delete()
    apply(text, "--keep-secrets")
    assert dict(table.entries.values_list("theirs", "ours")) == codes


def test_an_export_of_one_pair_and_into_a_file(running, exported, tmp_path):
    file = tmp_path / "one.yaml"
    call_command("export", "--pair", "one", "--output", str(file))
    assert file.read_text() == exported
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="there are: one"):
        call_command("export", "--pair", "two")


def test_the_sample_of_the_docs_applies(apply, monkeypatch):
    text = (Path(__file__).resolve().parents[2] / "docs" / "export.md").read_text()
    sample = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    monkeypatch.setenv("SHOP_ADDRESS", "https://shop.example")
    monkeypatch.setenv("TILLBRIDGE_SHOP_KEY", "K" * 32)
    assert "connection shop: added" in apply(sample)
    assert Connection.objects.get(name="shop").settings["address"] == "https://shop.example"
    assert apply(sample) == "Nothing to change.\n"
