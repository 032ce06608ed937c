"""Batches: how each project of an action over several fares, followed while it goes on."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from projects.access import visible_batches
from projects.admin.base import ReadOnlyAdmin
from projects.admin.output import plain
from projects.models import Batch
from projects.services import spool
from projects.services.action_words import WORDS
from projects.services.heartbeats import worker_lives
from projects.states import BatchAction, ItemState

MOST_OUTPUTS = 100
SHOWN_BYTES = 2048


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """One's own; administrators see all. The page of a batch is its progress."""

    list_display = ("id", "what", "actor_name", "created_at", "finished_at", "done", "failed", "left")
    list_filter = ("action",)
    search_fields = ("actor_name", "items__project_slug")
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_batches(request.user).annotate(
            items_done=Count("items", filter=Q(items__state=ItemState.DONE)),
            items_failed=Count("items", filter=Q(items__state=ItemState.FAILED)),
            items_left=Count("items", filter=Q(items__state__in=[ItemState.QUEUED, ItemState.RUNNING])),
        )

    def get_urls(self) -> list[Any]:
        page = path("<int:pk>/", self.admin_site.admin_view(self.progress_view), name="projects_batch_progress")
        return [page, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET" and object_id.isdecimal():
            return HttpResponseRedirect(reverse("admin:projects_batch_progress", args=[object_id]))
        return super().change_view(request, object_id, *args, **kwargs)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self.get_queryset(request).filter(pk=pk).first()
        if batch is None:
            raise Http404
        words = WORDS[BatchAction(batch.action)]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": words.title,
            "batch": batch,
            "words": words,
            "items": _items(batch),
            "worker_is_silent": batch.finished_at is None and not worker_lives(),
        }
        return TemplateResponse(request, "admin/projects/batch/progress.html", context)

    @admin.display(description="action", ordering="action")
    def what(self, batch: Batch) -> str:
        return WORDS[BatchAction(batch.action)].title

    @admin.display(description="done")
    def done(self, batch: Any) -> int:
        return int(batch.items_done)

    @admin.display(description="failed")
    def failed(self, batch: Any) -> int:
        return int(batch.items_failed)

    @admin.display(description="to do")
    def left(self, batch: Any) -> int:
        return int(batch.items_left)


def _items(batch: Batch) -> list[Any]:
    """With the end of what each command printed, as long as there are not too many to read on one page."""
    items: list[Any] = list(batch.items.select_related("project", "run"))
    for item in items[:MOST_OUTPUTS]:
        if item.run is not None:
            output = spool.tail(item.run, SHOWN_BYTES)
            item.output = plain(output.stdout + output.stderr)
    return items
