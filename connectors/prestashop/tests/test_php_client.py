"""A client in PHP, the shop's own language, with curl and SimpleXML: reads orders, adds up rows, patches notes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from connectors.prestashop.sandbox import PrestaShopSandbox
from connectors.prestashop.sandbox.rights import WITHOUT_PATCH
from connectors.serving import serving

SCRIPT = Path(__file__).parent / "reads_orders.php"
PHP = shutil.which("php") or ""


pytestmark = pytest.mark.needs("php")


def run(sandbox: PrestaShopSandbox, key: str) -> subprocess.CompletedProcess[str]:
    with serving(sandbox) as address:
        return subprocess.run([PHP, str(SCRIPT), address, key], capture_output=True, text=True, timeout=60, check=False)


def test_it_reads_orders_adds_up_their_rows_and_patches_a_note() -> None:
    sandbox = PrestaShopSandbox()
    first = sandbox.place_order([(1, 0, 2), (4, 0, 3)])
    second = sandbox.place_order([(13, 0, 1)], note="5 < 6 & é")
    result = run(sandbox, sandbox.announcement()["key"])
    assert (result.returncode, result.stderr) == (0, "")
    orders = sandbox.store.tables["orders"]
    assert result.stdout.splitlines() == [
        f"{first} {orders[first]['reference']} 171.79",
        f"{second} {orders[second]['reference']} 23.95",
    ]
    assert [orders[one]["note"] for one in (first, second)] == ["rows: 171.79", "rows: 23.95"]


def test_it_is_stopped_where_its_key_may_not_patch() -> None:
    sandbox = PrestaShopSandbox()
    sandbox.place_order([(1,)])
    result = run(sandbox, WITHOUT_PATCH.key)
    assert result.returncode == 1
    assert "405" in result.stderr
    assert "Method PATCH is not allowed" in result.stderr
