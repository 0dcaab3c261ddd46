"""The console. Whatever the queue registers is taken out: its rows only wake workers, and one of its schedules could
run any code. So are Django's own pages of users and groups: people are pages of ours."""

from django.contrib import admin

for _model in [one for one in admin.site._registry if one._meta.app_label != "hub"]:
    admin.site.unregister(_model)

from hub.admin import api_token as api_token  # noqa: E402
from hub.admin import audit as audit  # noqa: E402
from hub.admin import batch as batch  # noqa: E402  registers in the order of the work
from hub.admin import connection as connection  # noqa: E402
from hub.admin import cross_reference as cross_reference  # noqa: E402
from hub.admin import flow as flow  # noqa: E402
from hub.admin import lookup_table as lookup_table  # noqa: E402
from hub.admin import mapping as mapping  # noqa: E402
from hub.admin import message as message  # noqa: E402
from hub.admin import pair as pair  # noqa: E402
from hub.admin import person as person  # noqa: E402
from hub.admin import problem as problem  # noqa: E402
from hub.admin import run as run  # noqa: E402
from hub.admin import sync_job as sync_job  # noqa: E402
from hub.admin import unmapped_value as unmapped_value  # noqa: E402
