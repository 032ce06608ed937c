"""A run's output: all of it to keep, and its end as the console's script reads it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from projects.models import CommandRun
from projects.services import runs, spool
from projects.states import Stream
from projects.views.lookup import project_or_404, run_or_404
from projects.views.streams import off_the_loop

OFFSET, TRUNCATED, STATE = "X-ContainerHub-Next-Offset", "X-ContainerHub-Truncated", "X-ContainerHub-State"


@login_required
@require_safe
def output(request: HttpRequest, slug: str, run_id: UUID) -> StreamingHttpResponse:
    """A text file of both streams as they came, or of the one in `stream`: its bytes, never shown as a page."""
    run = _kept(request, slug, run_id)
    wanted = request.GET.get("stream", "").upper()
    only = Stream[wanted] if wanted in Stream.__members__ else None
    name = f"{run.project.slug}-{run.id.hex[:8]}{'.' + only.name.lower() if only else ''}.txt"
    response = StreamingHttpResponse(off_the_loop(runs.payload(run, only)), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_safe
def tail(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """The end of it in the spool's frame format; the headers say whether there was more, and from which offset to follow on."""
    run = _kept(request, slug, run_id)
    last = spool.ending(run, runs.SHOWN_BYTES)
    return HttpResponse(
        b"".join(spool.HEADER.pack(stream, len(data)) + data for stream, data in last.chunks),
        content_type="application/octet-stream",
        headers={OFFSET: str(last.offset), TRUNCATED: str(int(last.truncated)), STATE: run.state, "Cache-Control": "no-store"},
    )


def _kept(request: HttpRequest, slug: str, run_id: UUID) -> CommandRun:
    run = run_or_404(project_or_404(request.user, slug), run_id)
    if run.output_removed_at is not None:
        raise Http404("The output of this command was removed when it grew old; run the command again.")
    return run
