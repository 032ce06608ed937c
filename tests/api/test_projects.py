import base64

import pytest
from django.contrib.auth.models import Permission

from projects.models import Event, Membership, Project


def _cursor(content):
    return base64.urlsafe_b64encode(content.encode()).decode()


def post(client, path, body):
    return client.post(path, body, content_type="application/json")


def test_a_name_and_a_path_make_a_project(cast):
    path = cast.host.workspace("site")
    answer = post(cast.api("administrator"), "/api/projects", {"name": "My Site", "path": str(path)})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["slug"], made["name"], made["path"], made["status"]) == ("my-site", "My Site", str(path), "none")
    assert (made["cpu_limit"], made["memory_limit_mb"], made["pids_limit"]) == (4, 8192, 1000)
    assert made["uses_host_credentials"] is True
    assert cast.api("administrator").get("/api/projects/my-site").json() == made


def test_all_settings_can_be_given_at_once(cast):
    body = {
        "name": "Site",
        "path": str(cast.host.workspace("site")),
        "image": "debian:bookworm-slim",
        "cpu_limit": 0.5,
        "memory_limit_mb": 512,
        "pids_limit": 100,
        "environment": {"TZ": "UTC"},
        "uses_host_credentials": False,
        "pinned": True,
    }
    made = post(cast.api("administrator"), "/api/projects", body).json()
    assert {key: made[key] for key in body} == body


def test_whom_an_administrator_allows_makes_projects_and_owns_them(cast):
    body = {"name": "Mine", "path": str(cast.host.workspace("mine"))}
    assert post(cast.api("stranger"), "/api/projects", body).status_code == 403
    cast.users["stranger"].user_permissions.add(Permission.objects.get(codename="add_project"))
    made = post(cast.api("stranger"), "/api/projects", body)
    assert (made.status_code, made.json()["uses_host_credentials"]) == (201, False)
    assert Membership.objects.get(project__slug="mine").role == "owner"
    assert cast.api("owner").get("/api/projects/mine").status_code == 404


@pytest.mark.parametrize(
    "place", ["/", "/etc", "/var/run", "/proc/self", "relative", "", "/nowhere/at/all", "{web}", "{web}/sub", "{roots}", "{link}"]
)
def test_a_path_that_may_be_no_workspace_is_refused_with_a_sentence(cast, place):
    (cast.host.roots / "web" / "sub").mkdir()
    (cast.host.roots / "link").symlink_to("/etc")
    path = place.format(web=cast.project.path, roots=cast.host.roots, link=cast.host.roots / "link")
    answer = post(cast.api("administrator"), "/api/projects", {"name": "x", "path": path})
    assert answer.status_code in (400, 422)
    assert len(answer.json()["detail"].split()) > 4
    assert Project.objects.count() == 1


def test_a_project_around_another_is_refused(cast):
    inner = cast.host.workspace("outer/inner")
    assert post(cast.api("administrator"), "/api/projects", {"name": "inner", "path": str(inner)}).status_code == 201
    answer = post(cast.api("administrator"), "/api/projects", {"name": "outer", "path": str(inner.parent)})
    assert answer.status_code == 400
    assert "inside or around" in answer.json()["detail"]


def test_settings_change_one_at_a_time(cast):
    before = cast.api("owner").get("/api/projects/web").json()
    answer = cast.api("owner").patch("/api/projects/web", {"pids_limit": 64}, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json() == {**before, "pids_limit": 64}
    assert Event.objects.get(kind="project.changed").actor_name == "owner"


@pytest.mark.parametrize(
    "body", [{"path": "/x"}, {"slug": "x"}, {"claim_token": "x"}, {"status": "running"}, {"name": None}, {"pinned": "maybe"}]
)
def test_what_is_no_setting_is_refused(cast, body):
    answer = cast.api("owner").patch("/api/projects/web", body, content_type="application/json")
    assert answer.status_code == 422
    assert next(iter(body)) in answer.json()["detail"]


def test_a_secret_among_the_variables_is_refused(cast):
    answer = cast.api("owner").patch("/api/projects/web", {"environment": {"API_TOKEN": "x"}}, content_type="application/json")
    assert answer.status_code == 400
    assert "secrets" in answer.json()["detail"]


def test_lending_the_hosts_credentials_is_for_administrators(cast):
    for name, status in (("owner", 403), ("administrator", 200)):
        answer = cast.api(name).patch("/api/projects/web", {"uses_host_credentials": True}, content_type="application/json")
        assert answer.status_code == status


def test_a_list_comes_in_pages(cast):
    for number in range(5):
        Project.objects.create(slug=f"p{number}", name="p", path=f"/p/{number}")
    seen, path = [], "/api/projects?limit=2"
    client = cast.api("administrator")
    while True:
        page = client.get(path).json()
        assert len(page["items"]) <= 2
        seen += [item["slug"] for item in page["items"]]
        if page["next"] is None:
            break
        path = f"/api/projects?limit=2&cursor={page['next']}"
    assert seen == ["p0", "p1", "p2", "p3", "p4", "web"]


def test_events_come_newest_first_in_pages(cast):
    for number in range(5):
        Event.objects.create(kind="test.done", project_slug="web", actor_name="x", message=str(number))
    client = cast.api("viewer")
    first = client.get("/api/projects/web/events?limit=3").json()
    second = client.get(f"/api/projects/web/events?limit=3&cursor={first['next']}").json()
    assert [item["message"] for item in first["items"] + second["items"]] == ["4", "3", "2", "1", "0"]
    assert second["next"] is None
    assert client.get("/api/events").json()["items"][0]["project"] == "web"


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "MQ", "W10", "bnVsbA", "dHJ1ZQ", "é", "9" * 1000, _cursor('"\\ud800"'), "-", "====", _cursor('"\\u0000"')]
)
@pytest.mark.parametrize(
    "path", ["/api/projects", "/api/events", "/api/tokens", "/api/projects/web/members", "/api/projects/web/git-credentials"]
)
def test_a_cursor_that_no_list_gave_is_refused(cast, path, cursor):
    answer = cast.api("owner").get(f"{path}?cursor={cursor}")
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert cursor == "MQ"  # "1" is a place in a list ordered by number


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "", "9" * 400])
def test_a_limit_out_of_range_is_refused(cast, limit):
    answer = cast.api("owner").get(f"/api/projects?limit={limit}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("limit: ")


def test_members_are_made_changed_and_taken_out(cast):
    client = cast.api("owner")
    assert post(client, "/api/projects/web/members", {"username": "stranger", "role": "operator"}).status_code == 201
    assert post(client, "/api/projects/web/members", {"username": "stranger", "role": "viewer"}).status_code == 200
    members = client.get("/api/projects/web/members").json()["items"]
    assert {item["username"]: item["role"] for item in members}["stranger"] == "viewer"
    assert client.delete("/api/projects/web/members/stranger").status_code == 204
    assert client.delete("/api/projects/web/members?username=stranger").status_code == 404
    assert client.delete("/api/projects/web/members?username=operator").status_code == 204
    answer = client.delete("/api/projects/web/members/owner")
    assert (answer.status_code, "last owner" in answer.json()["detail"]) == (400, True)
    assert post(client, "/api/projects/web/members", {"username": "who"}).status_code == 400


def test_git_credentials_are_never_read_back(cast):
    client = cast.api("owner")
    answer = post(client, "/api/projects/web/git-credentials", {"host": "Git.Example.com:8443", "token": "s3cr3t-value"})
    assert answer.status_code == 201
    listed = cast.api("viewer").get("/api/projects/web/git-credentials")
    assert [item["host"] for item in listed.json()["items"]] == ["git.example.com:8443"]
    assert b"s3cr3t-value" not in listed.content + answer.content + client.get("/api/projects/web/events").content
    assert client.delete("/api/projects/web/git-credentials/git.example.com:8443").status_code == 204
    assert client.delete("/api/projects/web/git-credentials?host=git.example.com:8443").status_code == 404


def test_repositories_are_discovered_for_those_who_make_projects(cast):
    (cast.host.workspace("repo") / ".git").mkdir()
    found = cast.api("administrator").get("/api/discovered").json()["items"]
    assert [item["name"] for item in found] == ["repo"]
    assert cast.api("owner").get("/api/discovered").status_code == 403
