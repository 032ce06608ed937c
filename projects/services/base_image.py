"""The image that containers are made from: built once, and a word when what it is built from has changed since."""

import hashlib
import json
from pathlib import Path

from django.conf import settings

from projects.services.build_context import context_directory, extra_certificates
from projects.services.engines import current_engine
from projects.services.errors import Unready
from projects.services.images import OnProgress, build_image
from projects.services.record import HUB
from projects.states import BuildState


def is_missing() -> bool:
    return current_engine().images.inspect(settings.CONTAINERHUB.base_image) is None


def build(on_progress: OnProgress) -> None:
    """Build it. Raises Unready with the failing step's words, Busy, EngineUnreachable."""
    result = build_image(actor=HUB, on_progress=on_progress)
    if result.state != BuildState.FINISHED:
        raise Unready(f"The image {result.tag} could not be built: {result.message}")
    info = current_engine().images.inspect(result.tag)
    if info is not None:
        _note().write_text(json.dumps({"image_id": info.image_id, "source": _source_digest()}))


def is_outdated() -> bool:
    """The one that we built was built from something else than what stands in docker/ now."""
    try:
        note = json.loads(_note().read_text())
    except (OSError, ValueError):
        return False  # built by other hands, or by `hub build`: nobody can tell
    info = current_engine().images.inspect(settings.CONTAINERHUB.base_image)
    return info is not None and info.image_id == note.get("image_id") and _source_digest() != note.get("source")


def _note() -> Path:
    return Path(settings.DATA_DIR) / "base-image.json"


def _source_digest() -> str:
    digest = hashlib.sha256(settings.CONTAINERHUB.node_version.encode())
    directory = context_directory()
    for folder in ("base", "scripts", "etc"):
        for path in sorted((directory / folder).rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(directory)}\0".encode() + path.read_bytes() + b"\0")
    for name, content in sorted(extra_certificates().items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()
