"""What a refresh would take away from a container, and what refreshes took."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from projects.access import project_for
from projects.api.auth import caller
from projects.api.pagination import Cursor, Limit, page_of_rows
from projects.api.responses import ENGINE, answers
from projects.api.schemas import ManifestList, ManifestOut
from projects.models import Manifest
from projects.services import manifests

router = Router(tags=["containers"])


@router.get("/projects/{slug}/container/manifest", response=answers(ManifestOut, *ENGINE), summary="What a refresh would take away now")
def get_manifest(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Packages that were installed since the image and files that were written outside of the workspace. Nothing is changed by asking."""
    return _shown(manifests.look(project=project_for(caller(request), slug)))


@router.get("/projects/{slug}/container/manifests", response=answers(ManifestList, *ENGINE), summary="What the last refreshes took away")
def list_manifests(request: HttpRequest, slug: str, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """Made just before each refresh, the last 20 of a project."""
    rows = Manifest.objects.filter(project=project_for(caller(request), slug))
    items, following = page_of_rows(rows, key="id", limit=limit, cursor=cursor, descending=True)
    return {"items": [{"id": row.pk, **_shown(manifests.view_of(row))} for row in items], "next": following}


def _shown(view: manifests.ManifestView) -> dict[str, Any]:
    return {
        "container_id": view.docker_id[:12] or None,
        "at": view.at,
        "reason": view.reason,
        "contents": view.contents,
        "problem": view.problem,
        "sentence": view.sentence,
        "layer_mb": view.layer_mb,
    }
