"""The image that containers are made from: built once, and a word when what it is built from has changed since."""

from django.conf import settings

from projects.services.build_context import base_digest
from projects.services.engines import current_engine
from projects.services.errors import Unready
from projects.services.images import LABEL_IMAGE, LABEL_SOURCE, OnProgress, build_image
from projects.services.record import HUB
from projects.states import BuildState


def is_missing() -> bool:
    return current_engine().images.inspect(settings.CONTAINERHUB.base_image) is None


def build(on_progress: OnProgress) -> None:
    """Build it. Raises Unready with the failing step's words, Busy, EngineUnreachable."""
    result = build_image(actor=HUB, on_progress=on_progress)
    if result.state != BuildState.FINISHED:
        raise Unready(f"The image {result.tag} could not be built: {result.message}")


def is_outdated() -> bool:
    """It was built by a hub, from something else than what stands in docker/ now. One built by other hands never is."""
    info = current_engine().images.inspect(settings.CONTAINERHUB.base_image)
    return info is not None and info.labels.get(LABEL_IMAGE) == "base" and info.labels.get(LABEL_SOURCE) != base_digest()
