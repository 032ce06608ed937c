"""Commands on the real Engine: byte-exact, whole trees killed, cut connections and killed hubs told truthfully."""

from contextlib import ExitStack, contextmanager

import pytest

from tests.faultproxy import FaultProxy
from tests.sandbox import Sandbox
from tests.support import wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

USE = """
import hashlib, threading, time
from projects.services import commands, spool
from projects.services.commands import reader
from projects.services.commands.settle import quoted
from projects.services.engines import current_engine
P = Project.objects.get(slug="demo")
def run(command, **options):
    return commands.run_command(project=P, actor=ACTOR, command=command, **options)
def start(command, **options):
    return commands.start_command(project=P, actor=ACTOR, command=command, **options)
def until(predicate, seconds=60):
    end = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
def over(run):
    run.refresh_from_db()
    return run.state != "running"
def short(result):
    return [str(result.state), result.exit_code, result.stdout.decode(), result.stderr.decode()]
def payload_sha256(run_id):
    '''Read as a viewer does: raw bytes from offset to offset.'''
    row = CommandRun.objects.get(pk=run_id)
    found, rest, offset = {1: hashlib.sha256(), 2: hashlib.sha256()}, b"", 0
    while data := spool.read_from(row, offset):
        offset += len(data)
        frames, used = spool.split_frames(rest + data)
        rest = (rest + data)[used:]
        for stream, payload in frames:
            found[stream].update(payload)
    assert not rest
    return found[1].hexdigest()
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """One hub with one running container for all of this module."""
    made = Sandbox(tmp_path_factory.mktemp("hub"))
    made.migrate()
    made.add_project("demo")
    made.python("lifecycle.ensure_container(project=Project.objects.get(slug='demo'), actor=ACTOR)")
    yield made
    made.clean()


@contextmanager
def started(box: Sandbox, code: str, **variables: str):
    """A process of its own that runs `code`; ended, and its pipes closed, on the way out."""
    with box.start(USE + code, **variables) as process:
        try:
            yield process
        finally:
            process.kill()


def first_word_after(process, word: str) -> str:
    line = process.stdout.readline()
    assert line.startswith(word), line + process.stderr.read()
    return str(line.split()[1])


def processes(box: Sandbox, word: str) -> list[str]:
    """The container's processes that hold the word, asked from outside."""
    titles = box.containers()[0].top(ps_args="-eo pid,args")["Processes"]
    return [line[1] for line in titles if word in line[1]]


def test_exit_codes_are_those_of_the_command(box):
    code = "answer([short(run(c))[:2] for c in ('true', 'exit 7', 'kill -9 $$', 'kill -TERM $$', 'exit 255', 'no-such-command')])"
    ends = box.python(USE + code)
    assert ends == [["finished", number] for number in (0, 7, 137, 143, 255, 127)]


def test_streams_stdin_and_arguments_are_the_commands_own(box):
    code = r"""answer(short(run("echo 'a  b'; id -un; pwd; echo $0; cat; echo \"é\" >&2", workdir="/tmp")))"""
    state, exit_code, stdout, stderr = box.python(USE + code)
    assert (state, exit_code, stderr) == ("finished", 0, "é\n")
    assert stdout == "a  b\nclaude\n/tmp\nbash\n"


def test_a_working_directory_that_is_not_there_is_one_sentence(box):
    state, exit_code, stdout, stderr = box.python(USE + "answer(short(run('echo never', workdir='/no where')))")
    assert (state, exit_code, stdout) == ("failed", 1, "")
    assert stderr == "The working directory /no where cannot be entered in the container; choose one that exists there.\n"


def test_two_hundred_megabytes_arrive_byte_exact(box, record_property):
    code = r"""
began = time.monotonic()
result = run("head -c 209715200 /dev/urandom | tee >(sha256sum >/tmp/sum) >&1; until [ -s /tmp/sum ]; do sleep 0.1; done; cat /tmp/sum >&2")
seconds = time.monotonic() - began
answer([result.stderr.decode().split()[0], payload_sha256(result.id), result.truncated, len(result.stdout + result.stderr), seconds])
"""
    expected, found, truncated, kept, seconds = box.python(USE + code)
    record_property("seconds", seconds)
    print(f"200 MB of random bytes, hashed in the container too, in {seconds:.1f} s")
    assert found == expected
    assert (truncated, kept) == (True, 10 * 1024**2)


def test_fifty_megabytes_with_secrets_are_masked_everywhere(box):
    code = r"""
from projects.services.git_credentials import set_git_credential
set_git_credential(project=P, host="github.com", token="ghp_" + "Zk9" * 12, actor=ACTOR)
began = time.monotonic()
result = run('line="x${GITHUB_TOKEN}y"; for i in 1 2 3 4 5 6 7 8 9 10; do line+=$line; done; yes "$line" | head -c 50000000')
seconds = time.monotonic() - began
row = CommandRun.objects.get(pk=result.id)
frames, rest = [], b""
data = spool.path_of(result.id).read_bytes()
frames, used = spool.split_frames(data)
text = b"".join(payload for stream, payload in frames)
answer([result.exit_code, used == len(data), b"ghp_Z" in text[:-40], text.count(b"x***y") > 1_000_000, seconds])
"""
    exit_code, whole, leaked, masked, seconds = box.python(USE + code)
    print(f"50 MB with a secret each 42 bytes in {seconds:.1f} s")
    assert (exit_code, whole, leaked, masked) == (0, True, False, True)


def test_a_timeout_ends_the_whole_tree(box):
    code = """
result = run("sleep 7771 & setsid sleep 7771 & sudo sleep 7771 & (trap '' TERM; exec sleep 7771) & echo up; wait", timeout_seconds=2)
answer([*short(result)[:3], result.timed_out])
"""
    assert box.python(USE + code) == ["timed_out", None, "up\n", True]
    assert processes(box, "7771") == []


def test_a_kill_from_another_process_ends_the_whole_tree(box):
    code = "r = start('sleep 7772 & setsid sleep 7772 & wait'); print('ID', r.id, flush=True); until(lambda: over(r))"
    with started(box, code) as running:
        run_id = first_word_after(running, "ID")
        wait_until(lambda: len(processes(box, "sleep 7772")) >= 2, 30, reason="the command runs")
        kill = f"answer(str(commands.kill_command(run=CommandRun.objects.get(pk='{run_id}'), actor=ACTOR).state))"
        assert box.python(USE + kill) == "killed"
        assert processes(box, "sleep 7772") == []
        assert running.wait(30) == 0


def test_two_viewers_in_other_processes_see_what_is_printed_while_it_runs(box):
    code = """
r = start('echo one; until [ -e /tmp/go ]; do sleep 0.1; done; echo two')
print('ID', r.id, flush=True)
until(lambda: over(r))
"""
    view = """
r = CommandRun.objects.get(pk='{run_id}')
until(lambda: spool.split_frames(spool.read_from(r, 0))[0])
live = spool.is_live(r)
first = spool.read_from(r, 0)
print('SAW', live, flush=True)
until(lambda: over(r))
answer([first[8:].decode(), live, spool.read_from(r, len(first))[8:].decode()])
"""
    with ExitStack() as stack:
        running = stack.enter_context(started(box, code))
        run_id = first_word_after(running, "ID")
        viewers = [stack.enter_context(started(box, view.format(run_id=run_id))) for _ in range(2)]
        assert [first_word_after(viewer, "SAW") for viewer in viewers] == ["True", "True"]
        box.containers()[0].exec_run(["touch", "/tmp/go"])
        for viewer in viewers:
            assert '["one\\n", true, "two\\n"]' in viewer.communicate(timeout=60)[0]
        assert running.wait(30) == 0


def test_output_past_the_limit_kills_the_command(box):
    code = "result = run('yes 7773'); answer([str(result.state), result.exit_code, spool.size_of(CommandRun.objects.get(pk=result.id))])"
    state, exit_code, size = box.python(USE + code, CONTAINERHUB_RUN_OUTPUT_LIMIT_MB="3")
    assert (state, exit_code) == ("output_limit", None)
    assert 3 * 1024**2 - 16 < size <= 3 * 1024**2
    assert processes(box, "7773") == []


def test_a_cut_connection_is_lost_with_the_true_exit_code_of_the_file(box, tmp_path):
    code = """
print('GO now', flush=True)
answer(short(run('echo before; until [ -e /tmp/on ]; do sleep 0.1; done; echo after; exit 5'))[:3])
"""
    arrived = (
        "until(lambda: CommandRun.objects.filter(state='running') and spool.size_of(CommandRun.objects.get(state='running'))); answer(1)"
    )
    with FaultProxy(tmp_path / "engine.sock") as proxy, started(box, code, DOCKER_HOST=proxy.base_url) as running:
        first_word_after(running, "GO")
        box.python(USE + arrived)
        proxy.cut()
        box.containers()[0].exec_run(["touch", "/tmp/on"])
        output, errors = running.communicate(timeout=90)
    assert '["connection_lost", 5, "before\\n"]' in output, output + errors


def killed_hub(box: Sandbox, command: str) -> str:
    """The id of a run whose hub was killed -9 after the command's first output."""
    code = f"r = start({command!r}); until(lambda: spool.size_of(r)); print('ID', r.id, flush=True); time.sleep(600)"
    with started(box, code) as running:
        return first_word_after(running, "ID")


def test_a_killed_hub_leaves_an_interrupted_run_with_the_true_exit_code(box):
    run_id = killed_hub(box, "echo early; until [ -e /tmp/on6 ]; do sleep 0.1; done; exit 6")
    container = box.containers()[0]
    r = f"r = CommandRun.objects.get(pk='{run_id}')"
    assert box.python(f"{USE}\n{r}\nanswer([r.state, spool.is_live(r)])") == ["running", False]
    container.exec_run(["touch", "/tmp/on6"])
    written = ["test", "-s", f"/run/containerhub/runs/{run_id.replace('-', '')}"]
    wait_until(lambda: container.exec_run(written).exit_code == 0, 30, reason="the leader wrote its exit code")
    code = f"""
{r}
n, m = commands.mark_interrupted(), commands.mark_interrupted()
r.refresh_from_db()
answer([n, m, r.state, r.exit_code, spool.tail(r).stdout.decode()])
"""
    assert box.python(USE + code) == [1, 0, "interrupted", 6, "early\n"]


def test_what_a_killed_hub_left_running_can_be_killed(box):
    run_id = killed_hub(box, "echo up; sleep 7774; true")
    assert processes(box, "sleep 7774")
    code = f"answer(str(commands.kill_command(run=CommandRun.objects.get(pk='{run_id}'), actor=ACTOR).state))"
    assert box.python(USE + code) == "killed"
    assert processes(box, "sleep 7774") == []


def test_running_out_of_memory_is_said(box, tmp_path):
    box.add_project("small", memory_limit_mb=128)
    code = """
P = Project.objects.get(slug="small")
lifecycle.ensure_container(project=P, actor=ACTOR)
result = run("python3 -c 'x = bytearray(400 * 1024**2)'")
answer([str(result.state), result.exit_code, result.message])
"""
    state, exit_code, message = box.python(USE + code)
    assert (state, exit_code) == ("out_of_memory", 137)
    assert "128 MB" in message


def test_the_setup_script_runs_once_after_the_container_is_made(box):
    path = box.workspace("prepared")
    (path / ".containerhub").mkdir()
    (path / ".containerhub" / "setup.sh").write_text("echo prepared; id -un\n")
    code = f"""
P = Project.objects.create(slug="prepared", name="prepared", path={str(path)!r})
for _ in range(2):
    lifecycle.ensure_container(project=P, actor=ACTOR)
until(lambda: CommandRun.objects.filter(project=P, state="finished").exists())
answer([[r.purpose, r.state, r.exit_code, spool.tail(r).stdout.decode()] for r in CommandRun.objects.filter(project=P)])
"""
    assert box.python(USE + code) == [["setup", "finished", 0, "prepared\nclaude\n"]]


def test_stats_and_health_of_a_real_container(box):
    code = """
from dataclasses import asdict
from projects.services.health import check_health
from projects.services.usage import get_stats
answer([asdict(get_stats(project=P)), asdict(check_health(project=P))])
"""
    stats, health = box.python(USE + code, CONTAINERHUB_REFRESH_DISK_PERCENT="100")
    assert (stats["status"], stats["memory_limit_mb"]) == ("running", 8192.0)
    assert 0 < stats["memory_percent"] < 50
    assert 0 < stats["disk_usage_percent"] <= 100
    assert stats["pids"] >= 2
    assert health == {"healthy": True, "reason": "Healthy"}
