"""What is only read: containers, runs with their output, events, batches, builds, and django-q2's own pages."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django_q.models import Failure, OrmQ, Schedule, Success

from projects.admin.output import plain
from projects.models import Batch, CommandRun, Container, Event, Heartbeat, ImageBuild, Project
from projects.services import heartbeats, spool
from projects.services.batches import start_batch
from projects.services.lifecycle import ensure_container
from projects.services.record import HUB, Actor, record
from projects.services.run_output import payload
from projects.states import BatchAction, BuildState, RunState, Stream
from tests.admin.doors import act, enter, place

BACKGROUND = (Schedule, Success, Failure, OrmQ)


@pytest.fixture
def run(staff):
    """One that printed what a terminal would obey and a browser would draw."""
    run = CommandRun.objects.create(
        project=staff.project, command="<b>evil</b>", timeout_seconds=1, state=RunState.FINISHED, finished_at=staff.project.created_at
    )
    with spool.Spool(run.id) as file:
        file.write(Stream.STDOUT, b"\x1b[31m<script>alert(1)</script>\x1b[0m\r\n")
        file.write(Stream.STDERR, b"\x1b]0;title\x07warn\xff\n")
        file.write(Stream.STDOUT, b"second\n")
    return run


def test_output_is_text_without_html_and_without_escapes(staff, run):
    text = enter(staff, "viewer").get(place(CommandRun, "change", run.pk)).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nsecond\n</pre>" in text
    assert "<script>alert" not in text
    assert "&lt;b&gt;evil" in text
    assert "\x1b" not in text
    assert "warn\ufffd" in text
    assert "title" not in text.split("End of stderr")[1].split("</pre>")[0]


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"a\x1b[1;31mb\x1b[0mc", "abc"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"10%\r20%\r\n", "10%\n20%\n"),
        (b"\x1b(Bok\x1b=", "ok"),
        (b"bell\x07", "bell\u2407"),
        ("a\u202eb".encode(), "a\ufffdb"),
        (b"\x1b]never ended", ""),
        (b"tab\tend\n", "tab\tend\n"),
        (b"\x1b", "\u241b"),
    ],
)
def test_what_a_terminal_would_obey_is_left_out_or_marked(printed, shown):
    assert plain(printed) == shown


@pytest.mark.parametrize(
    ("name", "printed"), [("stdout", b"\x1b[31m<script>alert(1)</script>\x1b[0m\r\nsecond\n"), ("stderr", b"\x1b]0;title\x07warn\xff\n")]
)
def test_the_whole_output_is_a_download_byte_for_byte(staff, run, name, printed):
    url = place(CommandRun, "output", run.pk, name)
    answer: Any = enter(staff, "viewer").get(url)
    assert b"".join(answer.streaming_content) == printed
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert enter(staff, "stranger").get(url).status_code == 404
    assert enter(staff, "viewer").post(url).status_code == 405
    assert enter(staff, "viewer").get(place(CommandRun, "output", run.pk, "all2")).status_code == 404


def test_a_download_to_non_staff_leads_to_the_door(cast):
    run = CommandRun.objects.create(project=cast.project, command="x", timeout_seconds=1)
    assert enter(cast, "owner").get(place(CommandRun, "output", run.pk, "all")).status_code == 302


def test_large_frames_come_in_pieces_and_half_a_frame_as_far_as_it_goes(staff, run):
    with spool.path_of(run.id).open("ab") as file:
        file.write(spool.HEADER.pack(Stream.STDOUT, 600_000) + b"x" * 600_000)
        file.write(spool.HEADER.pack(Stream.STDOUT, 100) + b"half")
    pieces = list(payload(run, Stream.STDOUT))
    assert b"".join(pieces).endswith(b"x" * 600_000 + b"half")
    assert max(map(len, pieces)) <= 256 * 1024


# -- from one to the other ------------------------------------------------------------------


def test_project_container_run_and_event_lead_to_each_other(staff, engine):
    client = enter(staff, "administrator")
    ensure_container(project=staff.project, actor=HUB)
    act(client, BatchAction.RUN_COMMAND, staff.project)
    project, container = Project.objects.get(), Container.objects.get()
    run, event = CommandRun.objects.get(), Event.objects.filter(kind="run.started").get()
    ways = [
        (
            place(Project, "change", project.pk),
            [place(Container, "change", container.pk), f"{place(Container)}?project__id__exact={project.pk}"],
        ),
        (
            place(Project, "change", project.pk),
            [f"{place(CommandRun)}?project__id__exact={project.pk}", f"{place(Event)}?project_slug__exact=web"],
        ),
        (place(Container, "change", container.pk), [place(Project, "change", project.pk), f"{place(CommandRun)}?container__id__exact="]),
        (place(CommandRun, "change", run.pk), [place(Project, "change", project.pk), place(Container, "change", container.pk)]),
        (place(Event, "change", event.pk), [place(Project, "change", project.pk), place(CommandRun, "change", run.pk)]),
        (place(Event), [place(Project, "change", project.pk)]),
    ]
    for start, ends in ways:
        text = client.get(start).content.decode().replace("&amp;", "&")
        for end in ends:
            assert end in text, (start, end)
            assert client.get(end if "=" not in end or end[-1] != "=" else f"{end}{container.pk}").status_code == 200


def test_an_event_leads_nowhere_that_its_reader_may_not_go(staff):
    elsewhere = Project.objects.create(slug="zoo", name="zoo", path="/srv/zoo")
    run = CommandRun.objects.create(project=elsewhere, command="x", timeout_seconds=1)
    event = record("run.started", actor=HUB, project=staff.project, message="x", run=str(run.pk))
    assert str(run.pk) not in enter(staff, "viewer").get(place(Event, "change", event.pk)).content.decode().split("Details")[0]


# -- batches --------------------------------------------------------------------------------


def test_a_batch_is_seen_by_its_actor_and_administrators(staff, fake_engine):
    batch = start_batch(projects=[staff.project], action=BatchAction.ENSURE, actor=Actor.of(staff.users["operator"]))
    page = f"/admin/projects/batch/{batch.pk}/"
    for name, status in (("operator", 200), ("administrator", 200), ("owner", 404), ("viewer", 404)):
        client = enter(staff, name)
        assert client.get(page).status_code == status
        assert client.get(place(Batch)).context["cl"].result_count == (1 if status == 200 else 0)
    assert enter(staff, "operator").get(f"{page}change/").status_code == 302
    for nowhere in ("9999", "9" * 30):
        assert enter(staff, "operator").get(f"/admin/projects/batch/{nowhere}/").status_code == 404


def test_a_batch_that_goes_on_is_followed_with_and_without_script_and_says_when_the_worker_is_dead(staff, fake_engine):
    batch = start_batch(projects=[staff.project], action=BatchAction.ENSURE, actor=Actor.of(staff.users["operator"]))
    client, page = enter(staff, "operator"), f"/admin/projects/batch/{batch.pk}/"
    text = client.get(page).content.decode()
    assert '<noscript><meta http-equiv="refresh"' in text
    assert "data-follow" in text
    assert "no sign of life" in text
    heartbeats.started("worker")
    heartbeats.beat("worker")
    assert Heartbeat.objects.exists()
    assert "no sign of life" not in client.get(page).content.decode()
    batch.items.update(state="failed", finished_at=batch.created_at, message="<i>No.</i>")
    Batch.objects.update(finished_at=batch.created_at)
    text = client.get(page).content.decode()
    assert "http-equiv" not in text
    assert "data-follow" not in text
    assert "&lt;i&gt;No.&lt;/i&gt;" in text


def test_a_build_that_goes_on_is_followed(staff):
    build = ImageBuild.objects.create(tag="x", actor_name="x", state=BuildState.RUNNING, step=2, steps=9)
    text = enter(staff, "administrator").get(place(ImageBuild, "change", build.pk)).content.decode()
    assert "data-follow" in text
    assert "2 of 9" in text


# -- django-q2 ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", BACKGROUND, ids=lambda model: model.__name__)
def test_background_work_is_for_administrators_whatever_else_is_granted(staff, model):
    staff.users["owner"].user_permissions.set(Permission.objects.filter(content_type__app_label="django_q"))
    url = f"/admin/django_q/{model._meta.model_name}/"
    assert enter(staff, "administrator").get(url).status_code == 200
    assert enter(staff, "owner").get(url).status_code == 403
    assert "django_q" not in enter(staff, "owner").get("/admin/").content.decode()


def test_a_schedule_shows_its_page(staff):
    heartbeats.worker_started()
    schedule = Schedule.objects.get()
    assert enter(staff, "administrator").get(f"/admin/django_q/schedule/{schedule.pk}/change/").status_code == 200
    assert enter(staff, "administrator").get(f"/admin/django_q/ormq/{OrmQ.objects.get().pk}/change/").status_code == 200


# -- credentials ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "can"), [("administrator", True), ("owner", False)])
def test_what_lending_means_stands_beside_the_switch(staff, name, can):
    text = enter(staff, name).get(place(Project, "change", staff.project.pk)).content.decode()
    assert "everyone who can run a command or open a terminal in this project can read and copy them" in text
    assert ('name="uses_host_credentials"' in text) is can
