"""What a use case can answer instead of a result. `str(error)` is one sentence with the remedy.

The doors translate: BadInput 400, Forbidden 403, NotFound 404, Busy 409, and any
`projects.engine.errors.EngineUnreachable` 503. Other EngineErrors are Refused by the Engine: 409.
"""


class HubError(Exception):
    """Base of all refusals that a user can meet."""


class BadInput(HubError):
    """What was asked for cannot be: a bad path, a bad name, an unknown option."""


class Forbidden(HubError):
    """The caller may see it but not do this."""


class NotFound(HubError):
    """There is none, or none that the caller may see."""


class Busy(HubError):
    """Another action is under way, or a limit of concurrent work is reached."""


class Taken(HubError):
    """There is one already (409)."""


class Spent(HubError):
    """It was good once: used, revoked, or too old by now (409; 410 for pages)."""


class ContainerNotRunning(HubError):
    """The use case needs a running container (409; 404 for stats)."""


class ForeignContainer(HubError):
    """The project's container name belongs to a container that is not ours (409)."""


class ImageMissing(HubError):
    """The image is not on the Engine (409)."""


class Unready(HubError):
    """The host lacks what the container needs, for example the owner of the workspace is wrong (409)."""


class ClaimLost(HubError):
    """Another process took the action over while this one was held up (409); its result stands."""
