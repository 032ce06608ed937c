"""Variants: `claude` has the numbers of a workspace's owner, in any image."""

import os

import pytest

from tests.image.conftest import CONTEXT

pytestmark = pytest.mark.live
OWNERS = [(1001, 1001), (33, 33), (1000, 100), (4_000_000, 7), (1234, 0), (1001, 1000)]


@pytest.mark.parametrize(("uid", "gid"), OWNERS, ids=str)
def test_claude_has_the_owners_numbers_and_works_in_the_workspace(start, variant, tmp_path, uid, gid):
    os.chown(tmp_path, uid, gid)
    tmp_path.chmod(0o700)
    found = start("-e", "PROJECT_PATH=/workspace", "-v", f"{tmp_path}:/workspace", image=variant(uid, gid))
    assert found.logs() == ""
    group = "root" if gid == 0 else "claude"
    assert found.sh("id -un; id -u; id -gn; id -g") == f"claude\n{uid}\n{group}\n{gid}"
    assert found.sh("stat -c '%u:%g' /home/claude /home/claude/.bashrc /run/containerhub/runs").split() == [f"{uid}:{gid}"] * 3
    assert found.sh("touch made && sudo -n id -u") == "0"
    assert ((tmp_path / "made").stat().st_uid, (tmp_path / "made").stat().st_gid) == (uid, gid)
    assert found.run("/usr/local/bin/healthcheck").stdout == "OK: Container healthy\n"


def test_the_user_and_group_of_that_number_give_way_and_all_names_stay_unique(start, variant):
    found = start(image=variant(33, 33))
    assert found.sh("getent passwd 33 | cut -d: -f1; getent group 33 | cut -d: -f1") == "claude\nclaude"
    assert found.run("getent", "passwd", "www-data", check=False).stdout == ""
    assert found.sh("cut -d: -f1 /etc/passwd | sort | uniq -d; cut -d: -f1 /etc/group | sort | uniq -d") == ""
    assert found.sh("pwck -qr; grpck -r", user="root", check=False) == ""
    assert found.sh("stat -c '%a %U:%G' /etc/passwd /etc/shadow /etc/group /etc/gshadow").splitlines() == [
        "644 root:root",
        "640 root:shadow",
        "644 root:root",
        "640 root:shadow",
    ]


def test_a_variant_of_a_variant_is_as_good(start, variant):
    found = start(image=variant(1002, 1002, image=variant(1001, 1001)))
    assert found.sh("id -u; stat -c %u /home/claude; grep -c ^claude: /etc/passwd; sudo -n id -u") == "1002\n1002\n1\n0"


def test_a_plain_image_gets_the_user_and_the_scripts(start, variant, tmp_path):
    os.chown(tmp_path, 1005, 1006)
    found = start("-v", f"{tmp_path}:/workspace", image=variant(1005, 1006, image="debian:bookworm-slim"))
    assert found.sh("id -un; id -u; id -g; echo $HOME; pwd") == "claude\n1005\n1006\n/home/claude\n/workspace"
    assert found.run("/usr/local/bin/healthcheck").stdout == "OK: Container healthy\n"
    assert "no tmux" in found.logs()


@pytest.mark.parametrize(("uid", "gid"), [("0", "0"), ("1000;id", "1"), ("", "1"), ("1000", "x")])
def test_root_and_numbers_that_are_none_are_refused(start, uid, gid):
    found = start("-v", f"{CONTEXT / 'scripts'}:/scripts:ro")
    done = found.run("sh", "/scripts/prepare-image.sh", uid, gid, user="root", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("prepare-image: the uid must be a number above 0")
    assert found.sh("id -u claude") == "1000"
