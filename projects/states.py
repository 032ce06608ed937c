"""Every word a row, an answer or a decision may hold: plain enums, without Django."""

from enum import IntEnum, StrEnum


class Status(StrEnum):
    """What was last observed of a project's container (always beside a `status_at`)."""

    NONE = "none"  # never made, or removed by us
    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"
    MISSING = "missing"  # removed from outside
    UNKNOWN = "unknown"  # the Engine could not be asked


class Health(StrEnum):
    """The Engine's own verdict of the container's health check."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Wanted(StrEnum):
    """What the project's people asked for."""

    RUNNING = "running"
    NONE = "none"


class Action(StrEnum):
    """What may be under way on a project (`pending_action`)."""

    NOTHING = ""
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    REFRESH = "refresh"
    REMOVE = "remove"


class Role(StrEnum):
    """What a member may do in a project; administrators stand above all three."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class RunState(StrEnum):
    """Where a command run stands. Everything but `running` is final."""

    RUNNING = "running"
    FINISHED = "finished"  # it ended by itself; exit_code is known
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    KILL_FAILED = "kill_failed"  # something of it may still run
    OUTPUT_LIMIT = "output_limit"
    OUT_OF_MEMORY = "out_of_memory"
    CONNECTION_LOST = "connection_lost"
    INTERRUPTED = "interrupted"  # its reader died with the hub
    FAILED = "failed"  # it never started


class BatchAction(StrEnum):
    """What may be done to several projects at once."""

    ENSURE = "ensure"
    START = "start"
    REFRESH = "refresh"
    STOP = "stop"
    RESTART = "restart"
    CHECK_HEALTH = "check_health"
    RUN_COMMAND = "run_command"
    REMOVE_CONTAINER = "remove_container"


class ItemState(StrEnum):
    """Where one project of a batch stands. `done` and `failed` are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class BuildState(StrEnum):
    """Where an image build stands."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class CloneState(StrEnum):
    """Where a clone stands. Everything but `queued` and `running` is final."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """What a look at a container's health leads to."""

    KEEP = "keep"
    WAIT = "wait"  # something is due or may become so; `cause` says for what it waits
    RESTART = "restart"
    REFRESH = "refresh"
    HOLD = "hold"  # it would not help, or has not helped: left to people


class Rule(StrEnum):
    """The reading that a decision goes by."""

    NONE = ""
    UNHEALTHY = "unhealthy"
    MEMORY = "memory"
    DISK = "disk"
    AGE = "age"


class Cause(StrEnum):
    """Why a decision is no act, or an act out of the ordinary."""

    NONE = ""
    OFF = "off"
    NOT_RUNNING = "not_running"
    UNDER_WAY = "under_way"
    PROVING = "proving"
    UNMEASURED = "unmeasured"
    SECOND_READING = "second_reading"
    BACK_OFF = "back_off"
    BUSY = "busy"
    QUIET_HOURS = "quiet_hours"
    COOL_DOWN = "cool_down"
    SLOTS = "slots"  # two at once in all
    SUSPECT = "suspect"  # too many at once: the sensor is suspected
    SUGGEST = "suggest"
    PINNED = "pinned"
    NO_HELP = "no_help"  # a refresh did not improve the reading
    NOTHING_TO_WIN = "nothing_to_win"
    HARD_LIMIT = "hard_limit"  # although busy


class RefreshMode(StrEnum):
    """Whether the hub acts on what it decides."""

    ACT = "act"
    SUGGEST = "suggest"
    OFF = "off"


class ChannelKind(StrEnum):
    """How a channel tells."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class Topic(StrEnum):
    """What a channel may want to hear of."""

    HOLD = "hold"  # the hub acts no more and leaves it to people
    REFRESH = "refresh"  # the hub refreshed a container by itself, or a refresh failed and the old one came back
    UNHEALTHY = "unhealthy"
    ENGINE = "engine"  # lost, and back
    WAITING = "waiting"  # a refresh has been due for 7 days


class DeliveryState(StrEnum):
    """Where a notification stands. `delivered` and `failed` are final."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class ChangeKind(StrEnum):
    """How a path in a container differs from its image."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


class Stream(IntEnum):
    """The stream numbers of Docker's attach frame format."""

    STDOUT = 1
    STDERR = 2
