"""What `hub` says and how it ends, without an Engine: usage, refusals, lists, keys."""

import json
import os

import pytest
import typer

from projects.cli.app import app


def subcommands(group):
    return group.commands


def test_help_names_every_command_and_every_exit_status(hub):
    said = hub("--help").stdout.decode()
    for word in subcommands(typer.main.get_command(app)):
        assert f" {word} " in said, word
    for status in ("0 done", "1 refused", "2 wrong usage", "69 the Docker Engine", "124 when it timed out", "130 interrupted"):
        assert status in said, status
    assert hub().stdout.decode() == said


@pytest.mark.parametrize(
    "words", ["nope", "ensure", "exec docs", "ps --nope", "exec docs ls -la", "stats --json=1", "exec docs --timeout 0 -- ls"]
)
def test_wrong_usage_is_2_and_one_line_that_names_the_help(hub, words):
    done = hub(*words.split())
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"hub: ")
    assert done.stderr.count(b"\n") == 1
    assert b"--help" in done.stderr


@pytest.mark.parametrize("verb", ["ensure", "start", "stop", "restart", "refresh", "rm", "stats", "logs", "chown"])
def test_a_project_that_is_not_there_is_refused_in_one_line(hub, verb):
    done = hub(verb, "nosuch")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == "hub: There is no project 'nosuch'; hub ps lists them, hub add makes one.\n"


def test_add_makes_a_project_of_a_relative_path_and_remembers_who(hub, sandbox):
    sandbox.workspace("site")
    done = hub("add", "roots/site")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == f"site: made from {sandbox.roots}/site\n"
    assert b"credentials are lent" in done.stderr
    actor = sandbox.python("answer(Event.objects.filter(kind='project.created').get().actor_name)")
    assert actor == os.environ.get("SUDO_USER", sandbox.python("import getpass; answer(getpass.getuser())"))


def test_add_can_name_it_and_lend_nothing(hub, sandbox):
    sandbox.workspace("site")
    assert hub("add", str(sandbox.roots / "site"), "--name", "The Site", "--no-lend").stdout.startswith(b"the-site: ")
    assert sandbox.python("answer(Project.objects.get().uses_host_credentials)") is False


def test_add_refuses_what_lies_outside_the_roots(hub):
    done = hub("add", "/etc")
    assert done.returncode == 1
    assert b"not below a workspace root" in done.stderr


def test_discover_lists_repositories_that_are_no_projects_yet(hub, sandbox):
    for name in ("one", "two"):
        (sandbox.workspace(name) / ".git").mkdir()
    hub("add", str(sandbox.roots / "one"))
    assert [found["name"] for found in json.loads(hub("discover", "--json").stdout)] == ["two"]


def test_token_prints_the_key_alone_so_that_a_script_can_take_it(hub, sandbox):
    sandbox.python("from django.contrib.auth.models import User; User.objects.create_user('ann')")
    key = hub("token", "laptop", "--user", "ann", "--days", "30").stdout.decode().strip()
    assert sandbox.python(f"from projects.services.tokens import user_of_key; answer(user_of_key({key!r}).username)") == "ann"
    assert hub("token", "laptop", "--user", "nobody-of-that-name").returncode == 1


def test_a_question_without_an_answer_does_nothing(hub, sandbox):
    sandbox.add_project("docs")
    done = hub("rm", "docs")
    assert done.returncode == 1
    assert b"the workspace" in done.stderr
    assert b"not confirmed" in done.stderr
    assert sandbox.python("answer(Project.objects.count())") == 1


def test_project_names_complete(hub, sandbox):
    for slug in ("docs", "data", "site"):
        sandbox.add_project(slug)
    sandbox.environment |= {"_HUB_COMPLETE": "complete_bash", "COMP_WORDS": "hub ensure d", "COMP_CWORD": "2"}
    assert hub().stdout.decode().split() == ["data", "docs"]


def test_a_database_that_was_never_migrated_is_one_line(hub, sandbox):
    sandbox.environment["CONTAINERHUB_DATA_DIR"] = str(sandbox.directory / "fresh")
    done = hub("rm", "docs")
    assert done.returncode == 1
    assert done.stderr.startswith(b"hub: the database cannot be used")
    assert done.stderr.count(b"\n") == 1


def test_names_cannot_drive_the_terminal():
    from projects.cli.frame import printable

    assert printable("a\x1b[31mb\nc") == "a�[31mb�c"
