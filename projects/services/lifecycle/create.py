"""From a project to a created container: everything that it needs, then one create."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.base import ContainerInfo, ContainerSpec, Engine
from projects.engine.errors import NameTaken, NoSuchObject
from projects.models import Container, Project
from projects.services import credentials, workspace
from projects.services.claims import Claim
from projects.services.errors import ImageMissing
from projects.services.images import ensure_variant
from projects.services.incarnations import close_rows, open_row
from projects.services.instance import instance_id
from projects.services.ours import demand_ours, predecessors
from projects.services.record import Actor, record
from projects.services.spec import build_spec, hub_labels, network_name


@dataclass(frozen=True)
class Prepared:
    """A spec ready to be created, and what was left out of it."""

    spec: ContainerSpec
    generation: int
    notes: tuple[str, ...]


def prepare_container(project: Project, claim: Claim, engine: Engine) -> Prepared:
    """Check the workspace again, find the image of its owner, fill what the host lends, and have our network.

    Raises Unready (workspace), ImageMissing, EngineError.
    """
    config = settings.CONTAINERHUB
    owner = workspace.recheck(project)
    image = claim.step(ensure_variant, engine, project.image or config.base_image, owner.uid, owner.gid)
    given = claim.step(credentials.prepare, project, uid=owner.uid, gid=owner.gid, engine_is_local=engine.info().is_local)
    claim.step(engine.networks.ensure, network_name(config), labels=hub_labels(instance_id()))
    generation = project.generation + 1
    spec = build_spec(project=project, config=config, image=image, given=given, instance=instance_id(), generation=generation)
    return Prepared(spec=spec, generation=generation, notes=given.notes)


def create_container(project: Project, claim: Claim, actor: Actor, engine: Engine, prepared: Prepared) -> tuple[Container, ContainerInfo]:
    """Create, or adopt what stands under the name already (another call was killed after its create). Not started.

    Raises ForeignContainer, ImageMissing, Refused.
    """
    claim.write(generation=prepared.generation)
    project.generation = prepared.generation
    try:
        docker_id = claim.step(engine.containers.create, prepared.spec)
    except NameTaken:
        docker_id = ""
    except NoSuchObject as error:
        raise ImageMissing(f"The image {prepared.spec.image} is not on the Engine: build it (hub build), then try again.") from error
    info = claim.step(engine.containers.inspect, docker_id or prepared.spec.name)
    if info is None:
        raise NoSuchObject(f"The container {prepared.spec.name} was removed while it was being made; try again.")
    demand_ours(info, project)
    return note_container(project, claim, actor, engine, info, notes=prepared.notes), info


def note_container(
    project: Project, claim: Claim, actor: Actor, engine: Engine, info: ContainerInfo, *, notes: tuple[str, ...] = ()
) -> Container:
    """The row of a container found under the project's name, made if need be, and the project pointing at it.

    A new one beside a predecessor is put on probation for the start period.
    """
    old = claim.step(predecessors, engine, project)
    with transaction.atomic():
        claim.write(docker_id=info.docker_id)
        row, new = open_row(project, info, notes=notes)
        if new:
            verb = "created" if notes or info.started_at is None else "adopted"
            record(
                f"container.{verb}",
                project=project,
                actor=actor,
                message=f"Container {info.short_id} was {verb} from {info.image}.",
                docker_id=info.docker_id,
                generation=row.generation,
                notes=list(notes),
            )
            close_rows(project, reason="Gone when the next one was made.", keep=info.docker_id)
        if old and row.prove_until is None and row.removed_at is None:
            put_on_probation(row, old[0].docker_id)
    project.docker_id = info.docker_id
    return row


def put_on_probation(row: Container, predecessor_id: str) -> None:
    """Until its health check passes once, the predecessor is kept for the way back."""
    Container.objects.filter(project=row.project, prove_until__isnull=False).exclude(pk=row.pk).update(prove_until=None)
    row.predecessor_id_on_engine = predecessor_id
    row.prove_until = timezone.now() + timedelta(seconds=settings.CONTAINERHUB.start_period_seconds)
    row.save(update_fields=["predecessor_id_on_engine", "prove_until"])
