"""A project's settings: owners change them, others see them with the reason why they may not."""

from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from projects.access import Permission, is_administrator
from projects.models import DeployKey, Membership, Project
from projects.services.action_words import LENDING
from projects.services.catalog import MEMORY_LIMIT_MB, NAME_LENGTH, PIDS_LIMIT, update_project
from projects.services.errors import HubError
from projects.services.git_credentials import list_git_credentials
from projects.services.notifications import mail
from projects.services.overview import known_container
from projects.services.project_secrets import VALUE_MOST_CHARACTERS, list_secrets
from projects.services.record import Actor
from projects.states import RefreshMode, Role
from projects.views.lookup import project_to
from projects.views.project_channels import NEW_SECRET, WORDS, channels_of
from projects.views.project_page import only_head, page, shown_project, why_not
from projects.views.shown_once import taken

AT_A_REFRESH = frozenset({"image", "cpu_limit", "memory_limit_mb", "pids_limit", "environment"})
HOURS: dict[str, Any] = {"min_value": 1, "max_value": 24 * 366, "required": False}
PERCENT: dict[str, Any] = {"min_value": 1, "max_value": 100, "required": False}
ENVIRONMENT_LENGTH = 200_000


class SettingsForm(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH)
    image = forms.CharField(max_length=255, required=False, help_text="Empty: the base image.")
    cpu_limit = forms.FloatField(label="CPU limit (cores)", min_value=0.01, max_value=1024)
    memory_limit_mb = forms.IntegerField(label="Memory limit (MB)", min_value=6, max_value=MEMORY_LIMIT_MB)
    pids_limit = forms.IntegerField(label="Process limit", min_value=16, max_value=PIDS_LIMIT)
    environment = forms.CharField(
        label="Variables",
        required=False,
        max_length=ENVIRONMENT_LENGTH,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="NAME=value, one on each line. Everyone who can inspect the container reads them; secrets have their own place below.",
    )
    pinned = forms.BooleanField(required=False, help_text="Never refreshed by the hub itself.")
    refresh_mode = forms.ChoiceField(label="Automatic refresh", required=False)
    refresh_age_hours = forms.FloatField(label="Refresh after (hours)", **HOURS)
    refresh_memory_percent = forms.FloatField(label="Refresh at memory (%)", **PERCENT)
    refresh_disk_percent = forms.FloatField(label="Refresh at Engine's disk (%)", **PERCENT)
    refresh_quiet_hours = forms.CharField(
        label="Quiet hours (UTC)",
        max_length=11,
        required=False,
        help_text="As 22:00-06:00: refreshes for age, memory and disk are done then only. Empty: at any time.",
    )
    refresh_hard_limit_hours = forms.FloatField(
        label="Although busy after (hours)", help_text="So long after it fell due. Empty: never while it is busy.", **HOURS
    )
    uses_host_credentials = forms.BooleanField(label="Lend the host's credentials", required=False, help_text=LENDING)

    def __init__(self, project: Project, user: Any, *args: Any, refused: str = "", **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(project, name) for name in self.base_fields} | {
            "environment": "\n".join(f"{name}={value}" for name, value in project.environment.items()),
            "cpu_limit": f"{project.cpu_limit:g}",
        }
        super().__init__(*args, **kwargs)
        self.project, self.lends = project, is_administrator(user)
        hub = django_settings.CONTAINERHUB
        mode: Any = self.fields["refresh_mode"]
        mode.choices = [("", f"the hub's own: {hub.refresh_mode}"), *((str(value), str(value)) for value in RefreshMode)]
        for name in ("refresh_age_hours", "refresh_memory_percent", "refresh_disk_percent"):
            self.fields[name].help_text = f"Empty: the hub's own, {getattr(hub, name):g}."
        for name, field in self.fields.items():
            # The browser shows it so; what is sent nevertheless is refused by the service.
            if refused or (name == "uses_host_credentials" and not self.lends):
                field.widget.attrs["disabled"] = True

    def clean_environment(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in self.cleaned_data["environment"].replace("\r\n", "\n").split("\n"):
            name, equals, value = line.partition("=")
            if not line.strip():
                continue
            if not equals:
                raise forms.ValidationError("Write each variable on a line of its own as NAME=value.")
            found[name.strip()] = value
        return found

    def changes(self) -> dict[str, Any]:
        """What to hand to the catalog. A switch that the browser could not send is not meant to be switched off."""
        wished = dict(self.cleaned_data)
        if not self.lends and not wished["uses_host_credentials"]:
            del wished["uses_host_credentials"]
        return wished


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def project_settings(request: HttpRequest, slug: str) -> HttpResponse:
    user: Any = request.user
    if request.method != "POST":
        return _page(request, shown_project(user, slug), None)
    project = project_to(user, Permission.CONFIGURE, slug)
    form = SettingsForm(project, user, request.POST)
    if form.is_valid():
        try:
            changed = _changed(project, update_project(project=project, actor=Actor.of(user), **form.changes()))
        except HubError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _told(changed))
            return HttpResponseRedirect(reverse("project-settings", args=[slug]))
    return _page(request, shown_project(user, slug), form, status=400)


only_head("project-settings")


def _page(request: HttpRequest, project: Any, form: SettingsForm | None, status: int = 200) -> HttpResponse:
    refused = why_not(request.user, Permission.CONFIGURE, project)
    context = {
        "form": form or SettingsForm(project, request.user, refused=refused),
        "refused": refused,
        "stale": _stale(project),
        "members": Membership.objects.filter(project=project).select_related("user").order_by("user__username"),
        "roles": list(Role),
        "secrets": list_secrets(project=project),
        "secret_length": VALUE_MOST_CHARACTERS,
        "git_credentials": list_git_credentials(project=project),
        "deploy_key": DeployKey.objects.filter(project=project).defer("private_key").first(),
        **_told_of(request, project, refused),
        "operates": not why_not(request.user, Permission.OPERATE, project),
    }
    return page(request, "settings", "Settings", project, context, status)


def _told_of(request: HttpRequest, project: Project, refused: str) -> dict[str, Any]:
    """The channels; who may not change them sees none."""
    if refused:
        return {"channels": []}
    channels, made = list(channels_of(project)), taken(request, NEW_SECRET)
    new = next((channel for channel in channels if made and channel.pk == made.pk), None)
    return {
        "channels": channels,
        "topics": WORDS,
        "mail_is_set_up": mail.is_set_up(),
        "new_channel": {"channel": new, "secret": made.secret} if made and new else None,
    }


def _changed(before: Project, after: Project) -> set[str]:
    return {name for name in SettingsForm.base_fields if getattr(before, name) != getattr(after, name)}


def _told(changed: set[str]) -> str:
    if not changed:
        return "Nothing was changed."
    return "Saved. The container takes image, limits and variables over at its next refresh." if changed & AT_A_REFRESH else "Saved."


def _stale(project: Project) -> list[str]:
    """What the present container was made with otherwise, so that only a refresh brings it."""
    row = known_container(project=project).container
    if row is None:
        return []
    asked = {"CPU limit": (row.cpu_limit, project.cpu_limit), "memory limit": (row.memory_limit_mb, project.memory_limit_mb)}
    asked["process limit"] = (row.pids_limit, project.pids_limit)
    return [name for name, (now, wanted) in asked.items() if now is not None and now != wanted]
