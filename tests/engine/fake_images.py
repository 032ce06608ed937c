"""The fake Engine's images and networks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from projects.engine.base import BuildProgress, BuildSpec, ImageInfo, ImageLayer
from projects.engine.errors import BuildFailed, BuildStopped, ConnectionLost, NameTaken, WrongState

if TYPE_CHECKING:
    from tests.engine.fake import FakeEngine


class FakeImages:
    """`Images` in memory. `builds` holds every BuildSpec that was asked for."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self._images: dict[str, ImageInfo] = {}
        self.builds: list[BuildSpec] = []

    def add(
        self, tag: str, *, labels: Mapping[str, str] | None = None, user: str = "", environment: Mapping[str, str] | None = None
    ) -> str:
        """An image that is there; the tag leaves the image that had it. Its id."""
        image_id = f"sha256:{self._engine.new_id()}"
        for other in list(self._images.values()):
            self._images[other.image_id] = replace(other, tags=tuple(kept for kept in other.tags if kept != tag))
        self._images[image_id] = ImageInfo(image_id, (tag,), datetime.now(UTC), 1 << 20, dict(labels or {}), user, dict(environment or {}))
        return image_id

    def find(self, ref: str) -> ImageInfo | None:
        with_tag = ref if ":" in ref.rsplit("/", 1)[-1] else f"{ref}:latest"
        return next((image for image in self._images.values() if ref == image.image_id or with_tag in image.tags), None)

    def inspect(self, ref: str) -> ImageInfo | None:
        self._engine.called("images.inspect", ref=ref)
        return self.find(ref)

    def list(self, *, labels: Mapping[str, str] | None = None) -> Sequence[ImageInfo]:
        self._engine.called("images.list", labels=labels)
        wanted = (labels or {}).items()
        return [image for image in self._images.values() if all(image.labels.get(key) == value for key, value in wanted)]

    def history(self, ref: str) -> Sequence[ImageLayer]:
        self._engine.called("images.history", ref=ref)
        image = self.find(ref)
        return [ImageLayer(image.created_at, "RUN true", image.size_bytes)] if image else []

    def build(self, spec: BuildSpec, *, stop: Callable[[], bool] | None = None) -> Iterator[BuildProgress]:
        self._engine.called("images.build", spec=spec)
        self.builds.append(spec)
        steps = len(self._engine.build_lines)
        for step, line in enumerate(self._engine.build_lines, 1):
            if stop is not None and stop():
                raise BuildStopped("The build was stopped; its finished steps are kept, so the next one goes on from there.")
            yield BuildProgress(line, step, steps)
            if self._engine.losing:
                raise ConnectionLost("The connection to the Docker Engine broke in the middle; build again.")
        if self._engine.build_error:
            raise BuildFailed(f"The build failed at step {steps} of {steps}: {self._engine.build_error}")
        image_id = self.add(spec.tag, labels=spec.labels)
        self._engine.did("images.build", spec=spec, image_id=image_id)
        yield BuildProgress(f"Successfully built {image_id[7:19]}", steps, steps, image_id)

    def remove(self, ref: str) -> None:
        self._engine.called("images.remove", ref=ref)
        with self._engine.lock:
            image = self.find(ref)
            if image is None:
                return
            if any(box.image_id == image.image_id for box in self._engine.boxes.values()):
                raise WrongState(f"Image {ref} is used by a container; remove the container first.")
            del self._images[image.image_id]
        self._engine.did("images.remove", ref=ref)


@dataclass
class FakeNetwork:
    network_id: str
    labels: dict[str, str] = field(default_factory=dict)
    talkative: bool = False


class FakeNetworks:
    """`Networks` in memory; `add` makes one that somebody else made."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self._networks: dict[str, FakeNetwork] = {}

    def add(self, name: str, *, talkative: bool) -> None:
        self._networks[name] = FakeNetwork(self._engine.new_id(), {}, talkative)

    def has(self, name: str) -> bool:
        return name in self._networks

    def ensure(self, name: str, *, labels: Mapping[str, str]) -> str:
        self._engine.called("networks.ensure", name=name, labels=labels)
        with self._engine.lock:
            network = self._networks.setdefault(name, FakeNetwork(self._engine.new_id(), dict(labels)))
        if network.talkative:
            raise NameTaken(f"The network {name} lets its containers talk to each other: remove it, then try again.")
        self._engine.did("networks.ensure", name=name)
        return network.network_id

    def gateway(self, name: str) -> str | None:
        self._engine.called("networks.gateway", name=name)
        return "172.30.0.1" if name in self._networks else None

    def remove(self, name: str) -> None:
        self._engine.called("networks.remove", name=name)
        with self._engine.lock:
            if any(box.spec.network == name and box.info().running for box in self._engine.boxes.values()):
                raise WrongState(f"The network {name} has active endpoints.")
            self._networks.pop(name, None)
        self._engine.did("networks.remove", name=name)
