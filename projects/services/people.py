"""Accounts: made, switched off, and what they may beside their roles in projects. Doors ask `demand_administrator` first."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.models import Permission, User
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from projects.models import Invitation
from projects.services.errors import BadInput, NotFound, Taken
from projects.services.record import HUB, OUTSIDE, WATCHER, Actor, record

RESERVED_NAMES = frozenset(actor.name for actor in (HUB, OUTSIDE, WATCHER))  # the audit trail could not tell them apart
PASSWORD_LENGTH = 1000
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def list_users() -> QuerySet[Any]:
    """Every account by name, with `second_factor` and `creates_projects` beside Django's own fields."""
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    grants = User.user_permissions.through.objects.filter(user=OuterRef("pk"), permission__in=_creation())
    found = get_user_model().objects.annotate(second_factor=Exists(factors), creates_projects=Q(is_superuser=True) | Exists(grants))
    return found.order_by("username")


def find_user(username: str) -> User:
    """Active or not. Raises NotFound."""
    user = get_user_model().objects.filter(username=username).first() if "\0" not in username else None
    if user is None:
        raise NotFound("There is no user of that name; look at the list of users.")
    return user


def find_active_user(username: str) -> User:
    """Who can be made a member of something. Raises BadInput."""
    user = get_user_model().objects.filter(username=username, is_active=True).first() if "\0" not in username else None
    if user is None:
        raise BadInput("There is no active user of that name; ask an administrator to make the account.")
    return user


def create_user(
    *,
    actor: Actor,
    username: str,
    password: str | None = None,
    email: str = "",
    administrator: bool = False,
    staff: bool = False,
    may_create_projects: bool = False,
) -> User:
    """An active account; without a password it cannot sign in until it gets one. Administrators may enter the admin.

    Raises BadInput for a name, address or password that Django's validators refuse, Taken when the name is somebody's.
    """
    user = get_user_model()(
        username=checked_username(username), email=email.strip(), is_superuser=administrator, is_staff=staff or administrator
    )
    if password is not None:
        checked_password(password, user)
    user.set_password(password)
    try:
        user.full_clean(exclude=["password"], validate_unique=False)
        with transaction.atomic():
            user.save(force_insert=True)
            if may_create_projects:
                user.user_permissions.add(*_creation())
            message = f"The account {user.username} was made."
            record(
                "user.created",
                actor=actor,
                message=message,
                username=user.username,
                administrator=administrator,
                staff=user.is_staff,
                may_create_projects=may_create_projects,
            )
    except ValidationError as error:
        raise BadInput(_sentence(error)) from error
    except IntegrityError as error:
        raise _taken(user.username) from error
    return user


def set_active(*, user: User, active: bool, actor: Actor) -> None:
    """Off: sessions end, tokens open nothing, open invitations of his are revoked; every row stays. Quiet when so already.

    Raises BadInput for the last active administrator.
    """
    with transaction.atomic():
        current = _locked(user)
        if current.is_active == active:
            return
        if not active:
            _demand_another_administrator(current)
            _withdraw(current)
        _set(current, is_active=active)
        word = "activated" if active else "deactivated"
        record(f"user.{word}", actor=actor, message=f"The account {current.username} was {word}.", username=current.username)
    user.is_active = active


def change_user(
    *,
    user: User,
    actor: Actor,
    active: bool | None = None,
    administrator: bool | None = None,
    staff: bool | None = None,
    may_create_projects: bool | None = None,
    email: str | None = None,
    password: str | None = None,
) -> None:
    """What is given, all of it or nothing; None leaves it as it is. Raises BadInput."""
    with transaction.atomic():
        if active is not None:
            set_active(user=user, active=active, actor=actor)
        if administrator is not None:
            set_administrator(user=user, administrator=administrator, actor=actor)
        if staff is not None:
            set_staff(user=user, staff=staff, actor=actor)
        if may_create_projects is not None:
            grant_project_creation(user=user, granted=may_create_projects, actor=actor)
        if email is not None:
            set_email(user=user, email=email, actor=actor)
        if password is not None:
            set_password(user=user, password=password, actor=actor)


def deactivate_user(*, user: User, actor: Actor) -> None:
    set_active(user=user, active=False, actor=actor)


def set_administrator(*, user: User, administrator: bool, actor: Actor) -> None:
    """Administrators may do everything, the admin included; who is one no longer loses both. Quiet when so already.

    Raises BadInput for the last active administrator.
    """
    with transaction.atomic():
        current = _locked(user)
        if current.is_superuser == administrator:
            return
        if not administrator:
            _demand_another_administrator(current)
            _revoke_invitations(current)
        _set(current, is_superuser=administrator, is_staff=administrator)
        message = f"{current.username} is {'now' if administrator else 'no longer'} an administrator."
        record("user.administrator_set", actor=actor, message=message, username=current.username, administrator=administrator)
    user.is_superuser = user.is_staff = administrator


def set_staff(*, user: User, staff: bool, actor: Actor) -> None:
    """Who may enter the admin, and see there what his roles show. Raises BadInput: an administrator always may."""
    with transaction.atomic():
        current = _locked(user)
        if current.is_staff == staff:
            return
        if current.is_superuser:
            raise BadInput("An administrator may always enter the admin; take that right away first.")
        _set(current, is_staff=staff)
        message = f"{current.username} may {'now' if staff else 'no longer'} enter the admin."
        record("user.staff_set", actor=actor, message=message, username=current.username, staff=staff)
    user.is_staff = staff


def grant_project_creation(*, user: User, granted: bool = True, actor: Actor) -> None:
    """The right to make projects, given or taken back; administrators have it anyway. Quiet when so already."""
    with transaction.atomic():
        current = _locked(user)
        if current.user_permissions.filter(pk__in=_creation()).exists() == granted:
            return
        (current.user_permissions.add if granted else current.user_permissions.remove)(*_creation())
        message = f"{current.username} may {'now' if granted else 'no longer'} make projects."
        record("user.project_creation_set", actor=actor, message=message, username=current.username, granted=granted)


def set_email(*, user: User, email: str, actor: Actor) -> None:
    """Raises BadInput."""
    email = email.strip()
    with transaction.atomic():
        current = _locked(user)
        if current.email == email:
            return
        current.email = email
        try:
            current.full_clean(exclude=["password"], validate_unique=False)
        except ValidationError as error:
            raise BadInput(_sentence(error)) from error
        current.save(update_fields=["email"])
        record("user.email_set", actor=actor, message=f"The email address of {current.username} was changed.", username=current.username)
    user.email = email


def set_password(*, user: User, password: str, actor: Actor) -> None:
    """Every session of the account ends. Raises BadInput for a password that Django's validators refuse."""
    with transaction.atomic():
        current = _locked(user)
        checked_password(password, current)
        current.set_password(password)
        current.save(update_fields=["password"])
        _delete_sessions(current)
        record("user.password_set", actor=actor, message=f"A new password was set for {current.username}.", username=current.username)
    user.password = current.password


def remove_second_factor(*, user: User, actor: Actor) -> bool:
    """For somebody who lost it: TOTP, keys and recovery codes go, and sessions end. Answers whether there was one."""
    with transaction.atomic():
        current = _locked(user)
        gone, _ = Authenticator.objects.filter(user=current).delete()
        if gone:
            _delete_sessions(current)
            message = f"The second factor of {current.username} was removed."
            record("user.second_factor_removed", actor=actor, message=message, username=current.username)
    return bool(gone)


def end_sessions(*, user: User, actor: Actor) -> int:
    """Sign the account out everywhere; its API tokens stay. Answers how many sessions ended."""
    with transaction.atomic():
        ended = _delete_sessions(user)
        message = f"The sessions of {user.username} were ended ({ended})."
        record("user.sessions_ended", actor=actor, message=message, username=user.username, sessions=ended)
    return ended


def checked_username(username: str) -> str:
    """Normalised. Raises BadInput, or Taken for one that differs from another in case only."""
    users = get_user_model()
    name = users.normalize_username(username.strip())
    try:
        users._meta.get_field("username").run_validators(name)
    except ValidationError as error:
        raise BadInput(_sentence(error)) from error
    if not name or name.lower() in RESERVED_NAMES:
        raise BadInput("Choose another username; it must not be empty or the name of a part of the hub.")
    if users.objects.filter(username__iexact=name).exists():
        raise _taken(name)
    return name


def checked_password(password: str, user: User) -> None:
    """Raises BadInput with what Django's validators say."""
    if len(password) > PASSWORD_LENGTH:
        raise BadInput(f"A password has at most {PASSWORD_LENGTH} characters; choose a shorter one.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise BadInput(_sentence(error)) from error


def _creation() -> QuerySet[Permission]:
    return Permission.objects.filter(content_type__app_label="projects", codename="add_project")


def _locked(user: User) -> User:
    """The row as it stands, locked together with every administrator's, so that two cannot remove each other."""
    list(get_user_model().objects.select_for_update().filter(is_superuser=True).order_by("pk").values_list("pk"))
    current = get_user_model().objects.select_for_update().filter(pk=user.pk).first()
    if current is None:
        raise NotFound("That account is gone; look at the list of users.")
    return current


def _set(user: User, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))


def _demand_another_administrator(user: User) -> None:
    others = get_user_model().objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise BadInput("This is the last active administrator; make somebody else one first.")


def _withdraw(user: User) -> None:
    _delete_sessions(user)
    _revoke_invitations(user)


def _revoke_invitations(user: User) -> None:
    """An invitation is worth what its author may."""
    Invitation.objects.filter(invited_by=user, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())


def _delete_sessions(user: User) -> int:
    """Django's table does not say whose a session is; each must be opened."""
    live = Session.objects.filter(expire_date__gt=timezone.now())
    keys = [row.session_key for row in live.iterator() if row.get_decoded().get(SESSION_KEY) == str(user.pk)]
    return Session.objects.filter(session_key__in=keys).delete()[0]


def _taken(username: str) -> Taken:
    return Taken(f"The username {username} is taken, perhaps in other letters' case; choose another.")


def _sentence(error: ValidationError) -> str:
    return " ".join(str(message) for message in error.messages)
