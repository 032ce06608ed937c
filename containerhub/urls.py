"""Every address of the hub."""

from django.contrib import admin
from django.urls import include, path, re_path

from projects.api import api
from projects.api.application import no_such_call
from projects.views.health import healthz, readyz
from projects.views.home import home
from projects.views.invitation import invitation

urlpatterns = [
    path("", home, name="home"),
    path("healthz", healthz),
    path("readyz", readyz),
    path("accounts/invitation/<str:key>/", invitation, name="invitation"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    re_path(r"^api(?:/|$)", no_such_call),
]
