"""The hub's images, and their builds."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Body, Path, Query, Router, Status

from projects.access import demand_administrator
from projects.api.auth import actor, caller
from projects.api.pagination import LARGEST_ID, Cursor, Limit, page_of_list
from projects.api.responses import ENGINE, answers
from projects.api.schemas import BuildIn, BuildOut, BuildWithLog, ImageList
from projects.models import ImageBuild
from projects.services.errors import NotFound
from projects.services.image_list import list_images as find_images
from projects.services.images import build_log, cancel_build, start_build

router = Router(tags=["images"])
LARGEST_OFFSET = 2**53
BuildId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("/images", response=answers(ImageList, *ENGINE), summary="The base image and its variants")
def list_images(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    items, following = page_of_list(find_images(), key=lambda image: image.image_id, limit=limit, cursor=cursor)
    return {"items": items, "next": following}


@router.post("/images/build", response=answers(BuildOut, *ENGINE, status=202), summary="Build the base image")
def build_image(request: HttpRequest, payload: Annotated[BuildIn, Body()] = BuildIn()) -> Status[dict[str, Any]]:  # noqa: B008
    """Administrators. It goes on after the answer: ask for the build by its id. 409 while one is under way."""
    demand_administrator(caller(request))
    return Status(202, _shown(start_build(actor=actor(request), no_cache=payload.no_cache)))


@router.get("/images/builds/{build_id}", response=answers(BuildWithLog), summary="How a build stands, and its log")
def get_build(
    request: HttpRequest,
    build_id: BuildId,
    offset: Annotated[int, Query(ge=0, le=LARGEST_OFFSET, description="Bytes of the log to pass over.")] = 0,
) -> dict[str, Any]:
    """Administrators. The answer has at most 1 MiB of the log."""
    demand_administrator(caller(request))
    build = _build(build_id)
    log = build_log(build, offset)
    return {**_shown(build), "log": log.decode(errors="replace"), "next_offset": offset + len(log)}


@router.post("/images/builds/{build_id}/cancel", response=answers(BuildOut, status=202), summary="Cancel a build")
def cancel_image_build(request: HttpRequest, build_id: BuildId) -> Status[dict[str, Any]]:
    """Administrators. It ends within seconds, and the image stays as it was. 404 when it is over."""
    demand_administrator(caller(request))
    build = _build(build_id)
    cancel_build(build=build, actor=actor(request))
    return Status(202, _shown(build))


def _build(pk: int) -> ImageBuild:
    build = ImageBuild.objects.filter(pk=pk).first()
    if build is None:
        raise NotFound("There is no such build; look at the list of images.")
    return build


def _shown(build: ImageBuild) -> dict[str, Any]:
    return {
        "id": build.pk,
        "tag": build.tag,
        "state": build.state,
        "step": build.step,
        "steps": build.steps,
        "image_id": build.image_id,
        "message": build.message,
        "actor": build.actor_name,
        "started_at": build.started_at,
        "finished_at": build.finished_at,
    }
