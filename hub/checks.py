"""Wrong settings, by id and with a hint, as `manage.py check` shows them."""

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

OLDEST_SQLITE = (3, 35, 0)  # RETURNING, which claims need


@register
def settings_are_right(app_configs: Any, **options: Any) -> list[CheckMessage]:
    return [
        Error(f"The setting {one.name}: {one.what}.", hint=one.hint, id=f"hub.E{one.number}")
        for one in settings.WRONG_SETTINGS
    ]


@register
def the_database_can_do_it(app_configs: Any, **options: Any) -> list[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine.endswith("sqlite3") and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        hint = "Install a newer Python, or use PostgreSQL through DATABASE_URL."
        return [Error(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed.", hint=hint, id="hub.E008")]
    return []
