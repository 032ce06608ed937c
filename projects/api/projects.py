"""Projects: the list, making, settings, removal; and repositories that are no projects yet."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from projects.access import Permission, demand_project_creator, project_for, visible_projects
from projects.api.auth import actor, caller
from projects.api.pagination import Cursor, Limit, page_of_list, page_of_rows
from projects.api.responses import ENGINE, answers
from projects.api.schemas import DiscoveredList, ProjectIn, ProjectList, ProjectOut, ProjectPatch
from projects.models import Project
from projects.services.catalog import create_project, update_project
from projects.services.discovery import discover_projects
from projects.services.lifecycle import remove_project

router = Router(tags=["projects"])


@router.get("/projects", response=answers(ProjectList), summary="The projects that you may see, by slug")
def list_projects(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    items, following = page_of_rows(visible_projects(caller(request)), key="slug", limit=limit, cursor=cursor)
    return {"items": items, "next": following}


@router.post("/projects", response=answers(ProjectOut, 409, status=201), summary="Make a project over an existing directory")
def make_project(request: HttpRequest, payload: ProjectIn) -> Status[Project]:
    """Its slug is made from the name and never changes. The directory must lie below a workspace root, and neither inside nor
    around another project's. Administrators, and people they allow to, make projects."""
    demand_project_creator(caller(request))
    return Status(201, create_project(actor=actor(request), **payload.given()))


@router.get("/projects/{slug}", response=answers(ProjectOut), summary="A project")
def get_project(request: HttpRequest, slug: str) -> Project:
    return project_for(caller(request), slug)


@router.patch("/projects/{slug}", response=answers(ProjectOut, 409), summary="Change a project's settings")
def change_project(request: HttpRequest, slug: str, payload: ProjectPatch) -> Project:
    """Owners. A container takes the change over at its next refresh. Slug and path never change: make another project instead."""
    project = project_for(caller(request), slug, Permission.CONFIGURE)
    return update_project(project=project, actor=actor(request), **payload.given())


@router.delete("/projects/{slug}", response=answers(None, *ENGINE, status=204), summary="Remove a project")
def delete_project(request: HttpRequest, slug: str) -> Status[None]:
    """Owners. The container and the row go; the workspace directory stays as it is."""
    remove_project(project=project_for(caller(request), slug, Permission.CONFIGURE), actor=actor(request))
    return Status(204, None)


@router.get("/discovered", response=answers(DiscoveredList), summary="Git repositories below the workspace roots that are no projects yet")
def list_discovered(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """For those who may make projects."""
    demand_project_creator(caller(request))
    items, following = page_of_list(discover_projects(), key=lambda found: found.path, limit=limit, cursor=cursor)
    return {"items": items, "next": following}
