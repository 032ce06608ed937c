"""Image builds: started by administrators, followed on their page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from projects.admin.base import AdministratorsOnly
from projects.admin.links import badge
from projects.admin.output import shown
from projects.admin.project_actions import begin_build
from projects.models import ImageBuild
from projects.services.images import end_of_log

SHOWN_BYTES = 64 * 1024


@admin.register(ImageBuild)
class ImageBuildAdmin(AdministratorsOnly):
    list_display = ("id", "tag", "state_shown", "progress", "actor_name", "started_at", "finished_at")
    list_filter = ("state",)
    date_hierarchy = "started_at"
    fields = readonly_fields = ("tag", "state_shown", "progress", "message", "image_id", "actor_name", "started_at", "finished_at", "log")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.build_view))
        return [path("build/", view, name="projects_imagebuild_build"), *super().get_urls()]

    def build_view(self, request: HttpRequest) -> HttpResponse:
        place = reverse("admin:projects_imagebuild_changelist")
        return begin_build(self, request, no_cache="no_cache" in request.POST, back=place)

    @admin.display(description="state", ordering="state")
    def state_shown(self, build: ImageBuild) -> str:
        return badge(build.state)

    @admin.display(description="step")
    def progress(self, build: ImageBuild) -> str:
        return f"{build.step} of {build.steps}" if build.step is not None else "–"

    @admin.display(description="end of the log")
    def log(self, build: ImageBuild) -> str:
        return shown(end_of_log(build, SHOWN_BYTES), "End of the log")
