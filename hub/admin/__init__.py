"""The console. Whatever the queue registers is taken out: its rows only wake workers, and one of its schedules could
run any code."""

from django.contrib import admin

for _model in [one for one in admin.site._registry if one._meta.app_label == "django_q"]:
    admin.site.unregister(_model)
