"""What the images page shows: the base image with its layers, its variants, and whether it is to be built anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from projects.engine.base import ImageLayer
from projects.models import Container
from projects.services.base_image import is_outdated
from projects.services.engines import current_engine
from projects.services.image_list import HubImage, list_images


@dataclass(frozen=True)
class Variant:
    """`current`: made from the base image as it is now. `containers` counts those of this hub that stand on it."""

    image: HubImage
    current: bool
    containers: int


@dataclass(frozen=True)
class ImageOverview:
    """`base` None: it is not there yet. `changed`: what it is built from has changed since."""

    tag: str
    base: HubImage | None
    changed: bool
    layers: Sequence[ImageLayer]
    variants: Sequence[Variant]


def look_at_images() -> ImageOverview:
    """Raises EngineUnreachable."""
    tag = settings.CONTAINERHUB.base_image
    found = list_images()
    base = next((image for image in found if tag in image.tags), None)
    used = list(Container.objects.filter(removed_at__isnull=True).values_list("image_id", flat=True))
    variants = [
        Variant(image, base is not None and image.variant_of == base.image_id, used.count(image.image_id))
        for image in found
        if image.variant_of
    ]
    return ImageOverview(
        tag=tag,
        base=base,
        changed=base is not None and is_outdated(),
        layers=current_engine().images.history(tag) if base is not None else (),
        variants=sorted(variants, key=lambda one: (not one.current, one.image.tags)),
    )
