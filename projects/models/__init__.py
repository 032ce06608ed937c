"""What the hub knows: one module per noun."""

from projects.models.batch import Batch, BatchItem
from projects.models.clone import Clone
from projects.models.container import Container
from projects.models.credential import GitCredential
from projects.models.event import Event
from projects.models.health import Decision, HealthMemory, Lease, Sample
from projects.models.hub import Heartbeat, Instance
from projects.models.image import ImageBuild
from projects.models.invitation import Invitation, InvitedRole
from projects.models.keys import DeployKey, ProjectSecret
from projects.models.manifest import Manifest
from projects.models.notifications import Channel, Delivery
from projects.models.people import ApiToken, Membership
from projects.models.project import Project
from projects.models.run import CommandRun
from projects.models.tally import Tally
from projects.models.terminal import TerminalSession

__all__ = [
    "ApiToken",
    "Batch",
    "BatchItem",
    "Channel",
    "Clone",
    "CommandRun",
    "Container",
    "Decision",
    "Delivery",
    "DeployKey",
    "Event",
    "GitCredential",
    "HealthMemory",
    "Heartbeat",
    "ImageBuild",
    "Instance",
    "Invitation",
    "InvitedRole",
    "Lease",
    "Manifest",
    "Membership",
    "Project",
    "ProjectSecret",
    "Sample",
    "Tally",
    "TerminalSession",
]
