from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from hub import checks  # noqa: F401  registered by being imported


def _make_roles(**signal: Any) -> None:
    """Only once the models are loaded can what knows them be imported."""
    import_module("hub.people").make_roles()


class HubConfig(AppConfig):
    name = "hub"
    verbose_name = "Tillbridge"

    def ready(self) -> None:
        """Every process of django-q2 has to know hub.tasks before its first task, for the signal that it was made."""
        autodiscover_modules("tasks")
        post_migrate.connect(_make_roles, sender=self)
