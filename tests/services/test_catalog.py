import pytest

from projects.models import Event, Membership, Project
from projects.services import catalog
from projects.services.environment import checked_environment, promises_secret
from projects.services.errors import BadInput, Forbidden, NotFound
from projects.services.record import HUB, Actor
from projects.states import Role
from tests.cast import cast, pages

__all__ = ["cast", "pages"]


def make(cast, who="administrator", name="Shop", directory=None, **fields) -> Project:
    path = cast.host.workspace(directory or f"d{Project.objects.count()}")
    return catalog.create_project(actor=Actor.of(cast.users[who]), name=name, path=str(path), **fields)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Web Shop", "web-shop"),
        ("  Äpfel & Öl_2 ", "apfel-ol-2"),
        ("日本", "project"),
        ("--", "project"),
        ("a" * 49 + " b", "a" * 49),
        ("x" * 100, "x" * 50),
        ("Claude's", "claude-s"),
    ],
)
def test_a_slug_is_made_from_the_name(name, slug):
    assert catalog.make_slug(name) == slug


def test_equal_names_get_numbered_slugs_that_still_fit(cast):
    slugs = [make(cast, name="n" * 60).slug for _ in range(3)]
    assert slugs == ["n" * 50, "n" * 48 + "-2", "n" * 48 + "-3"]


def test_no_project_takes_the_address_of_the_page_that_makes_projects(cast):
    assert make(cast, name="New").slug == "new-2"


def test_who_makes_a_project_owns_it_unless_administrator(cast):
    assert Membership.objects.get(project=make(cast, "stranger"), user=cast.users["stranger"]).role == Role.OWNER
    assert not Membership.objects.filter(project=make(cast, "administrator")).exists()


def test_the_hosts_credentials_are_lent_by_administrators_only(cast):
    assert make(cast, "administrator").uses_host_credentials
    assert not make(cast, "administrator", uses_host_credentials=False).uses_host_credentials
    assert not make(cast, "stranger").uses_host_credentials
    with pytest.raises(Forbidden, match="administrator"):
        make(cast, "stranger", uses_host_credentials=True)
    with pytest.raises(Forbidden, match="administrator"):
        catalog.update_project(project=cast.project, actor=Actor.of(cast.users["owner"]), uses_host_credentials=True)


def test_the_hubs_own_command_line_counts_as_an_administrator(cast):
    project = catalog.create_project(actor=HUB, name="Sample", path=str(cast.host.workspace("sample")))
    assert project.uses_host_credentials
    assert project.created_by is None


def test_making_a_project_is_told_as_an_event_in_the_same_breath(cast):
    project = make(cast, "stranger")
    event = Event.objects.get(kind="project.created")
    assert (event.project_slug, event.actor_name, event.details["path"]) == (project.slug, "stranger", project.path)


def test_a_refused_project_leaves_nothing(cast):
    before = Event.objects.count()
    with pytest.raises(BadInput, match="already"):
        catalog.create_project(actor=HUB, name="Again", path=cast.project.path)
    assert (Project.objects.count(), Event.objects.count()) == (1, before)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"name": "a\0b"},
        {"cpu_limit": 0},
        {"cpu_limit": float("nan")},
        {"cpu_limit": 1e9},
        {"memory_limit_mb": 5},
        {"memory_limit_mb": 2**40},
        {"pids_limit": 1},
        {"pids_limit": 2**70},
        {"image": "a b"},
        {"image": "-x"},
        {"image": "x" * 300},
        {"slug": "other"},
        {"path": "/other"},
        {"claim_token": "x"},
    ],
)
def test_bad_settings_are_refused_with_a_sentence(cast, fields):
    with pytest.raises(BadInput) as refusal:
        catalog.update_project(project=cast.project, actor=HUB, **fields)
    assert len(str(refusal.value).split()) > 4
    assert Project.objects.get().name == "web"


def test_a_change_tells_which_settings_changed_and_nothing_else(cast):
    project = catalog.update_project(project=cast.project, actor=HUB, name="web", pinned=True, pids_limit=500)
    assert (project.pinned, project.pids_limit) == (True, 500)
    assert Event.objects.get(kind="project.changed").details == {"changed": ["pids_limit", "pinned"]}


def test_a_change_that_changes_nothing_is_no_event(cast):
    catalog.update_project(project=cast.project, actor=HUB, name="web")
    assert not Event.objects.exists()


def test_a_change_does_not_overwrite_what_was_observed_meanwhile(cast):
    Project.objects.update(status="running")
    catalog.update_project(project=cast.project, actor=HUB, pinned=True)
    assert Project.objects.get().status == "running"


def test_a_removed_project_is_not_changed(cast):
    Project.objects.all().delete()
    with pytest.raises(NotFound):
        catalog.update_project(project=cast.project, actor=HUB, pinned=True)


# -- variables ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN",
        "GITHUB_TOKEN",
        "API_KEY",
        "apikey",
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
        "DB_PASS",
        "PGPASSWORD",
        "MY_CREDENTIALS",
        "DB_PWD",
    ],
)
def test_a_variable_that_promises_a_secret_is_refused(name):
    assert promises_secret(name)
    with pytest.raises(BadInput, match="secrets"):
        checked_environment({name: "x"})


@pytest.mark.parametrize("name", ["PATH", "TZ", "TOKENIZERS_PARALLELISM", "KEYBOARD_LAYOUT", "PWD", "SECRETARY", "COMPASS"])
def test_an_innocent_name_is_let_through(name):
    assert checked_environment({name: "a\nb"}) == {name: "a\nb"}


@pytest.mark.parametrize(
    "environment",
    [
        {"": "x"},
        {"1A": "x"},
        {"A-B": "x"},
        {"A=B": "x"},
        {"A" * 101: "x"},
        {"A": "x\0"},
        {"A": 1},
        {"A": "x" * 8193},
        {"PROJECT_NAME": "x"},
        {"CONTAINERHUB_EXEC_ID": "x"},
        {f"V{number}": "" for number in range(201)},
    ],
)
def test_a_variable_that_no_container_could_have_is_refused(environment):
    with pytest.raises(BadInput):
        checked_environment(environment)


# -- members --------------------------------------------------------------------------------


def test_a_role_is_given_and_changed(cast):
    actor = Actor.of(cast.users["owner"])
    member, new = catalog.set_member(project=cast.project, user=cast.users["stranger"], role="viewer", actor=actor)
    assert (member.role, new) == ("viewer", True)
    member, new = catalog.set_member(project=cast.project, user=cast.users["stranger"], role="operator", actor=actor)
    assert (member.role, new) == ("operator", False)
    assert Event.objects.filter(kind="member.set", details__member="stranger").count() == 2


def test_the_last_owner_stays(cast):
    owner, actor = cast.users["owner"], Actor.of(cast.users["administrator"])
    with pytest.raises(BadInput, match="last owner"):
        catalog.remove_member(project=cast.project, user=owner, actor=actor)
    with pytest.raises(BadInput, match="last owner"):
        catalog.set_member(project=cast.project, user=owner, role="viewer", actor=actor)
    catalog.set_member(project=cast.project, user=cast.users["viewer"], role="owner", actor=actor)
    catalog.remove_member(project=cast.project, user=owner, actor=actor)
    assert set(Membership.objects.values_list("user__username", "role")) == {("viewer", "owner"), ("operator", "operator")}


def test_who_is_no_member_cannot_be_taken_out(cast):
    with pytest.raises(NotFound, match="stranger"):
        catalog.remove_member(project=cast.project, user=cast.users["stranger"], actor=HUB)


def test_an_unknown_role_is_refused(cast):
    with pytest.raises(BadInput, match="viewer, operator or owner"):
        catalog.set_member(project=cast.project, user=cast.users["stranger"], role="king", actor=HUB)
