"""Promises that every command keeps, taken from the tree of commands: JSON for whatever lists, one line for what is not there."""

import json

import pytest
from django.contrib.auth import get_user_model
from typer.testing import CliRunner

from projects.cli.app import app
from projects.models import CommandRun, Project
from projects.services import commands
from projects.services.catalog import set_member
from projects.services.deploy_keys import make_deploy_key
from projects.services.engines import use_engine
from projects.services.git_credentials import set_git_credential
from projects.services.invitations import invite
from projects.services.lifecycle import ensure_container
from projects.services.notifications import make_channel, try_channel
from projects.services.project_secrets import set_secret
from projects.services.record import HUB
from projects.services.tokens import make_token
from projects.states import ChannelKind, RunState
from tests.cli.tree import leaves, options
from tests.engine.fake import FakeEngine
from tests.services.host import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def furnished(tmp_path, settings, monkeypatch):
    """A hub with one of everything, over an Engine in memory."""
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    use_engine(FakeEngine())
    host = make_host(tmp_path, settings, monkeypatch)
    host.settings.DATA_DIR = host.data
    project = host.project("docs")
    (host.workspace("fresh") / ".git").mkdir()
    ann = get_user_model().objects.create_user("ann")
    ensure_container(project=project, actor=HUB)
    set_member(project=project, user=ann, role="owner", actor=HUB)
    set_secret(project=project, name="API_KEY", value="not-to-be-seen", actor=HUB)
    set_git_credential(project=project, host="github.com", token="not-to-be-seen", actor=HUB)
    make_deploy_key(project=project, actor=HUB)
    make_token(user=ann, name="laptop", actor=HUB)
    invite(actor=HUB, username="bob", roles={project: "viewer"})
    CommandRun.objects.create(project=project, command="true", timeout_seconds=1, actor_name="ann", state=RunState.RUNNING)
    target = "http://127.0.0.1:1/not-to-be-seen"
    channel, _ = make_channel(project=project, name="ops", kind=ChannelKind.WEBHOOK, target=target, actor=HUB)
    try_channel(channel=channel, actor=HUB)
    yield project
    use_engine(None)


def hub(*words: str, stdin: str = ""):
    return CliRunner().invoke(app, list(words), input=stdin, prog_name="hub")


# What a command with --json wants beside it, and a key that each of its answers has.
JSON = {
    "ps": ("", "status"),
    "stats": ("", "memory_usage_mb"),
    "runs": ("docs", "command"),
    "events": ("--project docs", "kind"),
    "discover": ("", "path"),
    "images": ("", "tags"),
    "cleanup": ("--dry-run", "items"),
    "doctor": ("", "remedy"),
    "user ls": ("", "username"),
    "user invitations": ("", "roles"),
    "member ls": ("docs", "role"),
    "token ls": ("", "expires_at"),
    "secret ls": ("docs", "name"),
    "git-token ls": ("docs", "host"),
    "notify ls": ("", "address"),
    "notify deliveries": ("", "next_at"),
    "deploy-key show": ("docs", "public_key"),
    "deploy-key rotate": ("docs --yes", "public_key"),
    "ensure": ("docs", "container_id"),
    "start": ("docs", "container_id"),
    "stop": ("docs", "container_id"),
    "restart": ("docs", "container_id"),
    "refresh": ("docs", "container_id"),
    "diff": ("docs", "sentence"),
    "set": ("docs", "refresh_mode"),
}
LISTS = ("ps", "stats", "runs", "events", "discover", "images", "cleanup", "doctor", "user invitations", "notify deliveries")


@pytest.mark.parametrize("name", sorted(JSON))
def test_an_answer_as_json_is_one_document_and_nothing_else(furnished, name):
    words, key = JSON[name]
    done = hub(*name.split(), "--json", *words.split())
    assert done.exit_code == (1 if name == "doctor" else 0), done.output
    answer = json.loads(done.stdout)
    rows = answer if isinstance(answer, list) else [answer]
    assert rows
    assert all(key in row for row in rows)
    assert "not-to-be-seen" not in done.output


def test_whatever_lists_has_json_and_every_json_is_tried():
    having = {name for name, command in leaves().items() if "--json" in options(command)}
    assert having - set(JSON) == {"deploy-key create"}  # its answer is that of `show`
    assert {name for name in leaves() if name.endswith(" ls")} | set(LISTS) <= having


UNKNOWN = {"PROJECT": "nosuch", "USER": "nobody", "RUN": "ffff", "ID": "999999", "ROLE": "viewer", "HOST": "git.example.com", "NAME": "KEY"}
MAKING = {"user create", "user invite", "token create", "add", "clone", "completion"}
FILTERS = {"notify ls": ["--project", "nosuch"], "notify deliveries": ["--channel", "999999"]}


def names_something() -> list[str]:
    wanted = {name for name, command in leaves().items() if any(p.metavar in ("PROJECT", "USER", "RUN", "ID") for p in command.params)}
    return sorted(wanted - MAKING)


@pytest.mark.parametrize("name", names_something())
def test_what_is_not_there_is_one_line_and_1(furnished, name):
    command = leaves()[name]
    words = [UNKNOWN.get(p.metavar or "", "true") for p in command.params if p.param_type_name == "argument"]
    options_given = FILTERS.get(name, ["--user", "nobody"] if "--user" in options(command) else [])
    options_given += ["--kind", "webhook", "--project", "nosuch"] if name == "notify add" else []
    before = list(Project.objects.values_list("slug", flat=True))
    done = hub(*name.split(), *options_given, *(["--", *words] if name == "exec" else words), stdin="something\n")
    assert done.exit_code == 1, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("hub: There is no ")
    assert done.stderr.count("\n") == 1
    assert list(Project.objects.values_list("slug", flat=True)) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("stats nosuch", "no project 'nosuch'"),
        ("runs nosuch", "no project 'nosuch'"),
        ("runs --output ffff", "no run 'ffff'"),
        ("member set docs nobody viewer", "no user 'nobody'"),
        ("member set docs ann emperor", "no role 'emperor'"),
        ("member rm docs nobody", "no user 'nobody'"),
        ("secret rm docs OTHER", "no secret of that name"),
        ("secret set docs PATH", "choose another name"),
        ("git-token rm docs git.example.com", "no git token"),
        ("git-token set docs -- -x", "Write the git host"),
        ("deploy-key create docs", "has a deploy key already"),
        ("user create ann", "is taken"),
        ("user invite carl --role nosuch=viewer", "no project 'nosuch'"),
        ("token create laptop --user nobody", "no user 'nobody'"),
        ("token laptop --user nobody", "no user 'nobody'"),
    ],
)
def test_a_refusal_is_one_line_that_says_why(furnished, words, said):
    done = hub(*words.split(), stdin="something\n")
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["user list", "token list", "member list docs", "secret list docs", "ls", "list"])
def test_list_is_another_word_for_ls_and_ls_alone_is_ps(furnished, words):
    done = hub(*words.split())
    assert done.exit_code == 0
    assert done.stdout == hub(*words.replace("list", "ls").split()).stdout
    assert done.stdout.splitlines()[1].split()[0] in ("ann", "docs", "API_KEY", "1"), done.stdout


@pytest.mark.parametrize("words", ["user", "token", "member", "secret", "deploy-key", "git-token", "notify"])
def test_a_group_alone_shows_its_help(words):
    done = hub(words)
    assert done.exit_code == 0
    assert "ls" in done.stdout or "show" in done.stdout


def test_a_mistyped_verb_is_2_and_names_the_right_one():
    done = hub("user", "lst")
    assert done.exit_code == 2
    assert done.stderr == "hub: No such command 'lst'. Did you mean 'ls'? See hub user --help\n"
