"""What the hub knows: one module per noun."""

from projects.models.container import Container
from projects.models.credential import GitCredential
from projects.models.event import Event
from projects.models.health import Decision, HealthMemory, Lease, Sample
from projects.models.hub import Heartbeat, Instance
from projects.models.image import ImageBuild
from projects.models.people import ApiToken, Membership
from projects.models.project import Project
from projects.models.run import CommandRun

__all__ = [
    "ApiToken",
    "CommandRun",
    "Container",
    "Decision",
    "Event",
    "GitCredential",
    "HealthMemory",
    "Heartbeat",
    "ImageBuild",
    "Instance",
    "Lease",
    "Membership",
    "Project",
    "Sample",
]
