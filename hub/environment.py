"""Reads the settings from the environment and .env, and remembers every wrong one instead of dying on the first."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import environ
from cryptography.fernet import Fernet


@dataclass(frozen=True)
class WrongSetting:
    """`number` is the id's last part in `manage.py check`: hub.E<number>."""

    number: str
    name: str
    what: str
    hint: str


@dataclass
class Environment:
    """A wrong value is remembered and its default taken, so that `manage.py check` can name them all."""

    env: environ.Env
    wrong: list[WrongSetting] = field(default_factory=list)

    def read(self, number: str, name: str, default: str, parse: Callable[[str], Any], hint: str) -> Any:
        text = str(self.env(name, default=default)).strip()
        try:
            return parse(text)
        except ValueError as error:
            self.wrong.append(WrongSetting(number, name, str(error), hint))
            return parse(default)


def truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() in ("true", "1", "yes", "on")


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} is no whole number from 1 on")
    return int(text)


def count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no whole number from 0 on")
    return int(text)


def names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def origins(text: str) -> list[str]:
    found = names(text)
    if bare := [one for one in found if not one.startswith(("http://", "https://"))]:
        raise ValueError(f"{', '.join(bare)} does not start with http:// or https://")
    return found


def database(text: str) -> dict[str, Any]:
    """The Django database of an address. Raises ValueError for anything but SQLite and PostgreSQL."""
    scheme = text.partition(":")[0]
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ValueError(f"its scheme {scheme!r} is neither sqlite nor postgres")
    settings: dict[str, Any] = environ.Env.db_url_config(text)
    if not settings.get("NAME"):
        raise ValueError("it names no database")
    return settings


def time_zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(f"{text!r} is no time zone")
    return ZoneInfo(text).key


def log_level(text: str) -> str:
    if text.upper() not in logging.getLevelNamesMapping():
        raise ValueError(f"{text!r} is no log level")
    return text.upper()


def keys(text: str) -> list[str]:
    """Fernet keys, the first of which encrypts. Raises ValueError for what is none."""
    found = names(text)
    for number, one in enumerate(found, 1):
        try:
            Fernet(one)
        except ValueError as error:
            raise ValueError(f"key {number} is no key: 32 bytes in URL-safe base64 are needed") from error
    return found
