"""The API's addresses, its schema and its pages, which load nothing from elsewhere."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from hub.api import schema as _schema  # noqa: F401  known by being imported
from hub.api import views

router = SimpleRouter()
for _name, _view in (
    ("messages", views.Messages),
    ("problems", views.Problems),
    ("unmapped-values", views.UnmappedValues),
    ("cross-references", views.CrossReferences),
    ("connections", views.Connections),
    ("pairs", views.Pairs),
    ("flows", views.Flows),
    ("mappings", views.Mappings),
    ("lookup-tables", views.LookupTables),
    ("sync-jobs", views.SyncJobs),
    ("runs", views.Runs),
    ("batches", views.Batches),
    ("audit-entries", views.AuditEntries),
    ("conservation", views.Conservation),
):
    router.register(_name, _view, basename=_name)


class Schema(SpectacularAPIView):
    rights = {"GET": "hub.view_message"}  # noqa: RUF012  as every view has it


class Docs(SpectacularSwaggerSplitView):
    rights = {"GET": "hub.view_message"}  # noqa: RUF012


urlpatterns = [
    *router.urls,
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", Docs.as_view(url_name="api:schema", url_self="/api/v1/docs/?script="), name="docs"),
]
