"""Image variants: an image whose user `claude` has the uid and gid of a workspace's owner.

The tag is `<repository>:<12 hex of the image's id>-u<uid>-g<gid>`, so a rebuilt image gets variants of its own.
"""

import re

from django.conf import settings

from projects.engine.base import BuildSpec, Engine, ImageInfo
from projects.engine.errors import WrongState
from projects.models import ImageBuild
from projects.services.build_context import context_directory, variant_digest
from projects.services.errors import BadInput, Busy, ImageMissing
from projects.services.filelock import FileLock

LABEL_IMAGE = "io.containerhub.image"
LABEL_CLAUDE = "io.containerhub.claude"
LABEL_VARIANT_OF = "io.containerhub.variant-of"
LABEL_VARIANT_REF = "io.containerhub.variant-ref"
LABEL_VARIANT_DIGEST = "io.containerhub.variant-digest"
WAIT_SECONDS = 600
LARGEST_ID = 2**32 - 2  # the kernel keeps the last one for "no id"

_BY_ID = re.compile(r"^(sha256:)?[0-9a-f]{12,64}$")


def ensure_variant(engine: Engine, image: str, uid: int, gid: int) -> str:
    """The image to make a container from: `image` itself when its `claude` is uid:gid, else its variant, built if need be.

    Safe to call from many processes at once: one builds, the others wait. Takes seconds when it builds, a few
    milliseconds else. Raises ImageMissing, BadInput, Busy (another's build takes 10 minutes), BuildFailed.
    """
    if not (0 < uid <= LARGEST_ID and 0 <= gid <= LARGEST_ID):
        raise BadInput(f"No container can work as uid {uid} and gid {gid}: give the workspace to an ordinary user.")
    base = engine.images.inspect(image)
    if base is None:
        raise ImageMissing(_missing(image))
    if base.labels.get(LABEL_CLAUDE) == f"{uid}:{gid}":
        return image
    tag = variant_tag(image, base.image_id, uid, gid)
    if _stands(engine, tag, base):
        return tag
    lock = FileLock(settings.CONTAINERHUB.data_dir / "builds" / f"variant-{tag.rpartition(':')[2]}.lock")
    if not lock.take(wait_seconds=WAIT_SECONDS):
        raise Busy(f"The image {tag} has been under construction for {WAIT_SECONDS // 60} minutes; try again later.")
    try:
        if not _stands(engine, tag, base):
            _build(engine, image, base, tag, uid, gid)
    finally:
        lock.release()
    return tag


def variant_tag(image: str, image_id: str, uid: int, gid: int) -> str:
    """The variant's name, from the image's reference and its id (64 hex, perhaps after `sha256:`)."""
    return f"{_repository(image)}:{image_id.removeprefix('sha256:')[:12]}-u{uid}-g{gid}"


def stale_images(engine: Engine) -> list[ImageInfo]:
    """The variants of images that were rebuilt or are gone, and this hub's replaced builds; containers may use some of them."""
    variants = engine.images.list(labels={LABEL_IMAGE: "variant"})
    ours = set(ImageBuild.objects.exclude(image_id="").values_list("image_id", flat=True))
    replaced = [found for found in engine.images.list(labels={LABEL_IMAGE: "base"}) if not found.tags and found.image_id in ours]
    return [found for found in variants if LABEL_VARIANT_OF in found.labels and not _is_current(engine, found)] + replaced


def remove_unused_variants(engine: Engine) -> list[str]:
    """Remove `stale_images`; the names removed. What any container uses stays."""
    return [name for found in stale_images(engine) for name in found.tags or (found.image_id,) if _remove(engine, name)]


def _is_current(engine: Engine, variant: ImageInfo) -> bool:
    base = engine.images.inspect(variant.labels.get(LABEL_VARIANT_REF, ""))
    return bool(variant.tags) and base is not None and base.image_id == variant.labels[LABEL_VARIANT_OF]


def _remove(engine: Engine, name: str) -> bool:
    try:
        engine.images.remove(name)
    except WrongState:  # a container uses it, which is what keeps it
        return False
    return True


def _stands(engine: Engine, tag: str, base: ImageInfo) -> bool:
    found = engine.images.inspect(tag)
    return (
        found is not None
        and found.labels.get(LABEL_VARIANT_OF) == base.image_id
        and found.labels.get(LABEL_VARIANT_DIGEST) == variant_digest()
    )


def _build(engine: Engine, image: str, base: ImageInfo, tag: str, uid: int, gid: int) -> None:
    spec = BuildSpec(
        context=context_directory(),
        dockerfile="variant/Dockerfile",
        tag=tag,
        build_args={"BASE": base.image_id, "UID": str(uid), "GID": str(gid)},
        labels={
            LABEL_IMAGE: "variant",
            LABEL_CLAUDE: f"{uid}:{gid}",
            LABEL_VARIANT_OF: base.image_id,
            LABEL_VARIANT_REF: image,
            LABEL_VARIANT_DIGEST: variant_digest(),
        },
    )
    for _line in engine.images.build(spec):
        pass  # its log is the sentence of BuildFailed; a variant takes seconds


def _repository(image: str) -> str:
    """`registry:5000/team/image` of `registry:5000/team/image:tag@sha256:…`; a name of ours for a bare id."""
    if _BY_ID.match(image):
        return "containerhub-variant"
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _missing(image: str) -> str:
    if image == settings.CONTAINERHUB.base_image:
        return f"The image {image} is not on the Engine: build it (make up, or hub build), then try again."
    return f"The image {image} is not on the Engine: pull or build it there (docker pull {image}), then try again."
