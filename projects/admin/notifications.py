"""Channels: made, tried and removed by owners and administrators. Deliveries: only to read. No url or secret is shown again."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from projects.access import configurable_channels, configurable_projects, is_administrator
from projects.admin.base import REFUSALS, ReadOnlyAdmin, ServiceAdmin
from projects.models import Channel, Delivery
from projects.services.errors import BadInput
from projects.services.notifications import make_channel, remove_channel, try_channel
from projects.services.notifications.channels import checked_name, checked_target, checked_topics
from projects.services.record import Actor
from projects.states import ChannelKind, DeliveryState, Topic


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """`trusted` is whether an administrator fills it in."""

    trusted = False
    target = forms.CharField(max_length=2000, help_text="A mail address, or the webhook's url. Of a url only the host is shown again.")
    wants = forms.MultipleChoiceField(
        required=False,
        choices=[(topic, topic) for topic in Topic],
        widget=forms.CheckboxSelectMultiple,
        help_text="None: all that it may hear of. The Engine is told of by the hub's own channels.",
    )

    class Meta:
        model = Channel
        fields = ("project", "name", "kind", "target", "wants")
        help_texts = {"project": "None: the hub's own channel, which hears of every project."}

    def clean(self) -> dict[str, Any]:
        found = {**(super().clean() or {}), **self.cleaned_data}
        try:
            if "name" in found:
                found["name"] = checked_name(found["name"])
            topics = tuple(Topic(word) for word in found.get("wants", ()))
            found["wants"] = list(checked_topics(topics, of_a_project=found.get("project") is not None))
            if found.get("kind") and "target" in found:
                checked_target(ChannelKind(found["kind"]), found["target"], any_address=self.trusted)
        except BadInput as error:
            raise forms.ValidationError(str(error)) from error
        return found


@admin.register(Channel)
class ChannelAdmin(ServiceAdmin):
    list_display = ("name", "project", "kind", "address", "topics", "created_at", "created_by_name")
    list_filter = ("kind",)
    search_fields = ("name", "project__slug")
    form = ChannelForm
    actions = ("send_test",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return configurable_channels(request.user)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("project", "name", "kind", "address", "topics", "any_address", "created_at", "created_by_name")
        return shown if obj else ("project", "name", "kind", "target", "wants")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.trusted = is_administrator(request.user)
        if "project" in made.base_fields:
            made.base_fields["project"].required = not made.trusted
        return made

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            kwargs["queryset"] = configurable_projects(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user) or configurable_projects(request.user).exists()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        what = {"name": obj.name, "kind": ChannelKind(obj.kind), "target": obj.target, "wants": [Topic(word) for word in obj.wants]}
        row, secret = make_channel(project=obj.project, actor=Actor.of(user), **what)
        obj.__dict__.update(row.__dict__)
        if secret:
            self.message_user(request, f"Keep the secret that signs now, it is not shown again: {secret}", messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        remove_channel(channel=obj, actor=Actor.of(user))

    @admin.action(description="Send a test to the selected channels")
    def send_test(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        user: Any = request.user
        for channel in queryset:
            try:
                row = try_channel(channel=channel, actor=Actor.of(user))
            except REFUSALS as error:
                self.message_user(request, f"{channel}: {error}", messages.ERROR)
                continue
            if row.state == DeliveryState.DELIVERED:
                self.message_user(request, f"{channel}: delivered ({row.response_code}).")
            else:
                self.message_user(request, f"{channel}: {row.error}", messages.ERROR)

    @admin.display(description="wants")
    def topics(self, row: Channel) -> str:
        return ", ".join(row.wants)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "channel", "event_kind", "project_slug", "state", "response_code", "attempts", "next_at", "error")
    list_filter = ("state", "event_kind")
    list_select_related = ("channel",)
    search_fields = ("project_slug", "message", "channel__name")
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(channel__in=configurable_channels(request.user))
