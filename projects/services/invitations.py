"""Invitations: made by administrators (the key is shown once), accepted once, revoked."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from projects.models import Invitation, InvitedRole, Project
from projects.services.catalog import set_member
from projects.services.errors import BadInput, NotFound, Spent
from projects.services.people import checked_username, create_user
from projects.services.record import Actor, record
from projects.states import Role

LINK = "/accounts/invitation/{key}/"
_KEY_LENGTH = 100
_UNKNOWN = "There is no such invitation; check that the link is whole, or ask an administrator for a new one."


def list_invitations() -> QuerySet[Invitation]:
    """Newest first, ended ones too."""
    return Invitation.objects.prefetch_related("roles__project").select_related("accepted_by")


def link_of(key: str) -> str:
    """The address to send to the guest."""
    return f"{settings.CONTAINERHUB.url}{LINK.format(key=key)}"


def invite(
    *,
    actor: Actor,
    username: str = "",
    email: str = "",
    administrator: bool = False,
    staff: bool = False,
    may_create_projects: bool = False,
    roles: Mapping[Project, str] | None = None,
) -> tuple[Invitation, str]:
    """The invitation and its key, which nobody can show again. It ends after CONTAINERHUB_INVITATION_DAYS.

    `username` is a proposal, `roles` what the guest becomes in which project. Raises BadInput, Taken.
    """
    roles = roles or {}
    email = _checked_email(email)
    username = checked_username(username) if username.strip() else ""
    if any(role not in list(Role) for role in roles.values()):
        raise BadInput("There is no such role; choose viewer, operator or owner.")
    now = timezone.now()
    invitation, key = Invitation.unsaved(
        username=username,
        email=email,
        is_administrator=administrator,
        is_staff=staff or administrator,
        may_create_projects=may_create_projects,
        invited_by=actor.user,
        invited_by_name=actor.name,
        created_at=now,
        expires_at=now + timedelta(days=settings.CONTAINERHUB.invitation_days),
    )
    with transaction.atomic():
        invitation.save(force_insert=True)
        InvitedRole.objects.bulk_create(InvitedRole(invitation=invitation, project=project, role=role) for project, role in roles.items())
        shown = {project.slug: str(role) for project, role in roles.items()}
        message = f"{actor.name} made {invitation}."
        record("invitation.created", actor=actor, message=message, invitation=invitation.pk, administrator=administrator, roles=shown)
    return invitation, key


def open_invitation(key: str) -> Invitation:
    """The invitation that this key still opens. Raises NotFound, or Spent when it was good once."""
    known = key.isascii() and len(key) <= _KEY_LENGTH
    row = list_invitations().filter(digest=Invitation.digest_of(key)).first() if known else None
    if row is None:
        raise NotFound(_UNKNOWN)
    if row.state == "accepted":
        raise Spent("This invitation was used already; sign in with the account that it made.")
    if row.state != "open":
        raise Spent(f"This invitation is {row.state}; ask an administrator for a new one.")
    return row


def accept_invitation(*, key: str, username: str, password: str) -> User:
    """The account, with the roles of the invitation, which opens nothing more. Raises NotFound, Spent, BadInput, Taken.

    A refused name or password leaves the invitation as good as it was.
    """
    invitation = open_invitation(key)
    with transaction.atomic():
        now = timezone.now()
        mine = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=now)
        if not mine.update(accepted_at=now):  # somebody was faster
            raise Spent("This invitation was used or revoked at this very moment; ask an administrator for a new one.")
        host = Actor(name=invitation.invited_by_name, user=invitation.invited_by)
        user = create_user(
            actor=host,
            username=username,
            password=password,
            email=invitation.email,
            administrator=invitation.is_administrator,
            staff=invitation.is_staff,
            may_create_projects=invitation.may_create_projects,
        )
        Invitation.objects.filter(pk=invitation.pk).update(accepted_by=user)
        for row in invitation.roles.all():
            set_member(project=row.project, user=user, role=row.role, actor=host)
        message = f"{user.username} accepted {invitation}."
        record("invitation.accepted", actor=Actor.of(user), message=message, invitation=invitation.pk, username=user.username)
    return user


def revoke_invitation(*, invitation: Invitation, actor: Actor) -> None:
    """It opens nothing any more; quiet when it has ended already."""
    with transaction.atomic():
        if Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now()):
            record("invitation.revoked", actor=actor, message=f"The {invitation} was revoked.", invitation=invitation.pk)


def _checked_email(email: str) -> str:
    email = email.strip()
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise BadInput("That is no email address; correct it, or leave it out.") from error
    return email
