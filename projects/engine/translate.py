"""The one place where an error of the SDK or its transport becomes one of `projects.engine.errors`."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import paramiko  # type: ignore[import-untyped]
import requests
import urllib3.exceptions

from projects.engine.errors import EngineError, EngineUnreachable, NameTaken, NoSuchObject, Refused, WrongState

_TRANSPORT = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    paramiko.SSHException,
    OSError,
)
_WRONG_STATE = ("is not running", "is paused", "is restarting", "cannot remove a running container", "is being used", "is using its")


@contextmanager
def translated(base_url: str) -> Iterator[None]:
    """Errors of the SDK within the block leave it as an EngineError, the original as its cause."""
    try:
        yield
    except EngineError:
        raise
    except docker.errors.APIError as error:
        raise from_api(error, base_url) from error
    except docker.errors.NullResource as error:
        raise NoSuchObject("The Docker Engine was asked for nothing: a name or an id is missing.") from error
    except (docker.errors.InvalidVersion, docker.errors.InvalidArgument) as error:
        raise Refused(f"The Docker Engine is too old for this: {_sentence(str(error))}") from error
    except docker.errors.DockerException as error:
        raise unreachable(base_url, error) from error
    except _TRANSPORT as error:
        raise unreachable(base_url, error) from error


def checked(response: requests.Response) -> requests.Response:
    """The response, unless it bears an error: then the SDK's own exception, for `translated`."""
    try:
        response.raise_for_status()
    except requests.HTTPError as error:
        raise docker.errors.create_api_error_from_http_exception(error) from error
    return response


def unreachable(base_url: str, error: BaseException) -> EngineUnreachable:
    """The sentence for an Engine that gave no answer."""
    if isinstance(error, requests.exceptions.Timeout | TimeoutError | urllib3.exceptions.TimeoutError):
        return EngineUnreachable(
            f"The Docker Engine at {base_url} did not answer in time: it may be overloaded or hung; try again, or restart it."
        )
    if "Permission denied" in str(error):
        return EngineUnreachable(
            f"The Docker Engine at {base_url} may not be opened by this user: add the user to the group docker, then sign in again."
        )
    if isinstance(error, paramiko.SSHException | docker.errors.TLSParameterError | requests.exceptions.SSLError):
        return EngineUnreachable(f"The Docker Engine at {base_url} cannot be trusted or signed in to: {_sentence(str(error))}")
    return EngineUnreachable(
        f"The Docker Engine at {base_url} does not answer: is it running? Start it (systemctl start docker), then try again."
    )


def from_api(error: docker.errors.APIError, base_url: str) -> EngineError:
    """By status code first, by the Engine's words where one code means several things."""
    status = error.status_code
    said = _sentence(str(error.explanation or error))
    if status == 404:
        return NoSuchObject(f"The Docker Engine has no such object: {said}")
    if status == 409:
        if "already in use" in said or "already exists" in said:
            return NameTaken(f"The name is taken: {said}")
        return WrongState(f"It cannot do that now: {said}")
    if status in (502, 503, 504):
        return unreachable(base_url, error)
    if any(words in said for words in _WRONG_STATE):
        return WrongState(f"It cannot do that now: {said}")
    return Refused(f"The Docker Engine refused: {said}")


def _sentence(text: str) -> str:
    """One line that ends with a full stop."""
    line = " ".join(text.split())
    return line if line.endswith(".") else f"{line}."
