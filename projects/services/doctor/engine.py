"""The Engine: its version, its runtime, its disk, our image, our network, our containers."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from projects.engine.base import Engine
from projects.engine.errors import NameTaken
from projects.models import Project
from projects.services.doctor.finding import Finding, error, unknown, warning, well
from projects.services.images import LABEL_IMAGE
from projects.services.instance import instance_id
from projects.services.ours import our_containers
from projects.services.spec import hub_labels, network_name
from projects.services.throwaway import LABEL_PURPOSE
from projects.states import Status

OLDEST_DOCKER = (25, 0, 2)
"""The first whose own packages bring a runc without CVE-2024-21626."""
OLDEST_RUNC = (1, 2, 8)
"""The first of its line without CVE-2025-31133, -52565 and -52881."""
OLD_IMAGE = timedelta(days=60)
DISK_WARNING_PERCENT = 90


def version(engine: Engine) -> Iterator[Finding]:
    info = engine.info()
    said = f"Docker {info.version} (API {info.api_version}) at {info.base_url}, {info.storage_driver}, cgroup v{info.cgroup_version}"
    if numbers(info.version) < OLDEST_DOCKER:
        remedy = f"Update Docker to {dotted(OLDEST_DOCKER)} or newer, or see that your distribution still puts security fixes into it."
        yield warning("engine", f"{said}: older than {dotted(OLDEST_DOCKER)}.", remedy)
    else:
        yield well("engine", f"{said}.")
    if not info.is_local:
        yield warning(
            "engine",
            "The Engine is on another host: workspace paths are paths there, and no credentials are lent.",
            "Run the hub beside its Engine, unless that is what you want.",
        )


def runtime(engine: Engine) -> Iterator[Finding]:
    found = shutil.which("runc")
    if found is None or not engine.info().is_local:
        yield unknown("runc", "There is no runc on PATH here, so its version could not be read.")
        return
    said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout
    first = said.splitlines()[0] if said else "nothing"
    if numbers(first) < OLDEST_RUNC:
        remedy = f"Update runc to {dotted(OLDEST_RUNC)} or newer, or see that your distribution's package has the fixes of November 2025."
        yield warning("runc", f"{first}: versions before {dotted(OLDEST_RUNC)} let a container out.", remedy)
    else:
        yield well("runc", f"{first}.")


def base_image(engine: Engine) -> Iterator[Finding]:
    name = settings.CONTAINERHUB.base_image
    image = engine.images.inspect(name)
    if image is None:
        yield error("base image", f"There is no image {name} on the Engine.", "Build it: hub build.")
        return
    age = timezone.now() - image.created_at
    said = f"{name} ({image.image_id.removeprefix('sha256:')[:12]}) is {age.days} days old"
    if image.labels.get(LABEL_IMAGE) != "base":
        yield warning("base image", f"{said}, but was not built by hub build; it may lack what the hub needs.", "Build it: hub build.")
    elif age > OLD_IMAGE:
        yield warning("base image", f"{said}, so it lacks recent security fixes.", "Build it anew: hub build --no-cache, then refresh.")
    else:
        yield well("base image", f"{said}.")


def disk(engine: Engine) -> Iterator[Finding]:
    info = engine.info()
    if not (info.is_local and os.path.isdir(info.root_dir)):
        yield unknown("engine disk", f"The Engine's directory {info.root_dir} cannot be seen from here.")
        return
    used = used_percent(info.root_dir)
    if used >= DISK_WARNING_PERCENT:
        remedy = "Make room: docker system df shows what images and layers take, docker image prune removes unused ones."
        yield warning("engine disk", f"The disk of {info.root_dir} is {used:.0f} % full.", remedy)
    else:
        yield well("engine disk", f"The disk of {info.root_dir} is {used:.0f} % full.")


def network(engine: Engine) -> Iterator[Finding]:
    name = network_name(settings.CONTAINERHUB)
    if engine.networks.gateway(name) is None:
        yield well("network", f"The network {name} is made with the first container.")
        return
    try:
        engine.networks.ensure(name, labels=hub_labels(instance_id()))  # it exists, so this only looks
    except NameTaken as failure:
        remedy = f"Stop the containers, remove the network (docker network rm {name}), then hub refresh each project."
        yield error("network", f"Containers can reach each other over {name}: {failure}", remedy)
    else:
        yield well("network", f"Containers cannot reach each other over {name}.")


def leftovers(engine: Engine) -> Iterator[Finding]:
    slugs = set(Project.objects.values_list("slug", flat=True))
    ours = [found for found in our_containers(engine) if found.status is not Status.RUNNING or LABEL_PURPOSE not in found.labels]
    lost = [found.name for found in ours if found.labels.get("project_id") not in slugs]
    if lost:
        said = f"{len(lost)} containers of this hub have no project: {', '.join(sorted(lost))}."
        yield warning("containers", said, f"Remove them: docker rm -f {' '.join(sorted(lost))}")
    else:
        yield well("containers", "Every container of this hub has its project.")


def numbers(text: str) -> tuple[int, ...]:
    """The first dotted number in it: `runc version 1.1.5+ds1` is (1, 1, 5); (0,) where there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else (0,)


def dotted(version_numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, version_numbers))


def used_percent(path: str) -> float:
    """As df counts: of what may be used at all. 0 to 100."""
    found = os.statvfs(path)
    used = found.f_blocks - found.f_bfree
    total = used + found.f_bavail
    return 100 * used / total if total else 100.0
