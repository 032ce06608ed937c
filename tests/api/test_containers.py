"""The shapes and statuses of the container's calls."""

import pytest

from projects.models import CommandRun, Event, Project
from projects.services import spool
from projects.states import Action
from tests.engine.fake import Script


def post(client, path, body=None):
    return client.post(path, body or {}, content_type="application/json")


def test_ensure_answers_the_short_id_and_the_status(running, fake_engine):
    answers = [running.call("operator", "POST", "/api/projects/web/ensure-container").json() for _ in range(2)]
    assert answers[0] == answers[1] == {"container_id": next(iter(fake_engine.boxes))[:12], "status": "running"}


def test_before_ensure_there_is_no_container_and_the_answer_says_so(cast, fake_engine):
    answer = cast.call("viewer", "GET", "/api/projects/web/container")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["container_id"], shown["status"], shown["image"], shown["limits"], shown["mounts"]) == (None, "none", None, None, [])
    assert shown["wanted"] == "none"
    for verb in ("start", "restart"):
        assert cast.call("operator", "POST", f"/api/projects/web/container/{verb}").status_code == 404
    assert cast.call("operator", "POST", "/api/projects/web/container/stop").json() == {"container_id": None, "status": "none"}
    stats = cast.call("viewer", "GET", "/api/projects/web/container/stats")
    assert (stats.status_code, stats.json()) == (404, {"detail": "Container not running"})
    assert cast.call("viewer", "GET", "/api/projects/web/container/health").json() == {"healthy": False, "reason": "Container not running"}
    assert cast.call("viewer", "GET", "/api/projects/web/container/logs").status_code == 404


def test_a_running_container_is_shown_with_everything(running):
    shown = running.call("viewer", "GET", "/api/projects/web/container").json()
    assert shown["status"] == shown["wanted"] == "running"
    assert len(shown["container_id"]) == 12
    assert shown["limits"] == {"cpu": 4, "memory_mb": 8192, "pids": 1000}
    assert {"source": running.project.path, "target": "/workspace", "read_only": False} in shown["mounts"]
    assert shown["created_at"]
    assert shown["pending_action"] == ""
    assert (shown["busy"], shown["busy_reason"]) == (False, "")
    assert shown["next_refresh_at"] > shown["created_at"]
    assert "72 hours" in shown["next_refresh_reason"]


def test_a_pinned_project_is_never_due(running):
    Project.objects.update(pinned=True)
    shown = running.call("viewer", "GET", "/api/projects/web/container").json()
    assert shown["next_refresh_at"] is None
    assert "pinned" in shown["next_refresh_reason"]


def test_a_running_command_makes_the_container_busy(running):
    CommandRun.objects.create(project=running.project, command="sleep 9", timeout_seconds=10, actor_name="x")
    shown = running.call("viewer", "GET", "/api/projects/web/container").json()
    assert (shown["busy"], shown["busy_reason"]) == (True, "A command is running.")


def test_a_container_removed_from_outside_is_missing(running, fake_engine):
    fake_engine.remove_outside("claude-dev-web")
    shown = running.call("viewer", "GET", "/api/projects/web/container").json()
    assert (shown["status"], shown["container_id"], shown["wanted"]) == ("missing", None, "running")
    assert Event.objects.filter(kind="container.missing", project_slug="web").count() == 1


def test_stop_keeps_the_container_and_start_runs_the_same_one(running):
    first = running.call("viewer", "GET", "/api/projects/web/container").json()["container_id"]
    assert running.call("operator", "POST", "/api/projects/web/container/stop").json() == {"container_id": first, "status": "exited"}
    assert running.call("operator", "POST", "/api/projects/web/container/start").json() == {"container_id": first, "status": "running"}
    assert running.call("operator", "POST", "/api/projects/web/container/restart").json() == {"container_id": first, "status": "running"}


def test_refresh_answers_refreshed_and_another_container(running):
    first = running.call("viewer", "GET", "/api/projects/web/container").json()["container_id"]
    answer = running.call("operator", "POST", "/api/projects/web/container/refresh").json()
    assert answer["status"] == "refreshed"
    assert answer["container_id"] != first


def test_removing_answers_the_same_also_when_it_is_gone(running, fake_engine):
    for _ in range(2):
        answer = running.call("operator", "DELETE", "/api/projects/web/container")
        assert (answer.status_code, answer.json()) == (200, {"status": "stopped"})
    assert not fake_engine.boxes
    assert running.call("viewer", "GET", "/api/projects/web/container").json()["status"] == "none"


def test_removing_a_project_leaves_its_directory(running, fake_engine):
    assert running.call("owner", "DELETE", "/api/projects/web").status_code == 204
    assert not fake_engine.boxes
    assert (running.host.roots / "web").is_dir()
    assert running.call("owner", "GET", "/api/projects/web").status_code == 404
    assert Event.objects.filter(kind="project.removed", project_slug="web").exists()


def test_stats_have_the_plans_fields(running):
    stats = running.call("viewer", "GET", "/api/projects/web/container/stats").json()
    assert set(stats) == {
        "status",
        "age_hours",
        "cpu_percent",
        "memory_usage_mb",
        "memory_limit_mb",
        "memory_percent",
        "disk_usage_percent",
        "pids",
        "network_rx_mb",
        "network_tx_mb",
    }
    assert stats["status"] == "running"
    assert set(running.call("viewer", "GET", "/api/projects/web/container/health").json()) == {"healthy", "reason"}


def test_logs_are_text_whatever_the_bytes(running, fake_engine):
    fake_engine.box("claude-dev-web").log = b"one\ntwo \xff\n"
    answer = running.call("viewer", "GET", "/api/projects/web/container/logs?tail=10")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == "one\ntwo \ufffd\n"


def test_another_action_under_way_is_a_conflict(running):
    Project.objects.update(pending_action=Action.REFRESH, claim_token="x" * 32, claimed_at="2999-01-01T00:00:00Z")
    answer = running.call("operator", "POST", "/api/projects/web/container/stop")
    assert answer.status_code == 409
    assert "refresh is under way" in answer.json()["detail"]


ENGINE_CALLS = [
    ("POST", "/api/projects/web/ensure-container"),
    ("POST", "/api/projects/web/container/refresh"),
    ("POST", "/api/projects/web/container/start"),
    ("POST", "/api/projects/web/container/stop"),
    ("POST", "/api/projects/web/container/restart"),
    ("DELETE", "/api/projects/web/container"),
    ("DELETE", "/api/projects/web"),
    ("GET", "/api/projects/web/container/stats"),
    ("GET", "/api/projects/web/container/health"),
    ("GET", "/api/projects/web/container/logs"),
    ("GET", "/api/containers/count"),
    ("POST", "/api/containers/cleanup"),
    ("GET", "/api/images"),
]


@pytest.mark.parametrize(("method", "path"), ENGINE_CALLS)
def test_an_engine_that_is_away_is_a_503_with_a_time_to_come_back(running, fake_engine, method, path):
    fake_engine.down = True
    answer = running.call("administrator", method, path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert len(answer.json()["detail"].split()) > 4
    fake_engine.down = False
    project = Project.objects.get()
    assert (project.pending_action, project.claim_token) == ("", "")
    assert running.call("administrator", method, path).status_code in (200, 204)


def test_a_command_meets_the_same_503(running, fake_engine):
    fake_engine.down = True
    answer = post(running.api("operator"), "/api/projects/web/commands", {"command": "true"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_the_container_is_unknown_while_the_engine_is_away(running, fake_engine):
    fake_engine.down = True
    answer = running.call("viewer", "GET", "/api/projects/web/container")
    assert (answer.status_code, answer.json()["status"], answer.json()["wanted"]) == (200, "unknown", "running")


def test_containers_are_counted_and_cleaned_up_after_a_dry_run(running, fake_engine):
    assert running.call("stranger", "GET", "/api/containers/count").json() == {"active": 1}
    for body in (None, {}, {"dry_run": True}):
        report = running.call("administrator", "POST", "/api/containers/cleanup", body).json()
        assert report["dry_run"] is True
        assert [(item["name"], item["removed"]) for item in report["items"]] == [("claude-dev-web", False)]
    report = running.call("administrator", "POST", "/api/containers/cleanup", {"dry_run": False}).json()
    assert [(item["name"], item["removed"]) for item in report["items"]] == [("claude-dev-web", True)]
    assert running.call("stranger", "GET", "/api/containers/count").json() == {"active": 0}


def test_the_base_image_is_listed(running):
    images = running.call("viewer", "GET", "/api/images").json()["items"]
    assert any("claude-dev-base:latest" in image["tags"] for image in images)


# -- commands -------------------------------------------------------------------------------


def test_a_command_answers_its_output_and_can_be_read_again(running, fake_engine):
    fake_engine.handlers.append(
        lambda box, spec: Script(exit_code=3, stdout=b"hello \xff\n", stderr=b"oh\n") if "say" in repr(spec) else None
    )
    answer = post(running.api("operator"), "/api/projects/web/commands", {"command": "say", "timeout": 5})
    assert answer.status_code == 200
    result = answer.json()
    assert (result["stdout"], result["stderr"], result["timed_out"], result["truncated"]) == ("hello \ufffd\n", "oh\n", False, False)
    run = running.call("viewer", "GET", f"/api/commands/{result['id']}").json()
    assert (run["command"], run["project"], run["actor"], run["timeout_seconds"]) == ("say", "web", "operator", 5)
    assert run["state"] == result["state"]


def test_output_is_read_on_from_an_offset(running):
    result = post(running.api("operator"), "/api/projects/web/commands", {"command": "true"}).json()
    run = CommandRun.objects.get(pk=result["id"])
    spool.path_of(run.id).write_bytes(b"\1\0\0\0\0\0\0\5hello")
    first = running.call("viewer", "GET", f"/api/commands/{run.pk}/output")
    assert (first.content, first["Content-Type"]) == (b"\1\0\0\0\0\0\0\5hello", "application/octet-stream")
    assert (first["X-ContainerHub-Next-Offset"], first["X-ContainerHub-State"]) == ("13", run.state)
    assert running.call("viewer", "GET", f"/api/commands/{run.pk}/output?offset=8").content == b"hello"
    assert running.call("viewer", "GET", f"/api/commands/{run.pk}/output?offset=9999999999").content == b""


def test_killing_a_command_that_ended_is_quiet(running):
    result = post(running.api("operator"), "/api/projects/web/commands", {"command": "true"}).json()
    answer = running.call("operator", "DELETE", f"/api/commands/{result['id']}")
    assert (answer.status_code, answer.json()["state"]) == (200, result["state"])


@pytest.mark.parametrize(
    "body",
    [{}, {"command": ""}, {"command": "true", "timeout": 0}, {"command": "true", "timeout": 10**9}, {"command": "true", "wait": "x"}],
)
def test_a_command_of_the_wrong_shape_is_refused(running, body):
    assert post(running.api("operator"), "/api/projects/web/commands", body).status_code == 422


@pytest.mark.parametrize("workdir", ["relative", "/proc/self/fd/7", "/dev"])
def test_a_working_directory_that_cannot_be_is_refused(running, workdir):
    answer = post(running.api("operator"), "/api/projects/web/commands", {"command": "true", "workdir": workdir})
    assert answer.status_code == 400


def test_a_command_needs_a_running_container(cast, fake_engine):
    answer = post(cast.api("operator"), "/api/projects/web/commands", {"command": "true"})
    assert answer.status_code == 409
    assert not CommandRun.objects.filter(state="running").exists()
