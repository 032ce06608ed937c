"""The images on the Engine that this hub made: the base image and its variants."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from projects.engine.base import ImageInfo
from projects.services.engines import current_engine
from projects.services.variants import LABEL_CLAUDE, LABEL_IMAGE, LABEL_VARIANT_OF


@dataclass(frozen=True)
class HubImage:
    """`claude` is the uid:gid of its user; `variant_of` the id of the image that it was made from, or nothing."""

    image_id: str
    tags: tuple[str, ...]
    created_at: datetime
    size_bytes: int
    claude: str
    variant_of: str


def list_images() -> list[HubImage]:
    """The configured base image (whoever built it), and every image that the hub built."""
    engine = current_engine()
    found = {image.image_id: image for kind in ("base", "variant") for image in engine.images.list(labels={LABEL_IMAGE: kind})}
    base = engine.images.inspect(settings.CONTAINERHUB.base_image)
    if base is not None:
        found.setdefault(base.image_id, base)
    return [_shown(image) for image in found.values()]


def _shown(image: ImageInfo) -> HubImage:
    return HubImage(
        image_id=image.image_id,
        tags=tuple(image.tags),
        created_at=image.created_at,
        size_bytes=image.size_bytes,
        claude=image.labels.get(LABEL_CLAUDE, ""),
        variant_of=image.labels.get(LABEL_VARIANT_OF, ""),
    )
