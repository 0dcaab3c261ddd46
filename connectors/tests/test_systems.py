"""A system is a folder: here, or in a folder that CONNECTORS names."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONNECTOR = """
from connectors.base import Connector, Setting
from connectors.{name}.words import LABEL

class {name}(Connector):
    name = "{name}"
    label = LABEL
    settings = (Setting("address", "Address"),)
    entities = ()

connector = {name}
"""
SANDBOX = """
from connectors.sandbox import Sandbox

class Own(Sandbox):
    system = "{name}"

    def reset(self):
        pass

sandbox = Own
"""
ASK = """
import json, connectors
print(json.dumps([{name: one.label for name, one in connectors.systems().items()},
                  {name: connectors.sandbox_of(name).__name__ for name in connectors.systems()}]))
"""


def make(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(CONNECTOR.format(name=name))
    (folder / name / "words.py").write_text(f"LABEL = {folder.name!r}\n")
    (folder / name / "sandbox.py").write_text(SANDBOX.format(name=name))
    return folder


def ask(*folders: Path | str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CONNECTORS": os.pathsep.join(str(one) for one in folders)}
    return subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_folders_of_ones_own_bring_systems_and_their_sandboxes_and_take_none_of_ours_away(tmp_path):
    first = make(make(tmp_path / "first", "acme"), "prestashop")
    second = make(make(make(tmp_path / "second", "acme"), "other"), "tests")

    asked = ask(first, second, "")

    assert asked.returncode == 0, asked.stderr
    systems, sandboxes = json.loads(asked.stdout)
    assert (systems["acme"], systems["other"], systems["prestashop"]) == ("first", "second", "PrestaShop")
    assert "tests" not in systems
    assert (sandboxes["acme"], sandboxes["prestashop"]) == ("Own", "PrestaShopSandbox")


def test_without_folders_of_ones_own_there_are_ours():
    systems, _ = json.loads(ask().stdout)
    assert {"prestashop", "dynamics365"} <= set(systems)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_is_none_is_named(tmp_path, name):
    (tmp_path / "file").write_text("")

    asked = ask(tmp_path / name)

    assert asked.returncode == 1
    assert f"CONNECTORS names {tmp_path / name}, which is no folder." in asked.stderr
