"""`hub clone`: a real git server, a throw-away container on the real Engine, and nothing half made after a failure."""

import json
import os
import socket
import subprocess

import docker
import pexpect
import pytest

from projects.services.errors import BadInput
from projects.services.git_url import checked_git_url
from tests.gitserver import GitServer

TOKEN = "a-token-for-the-clone"


@pytest.fixture(scope="module")
def server(shared, tmp_path_factory):
    """On the gateway of the containers' network, with one commit in `site`; the host's git configuration trusts it."""
    gateway = docker.from_env().networks.get(f"{shared.box.prefix}-net").attrs["IPAM"]["Config"][0]["Gateway"]
    made = GitServer(tmp_path_factory.mktemp("git"), address=gateway, username="x-access-token", token=TOKEN)
    made.start()
    made.add_repository("site")
    work = made.directory / "work"
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(work)]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True, env=environment)
    (work / "README").write_text("Hello\n")
    for words in (["add", "README"], ["commit", "-qm", "First"], ["push", "-q", str(made.directory / "repositories/site.git"), "main"]):
        subprocess.run([*git, *words], check=True, env=environment)
    (shared.box.home / ".gitconfig").write_text(f'[http "https://{made.host}/"]\n\tsslVerify = false\n')
    yield made
    made.stop()


def address(server: GitServer) -> str:
    return f"https://{server.host}/site.git"


def left(shared) -> list[str]:
    """What stands in the workspace root, and the throw-away containers."""
    return sorted(os.listdir(shared.box.roots)) + [c.name for c in shared.box.containers() if "-clone-" in c.name]


@pytest.mark.live
def test_a_repository_becomes_a_project_that_belongs_to_its_user(shared, server):
    done = shared("clone", address(server), "--token", stdin=f"{TOKEN}\n")
    assert done.returncode == 0, done.stderr.decode()
    place = shared.box.roots / "site"
    assert done.stdout.decode() == f"site: cloned to {place}\n"
    assert (place / "README").read_text() == "Hello\n"
    assert {os.lstat(path).st_uid for path in (place, place / "README", place / ".git" / "config")} == {1000}
    assert TOKEN not in (place / ".git" / "config").read_text() + done.stderr.decode()
    assert left(shared) == ["docs", "site"]
    event = json.loads(shared("events", "--json", "--project", "site").stdout)[0]
    assert (event["kind"], event["details"]["cloned_from"]) == ("project.created", address(server))
    assert list((shared.box.data_dir / "lent").glob(".clone-*")) == []
    stored = shared.box.python("answer([[c.host, c.token] for c in Project.objects.get(slug='site').git_credentials.all()])")
    assert stored == [[server.host, TOKEN]]
    assert shared("rm", "site", "--yes").returncode == 0
    assert place.is_dir()


@pytest.mark.live
@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        ("{url} --name other", "", "store a git token"),
        ("{url} --name other --token", "wrong-token\n", "store a git token"),
        ("{host}/nothing.git --token", TOKEN, "not found"),
        ("https://no-such-host.invalid/site.git --name other", "", "see that the address is right"),
    ],
)
def test_a_clone_that_fails_leaves_nothing_and_says_why(shared, server, words, stdin, said):
    before = left(shared)
    done = shared("clone", *words.format(url=address(server), host=f"https://{server.host}").split(), stdin=stdin)
    last = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 1, last
    assert last.startswith("hub: git could not clone")
    assert said in last
    assert "wrong-token" not in last
    assert left(shared) == before
    assert shared("ps", "-q").stdout == b"docs\n"


@pytest.mark.live
def test_ctrl_c_in_a_clone_leaves_nothing(shared, server):
    before = left(shared)
    with socket.create_server((server.address, 0)) as silent:
        silent.settimeout(60)
        with shared.terminal("clone", f"https://{server.address}:{silent.getsockname()[1]}/never.git") as terminal:
            line, _peer = silent.accept()  # git waits for an answer that never comes
            with line:
                assert any("-clone-" in name for name in left(shared))
                terminal.sendintr()
                terminal.expect(pexpect.EOF)
                terminal.wait()
            assert terminal.exitstatus == 130
    assert left(shared) == before


@pytest.mark.live
@pytest.mark.parametrize("path", ["{roots}/docs", "{roots}/docs/inner", "/etc/site", "{roots}/nowhere/site", "{roots}"])
def test_a_place_that_may_not_be_is_refused_before_anything_is_made(shared, path):
    before = left(shared)
    done = shared("clone", "https://git.example.com/team/site.git", "--path", path.format(roots=shared.box.roots))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"hub: The path")
    assert done.stderr.count(b"\n") == 1
    assert left(shared) == before


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "/etc/passwd",
        "../site",
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "-u./x",
        "--upload-pack=x",
        "http://git.example.com/site.git",
        "git://git.example.com/site.git",
        "https://user:secret@git.example.com/site.git",
        "https://secret@git.example.com/site.git",
        "ssh://git:secret@git.example.com/site.git",
        "ssh://-oProxyCommand=x/site",
        "git@-oProxyCommand=x:site",
        "git@host:-x",
        "https://git.example.com/",
        "https:///site.git",
        "https://git.example.com:port/site.git",
        "https://git.example.com/site.git?x=1",
        "https://git.example.com/a b",
        "https://git.example.com/a\nb",
        "",
        "x" * 3000,
    ],
)
def test_an_address_that_is_not_plain_https_or_ssh_is_refused(url):
    with pytest.raises(BadInput) as refusal:
        checked_git_url(url)
    assert "secret" not in str(refusal.value)
    assert ("git token" in str(refusal.value)) == ("secret" in url)


@pytest.mark.parametrize(
    ("url", "host", "name"),
    [
        ("https://GitHub.com/team/site.git", "github.com", "site"),
        ("https://git.example.com:8443/team/site/", "git.example.com:8443", "site"),
        ("https://git.example.com:443/site", "git.example.com", "site"),
        ("git@github.com:team/site.git", "github.com", "site"),
        ("ssh://git@git.example.com:2222/team/site.git", "git.example.com:2222", "site"),
        ("git@github.com:site", "github.com", "site"),
    ],
)
def test_a_plain_address_gives_the_host_as_git_names_it(url, host, name):
    found = checked_git_url(url)
    assert (found.host, found.name) == (host, name)
