"""The askpass helper answers for the hosts that something was lent for, and for no other, whatever the prompt says."""

import os

import pytest

from tests.image.conftest import Running

pytestmark = pytest.mark.live

HELPER = "/usr/local/bin/git-askpass-helper"
LENT = {
    "git.example.com": "alice\nalice-token\n",
    "git.example.com_8443": "bob\nbob-token\n",
    "no-newline.example": "carol\ncarol-token",
    "no-name.example": "\nnameless-token\n",
    "port.example_443": "dave\ndave-token\n",
    "odd.example": 'eve\n pa ss\\"$word`\n',
    "empty.example": "",
}
ANSWERED = [
    ("Username for 'https://git.example.com': ", "alice"),
    ("Password for 'https://alice@git.example.com': ", "alice-token"),
    ("Password for 'https://git.example.com': ", "alice-token"),
    ("Password for 'https://GIT.Example.COM': ", "alice-token"),
    ("Password for 'https://git.example.com:443': ", "alice-token"),
    ("Username for 'https://git.example.com:8443': ", "bob"),
    ("Password for 'https://x-access-token@git.example.com:8443': ", "bob-token"),
    ("Password for 'https://git.example.com/team/app.git': ", "alice-token"),
    ("Password for 'https://git.example.com/': ", "alice-token"),
    ('Username for "https://git.example.com/team/app.git/info/lfs"', "alice"),
    ('Password for "https://alice@git.example.com/team/app.git/info/lfs"', "alice-token"),
    ("Username for 'https://no-newline.example': ", "carol"),
    ("Password for 'https://no-newline.example': ", "carol-token"),
    ("Username for 'https://no-name.example': ", "x-access-token"),
    ("Password for 'https://no-name.example': ", "nameless-token"),
    ("Password for 'https://port.example': ", "dave-token"),
    ("Password for 'https://odd.example': ", ' pa ss\\"$word`'),
    ("Username for 'https://github.com': ", "x-access-token"),
    ("Password for 'https://x-access-token@github.com': ", "env-token"),
    ("Password for 'https://me@mail.example@github.com': ", "env-token"),
]
REFUSED = [
    "",
    "Password: ",
    "Password for 'http://git.example.com': ",
    "Password for 'http://127.0.0.1': ",
    "Password for 'ssh://git.example.com': ",
    "Password for 'git.example.com': ",
    "Password for 'https://evil.example': ",
    "Password for 'https://git.example.com.evil.example': ",
    "Password for 'https://evilgit.example.com': ",
    "Password for 'https://git.example.com:9999': ",
    "Password for 'https://port.example:8443': ",
    "Password for 'https://github.com:8443': ",
    "Password for 'https://github.com.': ",
    "Password for 'https://gist.github.com': ",
    "Password for 'https://git.example.com@evil.example': ",
    "Password for 'https://github.com/x@evil.example': ",
    "Password for 'https://git.example.com#@evil.example': ",
    "Password for 'https://git.example.com?@evil.example': ",
    "Password for 'https://git.example.com\\@evil.example': ",
    "Password for 'https://evil.example': 'https://github.com': ",
    "Password for 'https://evil.example\n@github.com': ",
    "Password for 'https://github.com\n': ",
    "Password for 'https://../git.example.com': ",
    "Password for 'https://..': ",
    "Password for 'https://.': ",
    "Password for 'https://': ",
    "Password for 'https://git.example.com:': ",
    "Password for 'https://git.example.com:44a': ",
    "Password for 'https://git.example.com:0443': ",
    "Password for 'https://git.example.com_8443': ",
    "Password for 'https://empty.example': ",
    "Password for 'https://[::1]': ",
    "Password for 'https://gıthub.com': ",
    "Passphrase for key 'https://github.com': ",
    "Are you sure you want to continue connecting (yes/no)? ",
    "Password for 'https://github.com",
]


@pytest.fixture(scope="module")
def lent(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lent")
    directory.chmod(0o755)
    (directory / "git").mkdir()
    for name, text in LENT.items():
        (directory / "git" / name).write_text(text)
    closed = directory / "git" / "closed.example"
    closed.write_text("root\nroots-token\n")
    for path in (directory / "git").iterdir():
        path.chmod(0o400)
        if path != closed:
            os.chown(path, 1000, 1000)
    return directory


@pytest.fixture(scope="module")
def lending(start, lent):
    return start("-v", f"{lent}:/run/containerhub-lent:ro")


@pytest.mark.parametrize(("prompt", "answer"), ANSWERED)
def test_a_prompt_for_a_lent_host_is_answered(lending, prompt, answer):
    done = lending.run(HELPER, prompt, GITHUB_TOKEN="env-token")
    assert (done.stdout, done.stderr) == (f"{answer}\n", "")


@pytest.mark.parametrize("prompt", REFUSED)
def test_any_other_prompt_gets_nothing_but_a_sentence_on_stderr(lending, prompt):
    done = lending.run(HELPER, prompt, check=False, GITHUB_TOKEN="env-token")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("git-askpass-helper: ")
    assert done.stderr.count("\n") == 1
    assert "token\n" not in done.stderr


def test_github_without_a_token_gets_nothing(lending):
    done = lending.run(HELPER, "Password for 'https://github.com': ", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no credential was lent for github.com:443" in done.stderr


def test_a_file_of_somebody_elses_is_refused_in_words(lending):
    done = lending.run(HELPER, "Password for 'https://closed.example': ", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be read by this user" in done.stderr


def test_without_or_with_two_arguments_it_refuses(lending):
    for arguments in ((), ("Password for 'https://github.com': ", "again")):
        done = lending.run(HELPER, *arguments, check=False, GITHUB_TOKEN="env-token")
        assert (done.returncode, done.stdout) == (1, "")


def fill(container: Running, description: str, **environment) -> str:
    script = f"printf '{description}' | git credential fill"
    return container.sh(script, check=False, GIT_ASKPASS=HELPER, GIT_TERMINAL_PROMPT="0", **environment)


def test_git_itself_gets_both_answers_from_it(lending):
    filled = fill(lending, "protocol=https\\nhost=git.example.com:8443\\n\\n")
    assert filled.splitlines()[-2:] == ["username=bob", "password=bob-token"]


def test_git_itself_gets_nothing_for_a_username_that_plays_a_host(lending):
    assert fill(lending, "protocol=https\\nhost=evil.example\\nusername=github.com/x\\n\\n", GITHUB_TOKEN="env-token") == ""
    assert fill(lending, "protocol=https\\nhost=evil.example\\nusername=git.example.com@x\\n\\n") == ""


def test_git_itself_gets_nothing_over_http(lending):
    assert fill(lending, "protocol=http\\nhost=git.example.com\\n\\n") == ""
