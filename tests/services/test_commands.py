import os
from datetime import timedelta

import pytest
from django.utils import timezone

from projects.engine.base import MARKER_VARIABLE
from projects.engine.errors import EngineUnreachable, NoSuchObject, WrongState
from projects.models import CommandRun, Container, Event, Project
from projects.services import commands, spool
from projects.services.asking import Answer
from projects.services.commands import kill, reader, settle
from projects.services.commands import start as starting
from projects.services.commands.leader import workdir_sentence
from projects.services.engines import use_engine
from projects.services.errors import BadInput, Busy, ContainerNotRunning, ForeignContainer
from projects.services.record import Actor
from projects.services.spool import Spool
from projects.states import RunState, Status, Stream
from tests.services.scripted import ScriptedEngine, container_info, outcome, printing, until_stopped, use_scripted

ANN = Actor(name="ann")
OUT, ERR = Stream.STDOUT, Stream.STDERR


@pytest.fixture
def project(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return Project.objects.create(slug="web", name="web", path=str(tmp_path / "web"))


@pytest.fixture
def engine(project, monkeypatch):
    scripted = ScriptedEngine(project)
    use_scripted(scripted)
    monkeypatch.setattr(reader, "KILL_POLL_SECONDS", 0)
    monkeypatch.setattr(reader, "LOST_WAIT_SECONDS", 1)
    yield scripted
    use_engine(None)


def with_secret(monkeypatch, secret):
    monkeypatch.setattr(settle, "secret_values", lambda project: [secret])
    monkeypatch.setattr(reader, "exec_environment", lambda project: {"GITHUB_TOKEN": secret})


def run(project, command="make", **options):
    return commands.run_command(project=project, actor=ANN, command=command, **options)


def row():
    return CommandRun.objects.get()


def orphan(project, **fields):
    return CommandRun.objects.create(project=project, command="make", timeout_seconds=300, actor_name="ann", **fields)


# -- how commands end -----------------------------------------------------------------------


def test_a_command_ends_with_its_output_its_code_and_its_events(project, engine):
    engine.play = printing((OUT, b"built\n"), (ERR, b"warn\n"), end=outcome(7))
    answer = run(project)
    assert (answer.exit_code, answer.stdout, answer.stderr) == (7, b"built\n", b"warn\n")
    assert (answer.state, answer.timed_out, answer.truncated, answer.message) == (RunState.FINISHED, False, False, "")
    assert (row().exec_id, row().output_bytes, row().actor_name) == ("e" * 64, 8 + 6 + 8 + 5, "ann")
    assert list(Event.objects.values_list("kind", "project_slug")) == [("run.ended", "web"), ("run.started", "web")]
    assert not spool.is_live(row())


def test_the_row_stands_and_its_lock_is_held_while_it_runs(project, engine):
    seen = []

    def play(sink, stop):
        seen.append((row().state, spool.is_live(row())))
        return outcome()

    engine.play = play
    run(project)
    assert seen == [("running", True)]


def test_the_engine_gets_the_workspace_as_directory_and_the_marker_in_the_environment(project, engine, monkeypatch):
    with_secret(monkeypatch, "ghp_secret")
    answer = run(project, "echo 'a b'", workdir="/tmp/x y")
    spec = engine.specs[0]
    assert (spec.user, spec.working_dir, spec.stdin, spec.tty) == ("claude", "/workspace", False, False)
    assert spec.environment == {MARKER_VARIABLE: answer.id.hex, "GITHUB_TOKEN": "ghp_secret"}
    assert spec.command[3:] == ("hub", "/tmp/x y", "echo 'a b'", answer.id.hex)


def test_secrets_are_masked_across_chunks_and_each_stream_for_itself(project, engine, monkeypatch):
    with_secret(monkeypatch, "ghp_secret")
    engine.play = printing((OUT, b"a ghp_se"), (ERR, b"ghp_"), (OUT, b"cret b ghp"), (ERR, b"secret!"))
    answer = run(project, "echo ghp_secret")
    assert (answer.stdout, answer.stderr) == (b"a *** b ghp", b"***!")
    assert not Event.objects.filter(message__contains="ghp_secret").exists()


def test_a_command_that_runs_too_long_is_killed_with_its_tree(project, engine):
    engine.play = printing((OUT, b"so far"), end=outcome(None, timed_out=True))
    answer = run(project, timeout_seconds=1)
    assert (answer.state, answer.timed_out, answer.exit_code, answer.stdout) == (RunState.TIMED_OUT, True, None, b"so far")
    assert engine.killed == [answer.id.hex]
    assert "1 seconds" in answer.message


def test_a_kill_that_is_not_sure_offers_a_restart(project, engine):
    engine.play = printing(end=outcome(None, timed_out=True))
    engine.kill_answer = False
    answer = run(project)
    assert answer.state == RunState.KILL_FAILED
    assert "restart the container" in answer.message


def test_an_engine_away_at_the_kill_is_a_kill_that_is_not_sure(project, engine):
    engine.play = printing(end=outcome(None, timed_out=True))
    engine.kill_answer = EngineUnreachable("The Engine is away.")
    assert run(project).state == RunState.KILL_FAILED


def test_a_kill_written_by_any_process_ends_the_command(project, engine):
    def play(sink, stop):
        CommandRun.objects.update(kill_requested=True, kill_requested_by="bob")
        return until_stopped(sink, stop)

    engine.play = play
    answer = run(project)
    assert (answer.state, answer.exit_code, answer.message) == (RunState.KILLED, None, "It was killed by bob.")
    assert engine.killed == [answer.id.hex]
    assert Event.objects.latest("id").actor_name == "bob"


def test_output_past_the_limit_kills_the_command(project, engine, settings):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"run_output_limit_mb": 1})
    engine.play = printing(*[(OUT, bytes(200_000))] * 10)
    answer = run(project)
    assert answer.state == RunState.OUTPUT_LIMIT
    assert engine.killed == [answer.id.hex]
    assert row().output_bytes == 1 << 20


def test_an_answer_keeps_the_tail_of_much_output(project, engine, settings):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"run_answer_limit_mb": 1})
    engine.play = printing((OUT, b"a" * 1_000_000), (OUT, b"b" * 1_000_000))
    answer = run(project)
    assert answer.truncated
    assert answer.stdout == b"a" * 48_576 + b"b" * 1_000_000


def test_out_of_memory_is_said_when_the_containers_own_count_rose(project, engine):
    engine.play = printing(end=outcome(137))
    engine.answers = [b"exit 137 oom\n"]
    answer = run(project)
    assert (answer.state, answer.exit_code) == (RunState.OUT_OF_MEMORY, 137)


def test_a_plain_137_is_an_exit_code_as_any_other(project, engine):
    engine.play = printing(end=outcome(137))
    engine.answers = [b"exit 137\n"]
    assert run(project).state == RunState.FINISHED


def test_a_working_directory_that_cannot_be_entered_is_a_failed_start(project, engine):
    sentence = workdir_sentence(CommandRun(workdir="/nowhere"))
    engine.play = printing((ERR, sentence.encode() + b"\n"), end=outcome(1))
    answer = run(project, workdir="/nowhere")
    assert (answer.state, answer.exit_code, answer.message) == (RunState.FAILED, 1, sentence)


def test_an_image_without_bash_is_a_failed_start_with_a_remedy(project, engine):
    said = b'OCI runtime exec failed: exec failed: exec: "bash": executable file not found in $PATH: unknown\r\n'
    engine.play = printing((OUT, said), end=outcome(126))
    answer = run(project)
    assert (answer.state, answer.exit_code) == (RunState.FAILED, None)
    assert "install bash" in answer.message


# -- a lost connection ----------------------------------------------------------------------


def test_after_a_lost_connection_only_the_leaders_file_tells_the_exit_code(project, engine):
    engine.play = printing((OUT, b"half"), end=outcome(None, connection_lost=True))
    engine.answers = [EngineUnreachable("The Engine is away."), b"alive\n", b"exit 3\n"]
    answer = run(project)
    assert (answer.state, answer.exit_code, answer.stdout) == (RunState.CONNECTION_LOST, 3, b"half")
    assert "lost" in answer.message


def test_a_126_of_the_engine_that_the_file_does_not_confirm_is_a_lost_connection(project, engine):
    engine.play = printing(end=outcome(126))
    engine.answers = [b"alive\n", b"exit 5\n"]
    answer = run(project)
    assert (answer.state, answer.exit_code) == (RunState.CONNECTION_LOST, 5)


def test_a_126_that_the_file_confirms_is_the_commands_own(project, engine):
    engine.play = printing(end=outcome(126))
    engine.answers = [b"exit 126\n"]
    answer = run(project)
    assert (answer.state, answer.exit_code) == (RunState.FINISHED, 126)


def test_without_the_leaders_file_a_lost_command_has_no_exit_code(project, engine):
    engine.play = printing(end=outcome(None, connection_lost=True))
    engine.answers = [b"gone\n"]
    assert (run(project).exit_code, row().state) == (None, RunState.CONNECTION_LOST)


def test_a_lost_command_that_runs_on_is_said_to(project, engine):
    engine.play = printing(end=outcome(None, connection_lost=True))
    engine.answers = [b"alive\n"]
    assert "still running" in run(project).message


def test_an_engine_that_stays_away_ends_the_waiting(project, engine):
    engine.play = printing(end=outcome(None, connection_lost=True))
    engine.answers = [EngineUnreachable("The Engine is away.")]
    assert "not known" in run(project).message


@pytest.mark.parametrize("error", [NoSuchObject("gone"), WrongState("stopped")])
def test_a_container_that_went_away_ends_the_waiting(project, engine, error):
    engine.play = printing(end=outcome(None, connection_lost=True))
    engine.answers = [error]
    answer = run(project)
    assert (answer.state, answer.exit_code) == (RunState.CONNECTION_LOST, None)


def test_an_engine_away_at_the_start_is_raised_and_stands_in_the_row(project, engine):
    def play(sink, stop):
        raise EngineUnreachable("The Engine is away.")

    engine.play = play
    with pytest.raises(EngineUnreachable):
        run(project)
    assert (row().state, row().message) == (RunState.FAILED, "The Engine is away.")


def test_a_reader_that_breaks_kills_the_command_and_says_so(project, engine):
    def play(sink, stop):
        raise RuntimeError("a bug")

    engine.play = play
    with pytest.raises(RuntimeError):
        run(project)
    assert row().state == RunState.INTERRUPTED
    assert engine.killed == [row().marker]


# -- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", "  \n", "a\0b", "x" * 100_001, "é" * 50_001, "\ud800", 7, None])
def test_a_bad_command_is_refused(project, engine, command):
    with pytest.raises(BadInput):
        run(project, command)
    assert not CommandRun.objects.exists()


@pytest.mark.parametrize(
    "workdir", ["", "src", "/proc/self/fd/8", "/sys", "//dev/x", "/workspace/../proc", "/a\0b", "/" + "x" * 1000, "/\ud800", None]
)
def test_a_bad_working_directory_is_refused(project, engine, workdir):
    with pytest.raises(BadInput):
        run(project, workdir=workdir)


@pytest.mark.parametrize("seconds", [0, -1, 604_801, 1.5, "9", True])
def test_a_bad_timeout_is_refused(project, engine, seconds):
    with pytest.raises(BadInput):
        run(project, timeout_seconds=seconds)


def test_processes_of_directories_that_only_look_like_the_kernels_are_fine(project, engine):
    assert run(project, workdir="/process").exit_code == 0


def test_a_container_that_does_not_run_is_refused_and_leaves_no_row(project, engine):
    engine.info_ = container_info(project, status=Status.EXITED)
    with pytest.raises(ContainerNotRunning, match="ensure"):
        run(project)
    engine.info_ = None
    with pytest.raises(ContainerNotRunning):
        run(project)
    assert not CommandRun.objects.exists()


def test_a_foreign_container_under_the_name_gets_no_command_and_no_secret(project, engine):
    engine.info_ = container_info(project, labels={})
    with pytest.raises(ForeignContainer):
        run(project)
    assert engine.specs == []


def test_the_limits_of_concurrent_commands_are_kept(project, engine, settings):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"runs_per_project": 1})
    running = orphan(project)
    with pytest.raises(Busy, match="project"):
        run(project)
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"runs_per_project": 5, "runs_in_all": 1})
    with pytest.raises(Busy, match="all projects"):
        run(project)
    assert CommandRun.objects.get() == running
    assert list((settings.DATA_DIR / "runs").iterdir()) == []  # no spool without a row


def test_a_run_belongs_to_the_containers_open_row(project, engine):
    fields = {"project": project, "name": "x", "generation": 1, "image": "i", "created_at": timezone.now()}
    Container.objects.create(docker_id="1", removed_at=timezone.now(), **fields)
    current = Container.objects.create(docker_id="2", **fields)
    run(project)
    assert row().container == current


# -- kill, and what a dead hub left ----------------------------------------------------------


def test_killing_a_command_that_ended_is_quiet(project, engine):
    run(project)
    assert commands.kill_command(run=row(), actor=ANN).state == RunState.FINISHED
    assert engine.killed == []


def test_killing_an_orphan_is_done_here(project, engine):
    left = orphan(project)
    assert commands.kill_command(run=left, actor=ANN).state == RunState.KILLED
    assert engine.killed == [left.marker]
    assert row().kill_requested_by == "ann"


def test_killing_an_orphan_whose_kill_is_not_sure_says_so(project, engine):
    engine.kill_answer = False
    assert commands.kill_command(run=orphan(project), actor=ANN).state == RunState.KILL_FAILED


def test_killing_waits_for_a_live_reader_and_answers_the_row_as_it_stands(project, engine, monkeypatch):
    monkeypatch.setattr(kill, "WAIT_SECONDS", 0.3)
    live = orphan(project)
    with Spool(live.id):
        answered = commands.kill_command(run=live, actor=ANN)
    assert (answered.state, answered.kill_requested) == (RunState.RUNNING, True)
    assert engine.killed == []


def test_what_a_lost_command_left_can_be_killed_and_its_state_stays(project, engine):
    lost = orphan(project, state=RunState.CONNECTION_LOST, finished_at=timezone.now(), message="Lost.")
    answered = commands.kill_command(run=lost, actor=ANN)
    assert (answered.state, answered.message) == (RunState.CONNECTION_LOST, "Lost. What was left of it was killed by ann.")
    assert engine.killed == [lost.marker]


def test_a_run_without_a_reader_is_interrupted_with_the_exit_code_of_the_file(project, engine):
    left = orphan(project)
    engine.answers = [b"exit 4\n"]
    assert commands.mark_interrupted() == 1
    left.refresh_from_db()
    assert (left.state, left.exit_code) == (RunState.INTERRUPTED, 4)
    assert commands.mark_interrupted() == 0


def test_an_interrupted_command_that_runs_on_is_said_to(project, engine):
    orphan(project)
    engine.answers = [b"alive\n"]
    commands.mark_interrupted()
    assert (row().state, row().exit_code) == (RunState.INTERRUPTED, None)
    assert "still running" in row().message


def test_a_run_with_a_reader_is_left_alone(project, engine):
    with Spool(orphan(project).id):
        assert commands.mark_interrupted() == 0
    assert row().state == RunState.RUNNING


def test_a_run_whose_engine_is_away_waits(project, engine):
    orphan(project)
    engine.answers = [EngineUnreachable("The Engine is away.")]
    assert commands.mark_interrupted() == 0
    assert row().state == RunState.RUNNING


def test_a_run_whose_container_is_gone_is_interrupted(project, engine):
    orphan(project)
    engine.answers = [NoSuchObject("gone")]
    assert commands.mark_interrupted() == 1


def test_a_kill_that_a_dead_reader_missed_is_done_at_start(project, engine):
    left = orphan(project, kill_requested=True, kill_requested_by="bob")
    engine.answers = [b"alive\n"]
    assert commands.mark_interrupted() == 1
    assert (row().state, engine.killed) == (RunState.KILLED, [left.marker])


def test_what_an_interrupted_command_left_is_killed_once_after_its_timeout(project, engine):
    now = timezone.now()
    left = orphan(project, state=RunState.INTERRUPTED, started_at=now - timedelta(seconds=301), finished_at=now)
    orphan(project, state=RunState.INTERRUPTED, started_at=now, finished_at=now)
    engine.answers = [b"alive\n"]
    commands.mark_interrupted()
    commands.mark_interrupted()
    assert engine.killed == [left.marker]


def test_an_interrupted_command_that_ends_by_itself_gets_its_exit_code(project, engine):
    orphan(project)
    engine.answers = [b"alive\n", b"alive\n", b"exit 3\n"]
    assert commands.mark_interrupted() == 1
    assert (row().exit_code, "still running" in row().message) == (None, True)
    commands.mark_interrupted()
    commands.mark_interrupted()
    assert (row().state, row().exit_code, "still running" in row().message) == (RunState.INTERRUPTED, 3, False)
    assert row().message.endswith("that is lost. It ended with exit code 3.")
    assert Event.objects.filter(kind="run.end_found").count() == 1


def test_a_lost_command_whose_container_is_gone_is_looked_for_once(project, engine):
    orphan(project, state=RunState.INTERRUPTED, finished_at=timezone.now(), message="Lost; it was still running.")
    engine.answers = [NoSuchObject("gone")]
    commands.mark_interrupted()
    commands.mark_interrupted()
    assert row().message == "Lost. It ended and left no exit code."


HALF_WRITTEN = {"half a payload": b"\x01\0\0\0\0\0\0\x09half", "only a header": b"\x01\0\0\0\0\0\0\x09", "half a header": b"\x01\0\0"}


@pytest.mark.parametrize("left", HALF_WRITTEN.values(), ids=HALF_WRITTEN)
def test_a_frame_that_a_killed_reader_left_half_written_ends_where_the_file_ends(project, engine, left):
    run = orphan(project)
    with Spool(run.id) as out:
        out.write(ERR, b"whole")
    with spool.path_of(run.id).open("ab") as file:
        file.write(left)
    commands.mark_interrupted()
    frames, used = spool.split_frames(spool.read_from(run, 0))
    assert used == spool.size_of(run) == row().output_bytes
    assert [(stream, data) for stream, data in frames if data] == [(ERR, b"whole"), *([(OUT, b"half")] if left.endswith(b"half") else [])]


# -- setup, and old output --------------------------------------------------------------------


def container_row(project):
    return Container.objects.create(project=project, docker_id="1", name="x", generation=1, image="i", created_at=timezone.now())


def test_a_setup_script_is_started_once_for_a_container(project, engine, monkeypatch):
    monkeypatch.setattr(starting, "_read_in_background", lambda reader, run: (reader.read(), run)[1])
    container = container_row(project)
    engine.answers = [b""]
    started = commands.run_setup(project, container)
    assert started is not None
    assert (started.purpose, started.command, started.state) == ("setup", "bash .containerhub/setup.sh", RunState.FINISHED)
    container.refresh_from_db()
    assert (container.setup_run, container.setup_done) == (started, True)
    assert commands.run_setup(project, container) is None


def test_a_setup_that_another_started_meanwhile_is_not_started_again(project, engine, monkeypatch):
    container = container_row(project)

    def taken_while_looking(*given):
        Container.objects.update(setup_done=True)
        return Answer(0, b"")

    monkeypatch.setattr(starting, "ask", taken_while_looking)
    assert commands.run_setup(project, container) is None
    assert not CommandRun.objects.exists()


def test_without_a_setup_script_that_is_noted(project, engine, monkeypatch):
    container = container_row(project)
    monkeypatch.setattr(starting, "ask", lambda *given: Answer(1, b""))
    assert commands.run_setup(project, container) is None
    container.refresh_from_db()
    assert (container.setup_run, container.setup_done) == (None, True)


def test_old_output_is_cut_to_its_tail_and_says_so(project, engine):
    engine.play = printing((OUT, b"a" * 100_000), (ERR, b"end"))
    run(project)
    assert commands.prune_spools() == 0
    CommandRun.objects.update(finished_at=timezone.now() - timedelta(days=31))
    assert commands.prune_spools() == 1
    assert commands.prune_spools() == 0
    tail = spool.tail(row())
    assert (len(tail.stdout), tail.stderr, tail.truncated) == (65_533, b"end", True)
    assert row().output_removed_at is not None


def test_output_of_removed_projects_goes_after_a_day(project, engine):
    run(project)
    path = spool.path_of(row().id)
    CommandRun.objects.all().delete()
    commands.prune_spools()
    assert path.exists()  # a run that is just starting has no row yet
    os.utime(path, (0, 0))
    commands.prune_spools()
    assert not path.exists()
