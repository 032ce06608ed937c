"""Whether anything that a page shows may have changed: one small query, asked twice a second while somebody looks."""

from django.db.models import Count, Max, Subquery, Value

from projects.models import Event, Project, Sample


def version() -> tuple[object, ...]:
    """Differs from the last one after each event, each sweep's readings, and where an action began or goes on."""
    under_way = (
        Project.objects.exclude(pending_action="").order_by().values(one=Value(1)).annotate(rows=Count("pk"), latest=Max("claimed_at"))
    )
    newest_sample = Sample.objects.order_by("-id").values("id")[:1]
    found = (
        Event.objects.order_by("-id")
        .values_list("id")
        .annotate(
            sample=Subquery(newest_sample),
            actions=Subquery(under_way.values("rows")),
            latest_claim=Subquery(under_way.values("latest")),
        )
        .first()
    )
    return tuple(found or ())
