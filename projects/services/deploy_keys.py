"""A project's deploy key: made here, its private half encrypted at rest and, in the container, a 0400 file that ssh finds."""

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import IntegrityError, transaction

from projects.models import DeployKey, Project
from projects.services.credentials import hand_over
from projects.services.errors import NotFound, Taken
from projects.services.record import Actor, record


def get_deploy_key(*, project: Project) -> DeployKey:
    """To show its public half; the private one is not read. Raises NotFound."""
    found = DeployKey.objects.filter(project=project).defer("private_key").first()
    if found is None:
        raise NotFound(f"The project {project.slug} has no deploy key; an owner can make one.")
    return found


def make_deploy_key(*, project: Project, actor: Actor) -> DeployKey:
    """The project's first key; a running container has it at once. Raises Taken when there is one, Unready."""
    try:
        with transaction.atomic():
            row = DeployKey.objects.create(project=project, created_by_name=actor.name, **_new_pair(project))
            message = f"Made a deploy key for {project.slug} ({row.fingerprint})."
            record("deploy_key.made", actor=actor, project=project, message=message, fingerprint=row.fingerprint)
    except IntegrityError as error:
        raise Taken(f"The project {project.slug} has a deploy key already: rotate it, or remove it first.") from error
    hand_over(project)
    return row


def rotate_deploy_key(*, project: Project, actor: Actor) -> DeployKey:
    """Another pair in place of the present one, which is forgotten at once. Raises NotFound, Unready."""
    with transaction.atomic():
        old = DeployKey.objects.select_for_update().filter(project=project).first()
        if old is None:
            raise NotFound(f"The project {project.slug} has no deploy key to rotate; make one first.")
        old.delete()
        row = DeployKey.objects.create(project=project, created_by_name=actor.name, **_new_pair(project))
        message = f"Replaced the deploy key {old.fingerprint} by {row.fingerprint}: give its public half to the git server."
        record("deploy_key.rotated", actor=actor, project=project, message=message, fingerprint=row.fingerprint, replaced=old.fingerprint)
    hand_over(project)
    return row


def remove_deploy_key(*, project: Project, actor: Actor) -> None:
    """Take the key away, from a running container too. Raises NotFound, Unready."""
    with transaction.atomic():
        old = DeployKey.objects.select_for_update().filter(project=project).first()
        if old is None:
            raise NotFound(f"The project {project.slug} has no deploy key.")
        old.delete()
        message = f"Removed the deploy key {old.fingerprint} of {project.slug}: take its public half off the git server too."
        record("deploy_key.removed", actor=actor, project=project, message=message, fingerprint=old.fingerprint)
    hand_over(project)


def _new_pair(project: Project) -> dict[str, str]:
    """The row's three texts. The fingerprint is the SHA-256 of the public blob in base64 without padding, as OpenSSH has it."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    blob = base64.b64decode(public.split()[1])
    fingerprint = base64.b64encode(hashlib.sha256(blob).digest()).rstrip(b"=")
    return {
        "private_key": private.decode(),
        "public_key": f"{public.decode()} containerhub:{project.slug}",
        "fingerprint": f"SHA256:{fingerprint.decode()}",
    }
