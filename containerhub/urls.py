"""Every address of the hub."""

from django.contrib import admin
from django.urls import include, path, re_path

from projects.api import api
from projects.api.application import no_such_call
from projects.views import runs
from projects.views.act import act
from projects.views.batch import batch
from projects.views.console import console
from projects.views.health import healthz, readyz
from projects.views.home import home
from projects.views.invitation import invitation

urlpatterns = [
    path("", home, name="home"),
    path("act/", act, name="act"),
    path("activity/batches/<int:pk>/", batch, name="batch"),
    path("projects/<slug:slug>/console/", console, name="console"),
    path("projects/<slug:slug>/runs/<uuid:run_id>/output.txt", runs.output, name="run-output"),
    path("projects/<slug:slug>/runs/<uuid:run_id>/tail", runs.tail, name="run-tail"),
    path("healthz", healthz),
    path("readyz", readyz),
    path("accounts/invitation/<str:key>/", invitation, name="invitation"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    re_path(r"^api(?:/|$)", no_such_call),
]
