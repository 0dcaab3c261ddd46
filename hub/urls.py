from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from hub.api.webhooks import Webhooks

urlpatterns = [
    path("api/webhooks/<slug:name>/", Webhooks.as_view(), name="webhooks"),
    path("api/webhooks/<slug:name>/<str:token>/", Webhooks.as_view()),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
