"""Every address of the hub."""

from django.contrib import admin
from django.urls import include, path, re_path

from projects.api import api
from projects.api.application import no_such_call
from projects.views import account, activity, images, new_project, runs, system
from projects.views.act import act
from projects.views.batch import batch
from projects.views.console import console
from projects.views.health import healthz, readyz
from projects.views.home import home
from projects.views.icon import icon
from projects.views.invitation import invitation
from projects.views.metrics import metrics

urlpatterns = [
    path("", home, name="home"),
    path("act/", act, name="act"),
    path("activity/", activity.activity, name="activity"),
    path("activity/events.csv", activity.as_csv, name="activity-csv"),
    path("activity/batches/", activity.batches, name="batches"),
    path("activity/batches/<int:pk>/", batch, name="batch"),
    path("projects/new/", new_project.new, name="project-new"),
    path("projects/new/check/", new_project.check, name="project-check"),
    path("projects/new/clones/<int:pk>/", new_project.clone, name="clone"),
    path("projects/new/clones/<int:pk>/cancel/", new_project.cancel, name="clone-cancel"),
    path("projects/<slug:slug>/console/", console, name="console"),
    path("projects/<slug:slug>/runs/<uuid:run_id>/output.txt", runs.output, name="run-output"),
    path("projects/<slug:slug>/runs/<uuid:run_id>/tail", runs.tail, name="run-tail"),
    path("images/", images.images, name="images"),
    path("images/build/", images.build, name="image-build"),
    path("images/refresh/", images.refresh, name="images-refresh"),
    path("images/builds/<int:pk>/", images.one_build, name="build"),
    path("images/builds/<int:pk>/cancel/", images.cancel, name="build-cancel"),
    path("images/builds/<int:pk>/log.txt", images.log_file, name="build-log"),
    path("account/", account.account, name="account"),
    path("account/tokens/", account.make, name="token-make"),
    path("account/tokens/<int:pk>/revoke/", account.revoke, name="token-revoke"),
    path("account/sessions/end/", account.end_sessions, name="sessions-end"),
    path("system/", system.system, name="system"),
    path("system/cleanup/", system.cleanup, name="cleanup"),
    path("system/cleanup/images/", system.remove_images, name="cleanup-images"),
    path("system/cleanup/containers/", system.remove_containers, name="cleanup-containers"),
    path("system/doctor/", system.doctor, name="doctor"),
    path("system/drift/<slug:action>/", system.drift, name="drift"),
    path("projects/<slug:slug>/", include("projects.views.project_urls")),
    path("favicon.ico", icon),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("accounts/invitation/<str:key>/", invitation, name="invitation"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    re_path(r"^api(?:/|$)", no_such_call),
]
