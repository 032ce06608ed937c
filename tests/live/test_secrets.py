"""A project's secrets in a real container: in each command's environment, in no configuration, masked in what is stored."""

import hashlib
import json

import pytest

pytestmark = pytest.mark.live
VALUE = "s3cr3t-value-of-the-project"
RUN = """
from projects.services.commands import run_command
done = run_command(project=Project.objects.get(), actor=ACTOR, command={command!r}, timeout_seconds=60)
answer([done.exit_code, bytes(done.stdout).decode()])
"""


def test_a_secret_is_in_every_command_and_nowhere_else(sandbox):
    sandbox.add_project("demo")
    sandbox.python("lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR)")
    sandbox.python(
        "from projects.services.project_secrets import set_secret\n"
        f"set_secret(project=Project.objects.get(), name='API_KEY', value={VALUE!r}, actor=ACTOR)"
    )
    _code, out = sandbox.python(RUN.format(command='printf %s "$API_KEY" | sha256sum; sudo printenv API_KEY; echo $API_KEY'))
    assert out.startswith(hashlib.sha256(VALUE.encode()).hexdigest())
    assert out.splitlines()[-1] == "***"
    slowly = "for c in $(printenv API_KEY | fold -w1); do printf %s $c; sleep 0.05; done"
    assert sandbox.python(RUN.format(command=slowly)) == [0, "***"]
    (container,) = sandbox.containers()
    assert VALUE not in json.dumps(container.attrs)
    assert VALUE not in container.logs().decode()
    assert VALUE not in sandbox.python("answer(str([[e.message, e.details] for e in Event.objects.all()]))")
    spooled = [path.read_bytes() for path in (sandbox.data_dir / "runs").rglob("*") if path.is_file()]
    assert spooled
    assert not any(VALUE.encode() in content for content in spooled)
    sandbox.python(
        "from projects.services.project_secrets import remove_secret\n"
        "remove_secret(project=Project.objects.get(), name='API_KEY', actor=ACTOR)"
    )
    assert sandbox.python(RUN.format(command="printenv API_KEY")) == [1, ""]
