"""The admin as its people use it: sign in, select, answer the confirm page, read the results."""

from typing import Any

from django.test import Client
from django.urls import reverse

from projects.models import Batch, Project
from projects.states import BatchAction
from tests.cast import Cast

LIST = "/admin/projects/project/"
ASKED_FIRST = (BatchAction.REFRESH, BatchAction.STOP, BatchAction.RESTART, BatchAction.REMOVE_CONTAINER)
COMMAND = {"command": "echo hello", "workdir": "/workspace", "timeout_seconds": "20"}


def enter(cast: Cast, name: str) -> Client:
    client = Client()
    client.force_login(cast.users[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def place(model: Any, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:projects_{model._meta.model_name}_{page}", args=args)


def select(client: Client, action: str, *projects: Project, **more: Any) -> Any:
    """Choose an action for the selected rows of the list."""
    return client.post(LIST, {"action": action, "_selected_action": [project.pk for project in projects], **more}, follow=True)


def confirm(client: Client, action: str, *projects: Project, **more: Any) -> Any:
    """Answer the page that asks first."""
    body = {"action": action, "projects": ",".join(str(project.pk) for project in projects), "confirmed": "yes", **more}
    return client.post(f"{LIST}act/", body, follow=True)


def act(client: Client, action: BatchAction, *projects: Project) -> Any:
    """The whole way to the results, whatever the action asks in between."""
    answer = select(client, action, *projects)
    if action in ASKED_FIRST:
        return confirm(client, action, *projects)
    return confirm(client, action, *projects, **COMMAND) if action is BatchAction.RUN_COMMAND else answer


def results(batch: Batch | None = None) -> dict[str, tuple[str, str]]:
    """State and message of each project, of the newest batch."""
    batch = batch or Batch.objects.first()
    assert batch is not None, "no batch was made"
    return {item.project_slug: (str(item.state), item.message) for item in batch.items.all()}
