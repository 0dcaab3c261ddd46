"""What every test shares: how a missing tool is said, and that a skip on the build machine is a failure."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from django.db import connections

SHARED = Path(__file__).resolve().parent.parent / "shared"
PACKAGES = {"php": "php-cli php-curl php-xml", "chromium": "chromium"}


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(tool): skipped with the reason where php or chromium is absent")
    config.addinivalue_line("markers", "shared(path): skipped where this file or folder of ../shared is absent")


def pytest_runtest_setup(item):
    for mark in item.iter_markers("needs"):
        if not installed(mark.args[0]):
            absent(f"{mark.args[0]} is not installed (Debian: apt-get install {PACKAGES[mark.args[0]]})")
    for mark in item.iter_markers("shared"):
        if not (SHARED / mark.args[0]).exists():
            pytest.skip(f"../shared/{mark.args[0]} is absent")


@cache
def installed(tool):
    if tool == "chromium":
        return Path("/usr/bin/chromium").exists()
    program = shutil.which("php")
    modules = subprocess.run([program, "-m"], capture_output=True, text=True).stdout.split() if program else []
    return {"curl", "SimpleXML"} <= set(modules)


def absent(reason):
    """The build machine installs every tool, so there a missing one is a fault."""
    if os.environ.get("TILLBRIDGE_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """A connection that a worker thread keeps would hold the test database when it is to be dropped."""
    connections.settings["default"]["CONN_MAX_AGE"] = 0
