"""The life of a project's container: one use case each, all under one claim."""

from projects.services.answers import ContainerAnswer
from projects.services.lifecycle.refresh import refresh_container
from projects.services.lifecycle.remove import remove_container, remove_project
from projects.services.lifecycle.start import ensure_container, restart_container, start_container, stop_container

__all__ = [
    "ContainerAnswer",
    "ensure_container",
    "refresh_container",
    "remove_container",
    "remove_project",
    "restart_container",
    "start_container",
    "stop_container",
]
