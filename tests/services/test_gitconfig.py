"""The host's .gitconfig, as git itself reads what is left of it."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.services.credentials.gitconfig import Malformed, without_credentials


def as_git_reads(text, tmp_path):
    file = tmp_path / "config"
    file.write_bytes(text.encode())
    done = subprocess.run(["git", "config", "--file", str(file), "--list", "--null"], capture_output=True, check=False)
    return None if done.returncode else [entry.decode().partition("\n")[::2] for entry in done.stdout.split(b"\0")[:-1]]


KEPT = [
    "[user]\n\tname = Ann\n\temail = ann@example.com\n",
    '[alias]\n\tlg = "!f() { git log \\"$@\\"; }; f" # comment\n',
    "[core]\n\teditor = vim \\\n[credential]\n\tpager = less\n",  # the second line goes on with the value
    '[url "https://[::1]/"]\n\tinsteadOf = x:\n',
    "; [credential]\n# [credential]\n[pull]\n\trebase\n",
    '[a "b ] [credential] \\" c"]\n\tx = 1\n',
]


@pytest.mark.parametrize("text", KEPT)
def test_sections_without_credentials_stay_as_they_are(text, tmp_path):
    kept, left_out = without_credentials(text)
    assert left_out == []
    assert as_git_reads(kept, tmp_path) == as_git_reads(text, tmp_path) != []


DROPPED = [
    "[credential]\n\thelper = store\n",
    '[credential "https://github.com"]\n\thelper =\n\thelper = !gh auth\n',
    "[CREDENTIAL]helper=store\n",
    "[credential.https]\n\thelper = store\n",
    "[user] name = A\n[core] x = y\n[credential] helper = store",
    "[user][credential]helper = store\n",
    "[user]\r\n\tname = A\r\n[credential]\r\n\thelper = a \\\r\n b\r\n[core]\r\n\tx = y\r\n",
    "\ufeff[credential]\n\thelper = store\n",
    '[credential]\n\thelper = "a \\\n[user]\\n b"\n',
    "[include]\n\tpath = ~/secret.inc\n",
    '[includeIf "gitdir:~/srv/work/"]\n\tpath = ~/work.inc\n',
]


@pytest.mark.parametrize("text", DROPPED)
def test_every_way_to_write_a_credential_or_include_section_is_left_out(text, tmp_path):
    kept, left_out = without_credentials(text)
    everything = as_git_reads(text, tmp_path)
    wished = [(key, value) for key, value in everything if not key.startswith(("credential.", "include.", "includeif."))]
    assert as_git_reads(kept, tmp_path) == wished != everything
    assert left_out


def test_a_commented_token_in_a_section_that_is_left_out_does_not_stay():
    kept, _left_out = without_credentials("[credential]\n# token: s3cret\n\thelper = x\n[user]\n\tname = A\n")
    assert kept == "[user]\n\tname = A\n"


@pytest.mark.parametrize(
    "text", ["[credential\n", '[user]\n\tname = "open\n', "[user]\n\t= x\n", "[us er]\n", '[a "b]\n', "[user]\n1x = y\n"]
)
def test_what_git_refuses_is_malformed(text, tmp_path):
    assert as_git_reads(text, tmp_path) is None
    with pytest.raises(Malformed):
        without_credentials(text)


PIECES = st.sampled_from(
    [
        "[user]",
        "[credential]",
        '[credential "a"]',
        "[include]",
        '[x "y\\"z"]',
        "\n",
        " ",
        "\t",
        "k = v",
        "k",
        '"',
        "\\",
        "#",
        ";",
        "]",
        "é",
        "=",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_whatever_is_written_git_finds_no_credential_section_in_what_is_left(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("git")
    everything = as_git_reads(text, folder)
    try:
        kept, _left_out = without_credentials(text)
    except Malformed:
        return
    found = as_git_reads(kept, folder)
    if everything is not None:
        assert found == [(key, value) for key, value in everything if not key.startswith(("credential.", "include.", "includeif."))]
    else:
        assert not any(key.startswith("credential.") for key, _value in found or [])
