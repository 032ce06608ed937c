"""The few ways in which an Engine can fail, each with one sentence for the user.

Everything the SDK, `requests` or a socket raises becomes one of these at the border of
`projects.engine`; the original stays as `__cause__` for the log.
"""


class EngineError(Exception):
    """Base of all: `str(error)` is one sentence that says what happened and what to do."""


class EngineUnreachable(EngineError):
    """No answer: the Engine is down, hung past its deadline, or refuses us (HTTP 503 at the doors)."""


class ConnectionLost(EngineUnreachable):
    """A stream broke before its end was confirmed; what came after the cut is unknown."""


class NoSuchObject(EngineError):
    """The container, image, exec or network named does not exist."""


class NameTaken(EngineError):
    """Create or rename was refused because the name belongs to another object."""


class WrongState(EngineError):
    """The object exists but cannot do that now (exec in a stopped or paused container)."""


class Refused(EngineError):
    """The Engine understood and said no; the sentence carries its reason."""


class BuildFailed(EngineError):
    """An image build or pull ended with an error; the sentence carries the failing step."""


class BuildStopped(EngineError):
    """An image build was ended because its caller wished so."""
