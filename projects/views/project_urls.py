"""The pages under /projects/<slug>/, but the console."""

from django.urls import path

from projects.views import logs
from projects.views.overview import overview
from projects.views.project_decisions import project_decisions
from projects.views.project_events import project_events
from projects.views.project_runs import project_runs

urlpatterns = [
    path("", overview, name="project"),
    path("logs/", logs.logs, name="project-logs"),
    path("logs/all.log", logs.download, name="project-log-download"),
    path("runs/", project_runs, name="project-runs"),
    path("decisions/", project_decisions, name="project-decisions"),
    path("events/", project_events, name="project-events"),
]
