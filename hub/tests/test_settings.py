"""`manage.py check` names each wrong setting with a hint, all at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RIGHT = {"DEBUG": "true", "SECRET_KEY": "k" * 60, "DATABASE_URL": "sqlite:////tmp/none.sqlite3"}


def check(**environment):
    command = [sys.executable, "manage.py", "check", "--fail-level", "WARNING"]
    plain = {"PATH": os.environ["PATH"], **RIGHT, **environment}
    return subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True)


def test_right_settings_pass():
    done = check()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("number", "name", "value", "words"),
    [
        ("001", "DEBUG", "maybe", "neither true nor false"),
        ("002", "SECRET_KEY", "short", "has 5 characters"),
        ("003", "DATABASE_URL", "mysql://a/b", "neither sqlite nor postgres"),
        ("003", "DATABASE_URL", "postgres://localhost", "names no database"),
        ("003", "DATABASE_URL", "rubbish", "neither sqlite nor postgres"),
        ("005", "CSRF_TRUSTED_ORIGINS", "hub.example.com", "does not start with http"),
        ("006", "TIME_ZONE", "Mars/Base", "no time zone"),
        ("007", "LOG_LEVEL", "LOUD", "no log level"),
    ],
)
def test_a_wrong_setting_is_named_with_a_hint(number, name, value, words):
    said = check(**{name: value}).stderr
    assert f"hub.E{number}" in said
    assert f"The setting {name}: " in said
    assert words in said
    assert "HINT: Set " in said


def test_all_wrong_settings_are_named_at_once():
    said = check(DEBUG="false", SECRET_KEY="", LOG_LEVEL="LOUD").stderr
    assert all(f"The setting {name}: " in said for name in ("SECRET_KEY", "ALLOWED_HOSTS", "LOG_LEVEL"))


def test_every_setting_that_is_read_is_documented():
    documented = (ROOT / ".env.example").read_text()
    settings = (ROOT / "hub" / "settings.py").read_text()
    for name in (
        "DEBUG",
        "SECRET_KEY",
        "DATABASE_URL",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "TIME_ZONE",
        "LOG_LEVEL",
    ):
        assert f'"{name}"' in settings
        assert f"{name}=" in documented
