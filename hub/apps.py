from django.apps import AppConfig

from hub import checks  # noqa: F401  registered by being imported


class HubConfig(AppConfig):
    name = "hub"
    verbose_name = "Tillbridge"
