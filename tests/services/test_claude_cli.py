"""The copy of the host's Claude CLI."""

import hashlib
import os
import platform
import stat
import time

import pytest

from containerhub.bootstrap import claude_cli as bootstrap
from projects.services.credentials import claude_cli
from projects.services.credentials.claude_cli import kept_cli, remove_unused_clis
from tests.services.host import make_host

BINARY = b"\x7fELF" + b"the first version"
NEWER = b"\x7fELF" + b"another version"
PACKAGE = f"@anthropic-ai/claude-code-linux-{claude_cli._MACHINES[platform.machine()]}/claude"


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    return make_host(tmp_path, settings, monkeypatch)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def kept():
    """The kept copy's path; there is one, and nothing to tell."""
    path, note = kept_cli()
    assert path is not None
    assert note == ""
    return path


def test_the_cli_on_the_path_is_kept_by_its_hash(host):
    host.write("bin/claude", BINARY, 0o755)
    path = kept()
    assert path == host.data / "claude-cli" / digest(BINARY) / "claude"
    assert path.read_bytes() == BINARY
    assert stat.S_IMODE(path.stat().st_mode) & 0o555 == 0o555
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755


def test_a_second_call_answers_the_same_file(host):
    host.write("bin/claude", BINARY, 0o755)
    first = kept()
    inode = first.stat().st_ino
    second = kept()
    assert (second, second.stat().st_ino) == (first, inode)


def test_the_named_cli_wins_over_the_one_on_the_path(host):
    host.write("bin/claude", BINARY, 0o755)
    host.configure(claude_cli_path=str(host.write("opt/claude", NEWER, 0o755)))
    assert kept().read_bytes() == NEWER


def test_links_are_resolved_to_the_real_binary(host):
    real = host.write("versions/2.1", BINARY, 0o755)
    (host.home / "bin").mkdir()
    (host.home / "bin/claude").symlink_to(real)
    path = kept()
    assert not path.is_symlink()
    assert path.read_bytes() == BINARY


def test_a_readable_binary_is_hard_linked(host):
    source = host.write("bin/claude", BINARY, 0o755)
    assert kept().stat().st_ino == source.stat().st_ino


@pytest.mark.parametrize("mode", [0o700, 0o775, 0o4755])
def test_a_binary_with_a_mode_that_does_not_serve_a_container_is_copied(host, mode):
    source = host.write("bin/claude", BINARY, mode)
    path = kept()
    assert path.stat().st_ino != source.stat().st_ino
    assert stat.S_IMODE(path.stat().st_mode) == 0o555
    assert stat.S_IMODE(source.stat().st_mode) == mode


def test_where_no_link_can_be_made_it_is_copied(host, monkeypatch):
    source = host.write("bin/claude", BINARY, 0o755)

    def refuse(*_arguments, **_options):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    path = kept()
    assert path.read_bytes() == BINARY
    assert path.stat().st_ino != source.stat().st_ino


def test_the_copy_outlives_the_hosts_update(host):
    source = host.write("bin/claude", BINARY, 0o755)
    old = kept()
    source.unlink()
    host.write("bin/claude", NEWER, 0o755)
    new = kept()
    assert (old.read_bytes(), new.read_bytes()) == (BINARY, NEWER)


def test_a_file_that_is_rewritten_in_place_gets_a_new_hash_and_the_old_one_is_made_again(host):
    source = host.write("bin/claude", BINARY, 0o755)
    old = kept()
    host.write("bin/claude", NEWER, 0o755)  # the same inode, shared with the copy
    new = kept()
    assert new.parent.name == digest(NEWER)
    source.unlink()
    host.write("bin/claude", BINARY, 0o755)
    again = kept()
    assert again == old
    assert again.read_bytes() == BINARY


def test_a_lost_memory_is_no_harm(host):
    host.write("bin/claude", BINARY, 0o755)
    first = kept()
    (host.data / "claude-cli/known.json").write_text("nonsense")
    assert kept() == first
    assert first.read_bytes() == BINARY


def test_the_cli_that_make_up_installed_is_found_from_every_shell(host, monkeypatch):
    binary = host.write("modules/claude", BINARY, 0o755)
    monkeypatch.setenv("CONTAINERHUB_DATA_DIR", str(host.data))
    bootstrap._remember(binary)
    assert kept().parent.name == digest(BINARY)
    host.write("bin/claude", NEWER, 0o755)
    assert kept().parent.name == digest(NEWER), "the host's own goes before it"
    newer = host.write("modules/newer", NEWER, 0o755)
    bootstrap._remember(newer)
    assert (host.data / bootstrap.INSTALLED).readlink() == newer


def test_without_a_cli_a_sentence_says_so(host):
    path, note = kept_cli()
    assert path is None
    assert "No Claude CLI was found" in note


def test_a_named_cli_that_is_not_there_is_told(host):
    host.configure(claude_cli_path=str(host.home / "nowhere"))
    path, note = kept_cli()
    assert path is None
    assert "CONTAINERHUB_CLAUDE_CLI_PATH" in note


def test_a_directory_is_no_cli(host):
    host.configure(claude_cli_path=str(host.home))
    assert kept_cli()[0] is None


def test_npms_script_gives_way_to_the_binary_in_the_package_beside_it(host):
    host.write("node_modules/@anthropic-ai/claude-code/cli.js", "#!/usr/bin/env node\n", 0o755)
    host.write(f"node_modules/{PACKAGE}", BINARY, 0o755)
    host.configure(claude_cli_path=str(host.home / "node_modules/@anthropic-ai/claude-code/cli.js"))
    assert kept().read_bytes() == BINARY


def test_npms_binary_may_lie_in_the_packages_own_folder_or_beside_a_wrapper(host):
    host.write("local/claude", "#!/bin/sh\nexec node\n", 0o755)
    host.write(f"local/node_modules/{PACKAGE}", BINARY, 0o755)
    host.configure(claude_cli_path=str(host.home / "local/claude"))
    assert kept().read_bytes() == BINARY


def test_a_script_alone_is_left_out_with_a_sentence(host):
    host.write("bin/claude", "#!/usr/bin/env node\n", 0o755)
    path, note = kept_cli()
    assert path is None
    assert "is a script" in note


def test_what_a_killed_hub_left_half_copied_is_removed(host):
    host.write("bin/claude", BINARY, 0o755)
    (host.data / "claude-cli/.new-0123").mkdir(parents=True)
    (host.data / "claude-cli/.new-0123/claude").write_bytes(b"half")
    kept_cli()
    assert sorted(os.listdir(host.data / "claude-cli")) == [".lock", digest(BINARY), "known.json"]


def age(path, seconds=2 * claude_cli.UNUSED_SECONDS):
    os.utime(path, (time.time() - seconds,) * 2)


def test_only_copies_that_no_container_names_are_removed(host):
    source = host.write("bin/claude", BINARY, 0o755)
    old = kept()
    source.unlink()
    host.write("bin/claude", NEWER, 0o755)
    new = kept()
    age(old.parent)
    age(new.parent)
    assert remove_unused_clis({str(old)}) == [new.parent.name]
    assert old.exists()
    assert remove_unused_clis({old.parent.name}) == []
    assert remove_unused_clis(set()) == [old.parent.name]
    assert kept().read_bytes() == NEWER


def test_a_copy_just_handed_out_is_not_removed(host):
    host.write("bin/claude", BINARY, 0o755)
    path = kept()
    age(path.parent)
    kept_cli()
    assert remove_unused_clis(set()) == []


def test_a_link_in_place_of_a_copy_is_removed_and_not_its_target(host):
    precious = host.write("precious/claude", b"precious")
    store = host.data / "claude-cli"
    store.mkdir()
    (store / digest(BINARY)).symlink_to(precious.parent)
    host.write("bin/claude", BINARY, 0o755)
    assert kept().read_bytes() == BINARY
    assert precious.read_bytes() == b"precious"


def test_removing_unused_copies_is_quiet_when_there_are_none(host):
    assert remove_unused_clis(set()) == []
