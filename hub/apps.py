from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from hub import checks  # noqa: F401  registered by being imported


class HubConfig(AppConfig):
    name = "hub"
    verbose_name = "Tillbridge"

    def ready(self) -> None:
        """Every process of django-q2 has to know hub.tasks before its first task, for the signal that it was made."""
        autodiscover_modules("tasks")
