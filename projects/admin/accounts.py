"""Accounts and invitations, for administrators. Every change goes through its service, so that it is recorded."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from projects.access import is_administrator
from projects.admin.base import REFUSALS, ServiceAdmin
from projects.models import Invitation, Project
from projects.services import people
from projects.services.errors import BadInput
from projects.services.invitations import invite, link_of, list_invitations, revoke_invitation
from projects.services.record import Actor
from projects.states import Role

# Django's and allauth's own pages write past the services; that of second factors also shows their secrets.
for model in (User, Group, EmailAddress, Authenticator):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class ForAdministrators(ServiceAdmin):
    """Nobody else sees it; nothing is deleted."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_administrator(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_administrator(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    may_create_projects = forms.BooleanField(required=False, help_text="Administrators may anyway.")
    new_password = forms.CharField(
        required=False,
        strip=False,
        max_length=people.PASSWORD_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Empty: it stays as it is. An invitation is the better way: then only its owner knows the password.",
    )

    class Meta:
        model = User
        fields = ("username", "email", "is_active", "is_staff", "is_superuser")
        labels = {"is_staff": "May enter the admin", "is_superuser": "Administrator"}
        help_texts = {
            "is_active": "Off: nobody signs in with it, its sessions end and its tokens open nothing. All rows stay.",
            "is_staff": "Administrators always may.",
            "is_superuser": "May do everything.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["may_create_projects"].initial = getattr(self.instance, "creates_projects", False)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        try:
            if found.get("new_password"):
                people.checked_password(found["new_password"], self.instance)
        except BadInput as error:
            self.add_error("new_password", str(error))
        return found


@admin.register(User)
class UserAdmin(ForAdministrators):
    form = UserForm
    list_display = ("username", "email", "is_active", "administrator", "is_staff", "creates_projects", "second_factor", "last_login")
    list_filter = ("is_active", "is_superuser", "is_staff")
    search_fields = ("username", "email")
    change_list_template = "admin/auth/user/people.html"
    actions = ("deactivate", "activate", "end_sessions", "remove_second_factor")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return people.list_users()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        rights = ("is_staff", "is_superuser", "may_create_projects", "new_password")
        return ("username", "email", "is_active", *rights, "second_factor", "last_login") if obj else ("username", "email", *rights)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("username", "second_factor", "last_login") if obj else ()

    @admin.display(boolean=True, ordering="is_superuser")
    def administrator(self, user: User) -> bool:
        return user.is_superuser

    @admin.display(boolean=True, description="makes projects")
    def creates_projects(self, user: Any) -> bool:
        return bool(user.creates_projects)

    @admin.display(boolean=True)
    def second_factor(self, user: Any) -> bool:
        return bool(user.second_factor)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given, actor = form.cleaned_data, _actor(request)
        rights = {"administrator": given["is_superuser"], "staff": given["is_staff"] or given["is_superuser"]}
        # An administrator's own grant is left alone: the box shows what he may anyway.
        creates = None if change and given["is_superuser"] else given["may_create_projects"]
        if not change:
            password = given["new_password"] or None
            user = people.create_user(
                actor=actor, username=obj.username, email=obj.email, password=password, may_create_projects=bool(creates), **rights
            )
            obj.__dict__.update(user.__dict__)
            return
        people.change_user(
            user=obj,
            actor=actor,
            active=given["is_active"],
            email=given["email"],
            password=given["new_password"] or None,
            may_create_projects=creates,
            **rights,
        )

    @admin.action(description="Deactivate the selected accounts")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda user: people.deactivate_user(user=user, actor=_actor(request)), "is deactivated")

    @admin.action(description="Activate the selected accounts")
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda user: people.set_active(user=user, active=True, actor=_actor(request)), "is active")

    @admin.action(description="Sign the selected accounts out everywhere")
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda user: people.end_sessions(user=user, actor=_actor(request)), "is signed out everywhere")

    @admin.action(description="Remove the second factor of the selected accounts")
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> TemplateResponse | None:
        if "confirmed" not in request.POST:
            context = {**self.admin_site.each_context(request), "title": "Remove second factors", "users": queryset, "opts": self.opts}
            return TemplateResponse(request, "admin/projects/remove_second_factor.html", context)
        work = lambda user: people.remove_second_factor(user=user, actor=_actor(request))  # noqa: E731
        self._each(request, queryset, work, "has no second factor any more")
        return None

    def _each(self, request: HttpRequest, users: QuerySet[User], work: Any, result: str) -> None:
        for user in users:
            try:
                work(user)
            except REFUSALS as error:
                self.message_user(request, f"{user.username}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{user.username} {result}.")


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    in_projects = forms.ModelMultipleChoiceField(Project.objects.order_by("slug"), required=False)
    role = forms.ChoiceField(choices=[(role, role) for role in Role], initial=Role.VIEWER, help_text="In these projects.")

    class Meta:
        model = Invitation
        fields = ("username", "email", "is_administrator", "is_staff", "may_create_projects")


@admin.register(Invitation)
class InvitationAdmin(ForAdministrators):
    form = InvitationForm
    list_display = ("id", "state", "username", "email", "is_administrator", "invited_by_name", "created_at", "expires_at", "accepted_by")
    readonly_fields = ("state", "shown_roles")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return list_invitations()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        asked = ("username", "email", "is_administrator", "is_staff", "may_create_projects")
        if obj is None:
            return (*asked, "in_projects", "role")
        return ("state", *asked, "shown_roles", "invited_by_name", "created_at", "expires_at", "accepted_at", "accepted_by", "revoked_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="roles")
    def shown_roles(self, row: Invitation) -> str:
        return ", ".join(str(one) for one in row.roles.all()) or "none"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        row, key = invite(
            actor=_actor(request),
            username=given["username"],
            email=given["email"],
            administrator=given["is_administrator"],
            staff=given["is_staff"],
            may_create_projects=given["may_create_projects"],
            roles=dict.fromkeys(given["in_projects"], given["role"]),
        )
        obj.__dict__.update(row.__dict__)
        self.message_user(request, f"Send this link, shown this once only, to your guest: {link_of(key)}", messages.WARNING)

    @admin.action(description="Revoke the selected invitations")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        for row in queryset:
            revoke_invitation(invitation=row, actor=_actor(request))
            self.message_user(request, f"The {row} opens nothing any more.")


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.of(user)
