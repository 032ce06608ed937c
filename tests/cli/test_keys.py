"""`hub secret deploy-key git-token`: values come from stdin or a hidden prompt, and are shown nowhere."""

import json

import pexpect
import pytest

VALUE = "s3cret-value-for-tests"


@pytest.fixture
def docs(sandbox):
    sandbox.add_project("docs")
    return sandbox


def kept(box):
    return box.python("answer({s.name: s.value for s in ProjectSecret.objects.all()})")


def told(box):
    return box.python("answer(' '.join(f'{e.message} {e.details}' for e in Event.objects.all()))")


def test_a_secret_is_read_from_stdin_and_shown_nowhere(docs, hub):
    done = hub("secret", "set", "docs", "API_KEY", stdin=f"{VALUE}\n")
    assert done.stdout == b"docs: API_KEY is set; the next command has it\n"
    assert kept(docs) == {"API_KEY": VALUE}
    assert VALUE not in told(docs)
    listed = hub("secret", "ls", "docs")
    assert b"API_KEY" in listed.stdout
    assert VALUE.encode() not in listed.stdout
    assert hub("secret", "rm", "docs", "API_KEY").returncode == 0
    assert kept(docs) == {}


def test_a_value_of_several_lines_loses_only_its_last_line_break(docs, hub):
    hub("secret", "set", "docs", "PEM", stdin="one\ntwo\n\n")
    assert kept(docs) == {"PEM": "one\ntwo\n"}


def test_a_value_that_is_missing_or_no_text_is_refused(docs, hub):
    for stdin in ("", "\n"):
        done = hub("secret", "set", "docs", "API_KEY", stdin=stdin)
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
        assert b"is missing" in done.stderr
    assert kept(docs) == {}


def test_on_a_terminal_a_value_is_typed_where_nobody_sees_it(docs, hub):
    with hub.terminal("secret", "set", "docs", "API_KEY") as terminal:
        terminal.expect("Value")
        terminal.waitnoecho()
        terminal.sendline(VALUE)
        terminal.expect(pexpect.EOF)
        said = terminal.before
        terminal.wait()
        assert terminal.exitstatus == 0
    assert VALUE.encode() not in said
    assert kept(docs) == {"API_KEY": VALUE}


def test_ctrl_c_at_the_prompt_sets_nothing(docs, hub):
    with hub.terminal("git-token", "set", "docs", "github.com") as terminal:
        terminal.expect("Git token")
        terminal.waitnoecho()
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 1
    assert json.loads(hub("git-token", "ls", "docs", "--json").stdout) == []


def test_a_git_token_is_for_its_host_and_username(docs, hub):
    assert hub("git-token", "set", "docs", "Git.Example.com:8443", "--username", "ann", stdin=VALUE).returncode == 0
    listed = json.loads(hub("git-token", "ls", "docs", "--json").stdout)
    assert [(row["host"], row["username"]) for row in listed] == [("git.example.com:8443", "ann")]
    assert VALUE not in told(docs)
    assert hub("git-token", "rm", "docs", "git.example.com:8443").returncode == 0


def test_a_deploy_key_is_made_shown_rotated_and_removed(docs, hub):
    made = hub("deploy-key", "create", "docs").stdout
    assert made.startswith(b"ssh-ed25519 ")
    assert hub("deploy-key", "show", "docs").stdout == made
    asked = hub("deploy-key", "rotate", "docs", stdin="n\n")
    assert (asked.returncode, hub("deploy-key", "show", "docs").stdout) == (1, made)
    rotated = hub("deploy-key", "rotate", "docs", "--yes").stdout
    assert rotated.startswith(b"ssh-ed25519 ")
    assert rotated != made
    assert hub("deploy-key", "rm", "docs", "-f").returncode == 0
    assert hub("deploy-key", "show", "docs").returncode == 1
