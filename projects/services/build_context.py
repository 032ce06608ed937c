"""What an image is built from: the folder docker/, and certificates of the host's own network."""

import hashlib
from pathlib import Path

import structlog
from django.conf import settings

from projects.services.errors import Unready

CERTIFICATE_LIMIT_BYTES = 1024**2
_VARIANT_FILES = ("variant/Dockerfile", "scripts/*.sh", "etc/*")

log = structlog.get_logger(__name__)


def context_directory() -> Path:
    """The build context. Raises Unready where the hub was installed without it."""
    directory = Path(settings.BASE_DIR) / "docker"
    if not (directory / "base" / "Dockerfile").is_file():
        raise Unready(f"The folder {directory} with the image's Dockerfile is missing: run the hub from a whole checkout.")
    return directory


def extra_certificates() -> dict[str, bytes]:
    """The host's extra CA certificates as files of the context: path -> PEM. Empty when the host has none.

    Only `*.crt` files that hold certificates are taken, and never one with a private key in it.
    """
    directory: Path = settings.CONTAINERHUB.extra_ca_dir
    found = {}
    for path in sorted(directory.rglob("*.crt")) if directory.is_dir() else []:
        pem = _certificate(path)
        if pem is not None:
            name = "_".join(path.relative_to(directory).parts)
            found[f"extra-ca/{name}"] = pem
    return found


def _certificate(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(CERTIFICATE_LIMIT_BYTES + 1)
    except OSError as error:
        log.warning("image.certificate_left_out", path=str(path), why=str(error))
        return None
    if b"-----BEGIN CERTIFICATE-----" not in data or b"PRIVATE KEY-----" in data or len(data) > CERTIFICATE_LIMIT_BYTES:
        log.warning("image.certificate_left_out", path=str(path), why="not a PEM file of certificates alone")
        return None
    return data


def base_digest() -> str:
    """Changes when what the base image is made from changes: the folder, the version of Node, the certificates."""
    directory = context_directory()
    digest = hashlib.sha256(settings.CONTAINERHUB.node_version.encode())
    for folder in ("base", "scripts", "etc"):
        for path in sorted((directory / folder).rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(directory)}\0".encode() + path.read_bytes() + b"\0")
    for name, content in sorted(extra_certificates().items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]


def variant_digest() -> str:
    """Changes when what a variant is made from changes, so that an upgraded hub makes its variants anew."""
    directory = context_directory()
    digest = hashlib.sha256()
    for pattern in _VARIANT_FILES:
        for path in sorted(directory.glob(pattern)):
            digest.update(f"{path.relative_to(directory)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
