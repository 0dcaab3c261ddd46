from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from hub.admin.second_factor import second_factor, verify
from hub.admin.site import password_change
from hub.api.urls import urlpatterns as api
from hub.api.webhooks import Webhooks

console, app, name = admin.site.urls
own = [
    path("password_change/", admin.site.admin_view(password_change, cacheable=True), name="password_change"),
    path("second-factor/", admin.site.admin_view(second_factor), name="second_factor"),
    path("second-factor/verify/", admin.site.admin_view(verify), name="second_factor_verify"),
]
urlpatterns = [
    path("api/v1/", include((api, "api"))),
    path("api/webhooks/<slug:name>/", Webhooks.as_view(), name="webhooks"),
    path("api/webhooks/<slug:name>/<str:token>/", Webhooks.as_view()),
    path("admin/", ([*own, *console], app, name)),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
