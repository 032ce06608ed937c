"""How an action over several projects fares: a result for each of them, while it goes on and afterwards."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from projects.access import visible_batches
from projects.consumers.live import Fragments
from projects.services.action_words import WORDS
from projects.services.heartbeats import worker_lives
from projects.states import BatchAction, ItemState
from projects.views.live import live


@login_required
@require_safe
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "dashboard/batch.html", _shown(request.user, pk))


@live("batch")
def batch_fragments(user: Any, kwargs: dict[str, Any], query: QueryDict) -> Fragments:
    return {"batch-items": render_to_string("dashboard/batch_items.html", _shown(user, kwargs["pk"]))}


def _shown(user: Any, pk: int) -> dict[str, Any]:
    found = visible_batches(user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such action, or it is not yours.")
    items = list(found.items.order_by("position"))
    return {
        "batch": found,
        "words": WORDS[BatchAction(found.action)],
        "items": items,
        "done": sum(item.state == ItemState.DONE for item in items),
        "failed": sum(item.state == ItemState.FAILED for item in items),
        "worker_is_silent": found.finished_at is None and not worker_lives(),
    }
