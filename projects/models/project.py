"""A project: a workspace directory, what its container is made from, what is wanted and what was seen."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.states import Action, Health, RefreshMode, Status, Wanted

SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$"
AN_HOUR_TO_A_YEAR = [MinValueValidator(1), MaxValueValidator(24 * 366)]
PERCENT = [MinValueValidator(1), MaxValueValidator(100)]


def default_cpu_limit() -> float:
    return settings.CONTAINERHUB.container_cpu_limit


def default_memory_limit_mb() -> int:
    return settings.CONTAINERHUB.container_memory_limit_bytes // 1024**2


def default_pids_limit() -> int:
    return settings.CONTAINERHUB.container_pids_limit


class Project(models.Model):
    """One row per project. `status` and `health` are what was last observed, at `status_at` and `health_at`."""

    slug = models.CharField(max_length=50, unique=True, editable=False, validators=[RegexValidator(SLUG_PATTERN)])
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=1000, unique=True, help_text="The workspace: an absolute path below a workspace root.")
    image = models.CharField(max_length=255, blank=True, help_text="Empty: the base image.")
    cpu_limit = models.FloatField(
        default=default_cpu_limit, validators=[MinValueValidator(0.01), MaxValueValidator(1024)], help_text="Cores."
    )
    memory_limit_mb = models.PositiveIntegerField(default=default_memory_limit_mb, validators=[MinValueValidator(6)])
    pids_limit = models.PositiveIntegerField(default=default_pids_limit, validators=[MinValueValidator(16)])
    environment = models.JSONField(default=dict, blank=True, help_text="Plain variables; anyone who can inspect the container reads them.")
    uses_host_credentials = models.BooleanField(
        default=False,
        help_text="Lends the host's git and Claude credentials: everyone with a terminal in this project can read them.",
    )
    pinned = models.BooleanField(default=False, help_text="Never refreshed by itself.")
    refresh_mode = models.CharField(
        max_length=8, choices=[(m, m) for m in RefreshMode], blank=True, help_text="act, suggest or off. Empty: the hub's own."
    )
    refresh_age_hours = models.FloatField(null=True, blank=True, validators=AN_HOUR_TO_A_YEAR, help_text="Empty: the hub's own.")
    refresh_memory_percent = models.FloatField(null=True, blank=True, validators=PERCENT, help_text="Empty: the hub's own.")
    refresh_disk_percent = models.FloatField(
        null=True, blank=True, validators=PERCENT, help_text="Of the Engine's disk. Empty: the hub's own."
    )
    refresh_quiet_hours = models.CharField(
        max_length=11,
        blank=True,
        help_text="UTC, as 22:00-06:00: refreshes for age, memory and disk are done then only. Empty: at any time.",
    )
    refresh_hard_limit_hours = models.FloatField(
        null=True,
        blank=True,
        validators=AN_HOUR_TO_A_YEAR,
        help_text="So long after it fell due it is refreshed although busy. Empty: never.",
    )

    wanted = models.CharField(max_length=10, choices=[(w, w) for w in Wanted], default=Wanted.NONE)
    status = models.CharField(max_length=12, choices=[(s, s) for s in Status], default=Status.NONE)
    status_at = models.DateTimeField(default=timezone.now)
    health = models.CharField(max_length=10, choices=[(h, h) for h in Health], default=Health.NONE)
    health_at = models.DateTimeField(default=timezone.now)
    docker_id = models.CharField(max_length=64, blank=True, help_text="The container now under the project's name.")
    generation = models.PositiveIntegerField(default=0, help_text="Counts the containers made for this project.")

    pending_action = models.CharField(max_length=8, choices=[(a, a) for a in Action], default=Action.NOTHING, blank=True)
    claim_token = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    last_error_kind = models.CharField(max_length=40, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=SLUG_PATTERN), name="project_slug_form"),
            models.CheckConstraint(condition=Q(path__startswith="/") & ~Q(path="/"), name="project_path_absolute"),
            models.CheckConstraint(condition=~Q(name=""), name="project_name_given"),
            models.CheckConstraint(condition=Q(cpu_limit__gt=0), name="project_cpu_positive"),
            models.CheckConstraint(condition=Q(memory_limit_mb__gte=6), name="project_memory_least"),
            models.CheckConstraint(condition=Q(pids_limit__gte=16), name="project_pids_least"),
            models.CheckConstraint(condition=Q(wanted__in=list(Wanted)), name="project_wanted_known"),
            models.CheckConstraint(condition=Q(status__in=list(Status)), name="project_status_known"),
            models.CheckConstraint(condition=Q(health__in=list(Health)), name="project_health_known"),
            models.CheckConstraint(condition=Q(pending_action__in=list(Action)), name="project_action_known"),
            models.CheckConstraint(condition=Q(refresh_mode__in=["", *RefreshMode]), name="project_refresh_mode_known"),
            models.CheckConstraint(
                condition=Q(pending_action="", claim_token="") | (~Q(pending_action="") & ~Q(claim_token="")),
                name="project_claim_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.slug
