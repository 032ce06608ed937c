"""What a refresh takes away is told before, and what it keeps is there after: terminals, setup, workspace, Claude's configuration."""

import json
import zipfile
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.sandbox import Sandbox
from tests.support import wait_until

pytestmark = pytest.mark.live

LOOK = "from projects.services import manifests; answer(manifests.look(project=Project.objects.get()).sentence)"
REFRESH = "lifecycle.refresh_container(project=Project.objects.get(), actor=ACTOR)\n"
SETUP = "#!/bin/sh\necho again >> /workspace/setups\necho here > /home/claude/from-setup\n"
# A package of each installer, made in the container itself: no network.
DEB = """
mkdir -p /tmp/deb/DEBIAN /tmp/deb/opt/tiny && cd /tmp
printf 'Package: tiny-tool\\nVersion: 1.2\\nArchitecture: all\\nMaintainer: nobody\\nDescription: tiny\\n' > deb/DEBIAN/control
seq 5 | xargs -I N touch deb/opt/tiny/N
dpkg-deb --build deb tiny.deb && apt-get install -y ./tiny.deb && rm -r deb tiny.deb
"""
NPM = """
mkdir -p /tmp/tinyjs && cd /tmp/tinyjs && printf '{"name": "@tiny/js", "version": "3.0.0"}' > package.json
npm pack --silent && npm install --global --offline --no-audit --no-fund ./tiny-js-3.0.0.tgz
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("keeps"))
    box.migrate()
    box.add_project("demo")
    scripts = box.roots / "demo" / ".containerhub"
    scripts.mkdir()
    (scripts / "setup.sh").write_text(SETUP)
    (scripts / "setup.sh").chmod(0o755)
    box.python("lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR)\nimport threading\n" + JOIN)
    yield box
    box.clean()


# Its setup runs on threads of the process that asked, and ends with it: waited for there.
JOIN = """
[thread.join() for thread in threading.enumerate() if thread.name.startswith('setup-')]
from tests.support import wait_until
wait_until(lambda: not CommandRun.objects.filter(state='running').exists(), 60)
"""


def container(box: Sandbox) -> Any:
    return docker.from_env().containers.get(f"{box.prefix}-demo")


def run(box: Sandbox, command: str, user: str = "claude") -> str:
    done = container(box).exec_run(["sh", "-c", command], user=user)
    assert done.exit_code == 0, done.output.decode()
    return str(done.output.decode())


def test_what_was_installed_by_apt_pip_and_npm_is_named_and_the_rest_is_counted(box):
    run(box, "rm -f /home/claude/from-setup")
    assert box.python(LOOK) == "Nothing was installed or written outside of the workspace and Claude's configuration."
    with zipfile.ZipFile(box.roots / "demo" / "tiny_py-2.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_py.py", "")
        wheel.writestr("tiny_py-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny_py\nVersion: 2.0\n")
        wheel.writestr("tiny_py-2.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny_py-2.0.dist-info/RECORD", "")
    run(box, DEB, user="root")
    run(box, "pip install --break-system-packages --no-index --no-deps /workspace/tiny_py-2.0-py3-none-any.whl")
    run(box, NPM, user="root")
    run(box, "echo note > /home/claude/notes && mkdir /workspace/src && seq 300 | xargs -I N touch /workspace/src/N")
    contents = box.python(
        "from dataclasses import asdict\nfrom projects.services import manifests\n"
        "answer(asdict(manifests.look(project=Project.objects.get()).contents))"
    )
    assert contents["apt"] == {"count": 1, "names": ["tiny-tool"]}
    assert contents["pip"] == {"count": 1, "names": ["tiny_py 2.0"]}
    assert contents["npm"] == {"count": 1, "names": ["@tiny/js"]}
    assert {"path": "/opt/tiny", "files": 5} in contents["directories"]
    assert contents["home_files"] >= 1
    assert contents["files"] < 300, "what lies in the workspace is not lost"


def test_terminals_are_there_again_where_they_stood_and_setup_ran_again(box):
    before = container(box).id
    run(box, "mkdir -p /tmp/passing; echo kept > /home/claude/.claude/mine")
    box.python("""
        from projects.services.engines import current_engine
        from projects.services.terminals import make_session
        from projects.services.terminals.tmux import places, tmux
        from tests.support import wait_until
        project = Project.objects.get()
        engine, ref = current_engine(), project.docker_id
        for name, place in (("main", "/workspace/src"), ("logs", "/usr/lib"), ("gone", "/tmp/passing")):
            make_session(project=project, name=name, actor=ACTOR)
            tmux(engine, ref, "send-keys", "-t", name, f"cd {place}", "Enter")
            wait_until(lambda: (places(engine, ref) or {}).get(name) == place, 30)
        tmux(engine, ref, "new-session", "-d", "-s", "by-hand", "-c", "/workspace")
    """)
    box.python(REFRESH + "import threading\n" + JOIN)
    assert container(box).id != before
    found = run(box, "tmux -L hub list-sessions -F '#{session_name} #{pane_current_path}'").split()
    assert dict(zip(found[::2], found[1::2], strict=True)) == {
        "main": "/workspace/src",
        "logs": "/usr/lib",
        "gone": "/workspace",
        "by-hand": "/workspace",
    }
    told = box.python("answer(Event.objects.get(kind='terminal.reopened').details['sessions'])")
    assert told == ["by-hand", "gone", "logs", "main"]
    assert box.python("answer(TerminalSession.objects.filter(closed_at__isnull=True, left_docker_id='').count())") == 4
    assert (box.roots / "demo" / "setups").read_text() == "again\nagain\n"
    assert run(box, "cat /home/claude/from-setup /home/claude/.claude/mine; ls /workspace/src | wc -l").split() == ["here", "kept", "300"]
    assert json.loads(box.python("answer(json.dumps(Manifest.objects.get().contents['apt']['names']))")) == ["tiny-tool"]


def test_terminals_come_back_with_the_old_container_when_the_new_one_fails(box):
    box.python(
        "from projects.services.gate import prove_refreshes\nfrom tests.support import wait_until\n"
        "wait_until(lambda: prove_refreshes(actor=ACTOR), 60)"
    )
    before = container(box).id
    box.python(
        "from projects.engine.errors import Refused\n"
        "from projects.services.engines import current_engine\n"
        "containers = current_engine().containers\nstart = type(containers).start\n"
        f"def refuse(self, ref):\n    if ref != {before!r}: raise Refused('It cannot start, on purpose.')\n    return start(self, ref)\n"
        "type(containers).start = refuse\n"
        "try:\n    " + REFRESH + "except Refused:\n    pass\n"
    )
    assert container(box).id == before
    names = run(box, "tmux -L hub list-sessions -F '#{session_name}'").split()
    assert sorted(names) == ["by-hand", "gone", "logs", "main"]


def test_a_hub_that_died_before_it_reopened_them_leaves_it_to_whoever_looks_next(box):
    before = container(box).id
    box.python("import os\nfrom projects.services import terminals\nterminals.reopen = lambda *, project: os._exit(0)\n" + REFRESH)
    assert container(box).id != before
    assert box.python("answer(TerminalSession.objects.exclude(left_docker_id='').count())") == 4
    wait_until(lambda: container(box).status == "running", 30)
    listed = box.python(
        "from projects.services.terminals import list_sessions\nanswer([row.name for row in list_sessions(project=Project.objects.get())])"
    )
    assert listed == ["by-hand", "gone", "logs", "main"]
    assert sorted(run(box, "tmux -L hub list-sessions -F '#{session_name}'").split()) == listed
