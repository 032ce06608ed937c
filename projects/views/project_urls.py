"""The pages under /projects/<slug>/, but the console."""

from django.urls import path

from projects.views import logs, overview, project_channels, project_keys, project_members
from projects.views.project_decisions import project_decisions
from projects.views.project_events import project_events
from projects.views.project_runs import project_runs
from projects.views.project_settings import project_settings

urlpatterns = [
    path("", overview.overview, name="project"),
    path("now.json", overview.now),
    path("processes/", overview.processes),
    path("logs/", logs.logs, name="project-logs"),
    path("logs/more.json", logs.more),
    path("logs/all.log", logs.download, name="project-log-download"),
    path("runs/", project_runs, name="project-runs"),
    path("decisions/", project_decisions, name="project-decisions"),
    path("events/", project_events, name="project-events"),
    path("settings/", project_settings, name="project-settings"),
    path("settings/members/", project_members.members, name="project-members"),
    path("settings/secrets/", project_keys.secrets, name="project-secrets"),
    path("settings/git-tokens/", project_keys.git_tokens, name="project-git-tokens"),
    path("settings/deploy-key/", project_keys.deploy_key, name="project-deploy-key"),
    path("settings/notifications/", project_channels.channels, name="project-channels"),
    path("remove/", project_members.remove, name="project-remove"),
]
