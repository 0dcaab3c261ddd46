"""A backfill that was through is told from one that was stopped. Those that are off already count as through."""

from typing import Any

from django.db import migrations, models
from django.utils import timezone


def end_those_that_are_off(apps: Any, schema: Any) -> None:
    apps.get_model("hub", "SyncJob").objects.filter(kind="backfill", on=False).update(ended_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("hub", "0006_api_calls")]

    operations = [
        migrations.AddField("syncjob", "ended_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunPython(end_those_that_are_off, migrations.RunPython.noop),
    ]
