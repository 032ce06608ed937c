"""What pages look up before anything else."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404

from projects.access import AccessDenied, Permission, Stranger, project_for
from projects.models import CommandRun, Project


def project_or_404(user: Any, slug: str) -> Project:
    """The project, if the user may look at it. Raises Http404."""
    try:
        return project_for(user, slug)
    except Stranger as error:
        raise Http404(str(error)) from error


def project_to(user: Any, permission: Permission, slug: str) -> Project:
    """The project, if the user may do that with it. Raises Http404 for a stranger, PermissionDenied for a member without the right."""
    try:
        return project_for(user, slug, permission)
    except Stranger as error:
        raise Http404(str(error)) from error
    except AccessDenied as error:
        raise PermissionDenied(str(error)) from error


def run_or_404(project: Project, run_id: UUID) -> CommandRun:
    """That run of the project. Raises Http404."""
    run = CommandRun.objects.select_related("project").filter(project=project, pk=run_id).first()
    if run is None:
        raise Http404("There is no such command in this project.")
    return run
