"""Who may not read the data directory gets one sentence, whoever he is on this machine.

The other user is root without the right to pass over permissions: the interpreter may stand where nobody else can read it.
"""

import os
import subprocess

import pytest

SOMEBODY = 65534
AS_ANOTHER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def give(place, uid: int) -> None:
    for folder, _folders, names in os.walk(place):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, uid, uid)


@pytest.fixture
def another(hub):
    """The sandbox's hub, whose data directory belongs to somebody else."""
    give(hub.box.data_dir, SOMEBODY)
    return lambda *words: subprocess.run(
        [*AS_ANOTHER, *hub.command, *words], env=hub.box.environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("words", ["ps", "exec docs -- true", "user create ann --no-password --admin", "doctor"])
def test_another_user_of_the_machine_is_refused_in_one_sentence(another, words):
    done = another(*words.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hub: uid 0 may not use ")
    assert "sudo -u nobody hub" in done.stderr
    assert done.stderr.count("\n") == 1


def test_keys_of_his_own_do_not_open_it_either(another, hub):
    hub.box.environment |= {"CONTAINERHUB_SECRET_KEY": "x" * 60, "CONTAINERHUB_ENCRYPTION_KEYS": "A" * 43 + "="}
    done = another("user", "ls")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hub: ")
    assert done.stderr.count("\n") == 1


def test_his_completion_stays_silent(another, hub):
    hub.box.environment |= {"_HUB_COMPLETE": "complete_bash", "COMP_WORDS": "hub ensure d", "COMP_CWORD": "2"}
    done = another()
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_the_user_whose_hub_it_is_may(another, hub):
    give(hub.box.data_dir, 0)
    assert another("user", "ls", "--json").stdout == "[]\n"
