"""The doctor: looks at the host, the Engine and the hub itself, and names a remedy for whatever is not well.

It changes nothing. Each check is a function of its own that yields findings; one that breaks says so and stops no other.
"""

from collections.abc import Callable, Iterable

import structlog
from django.db import DatabaseError

from projects.engine.base import Engine
from projects.engine.errors import EngineError, EngineUnreachable
from projects.services.doctor import engine as engine_checks
from projects.services.doctor import files, hub, network, workspaces
from projects.services.doctor.finding import Finding, Severity, error, unknown
from projects.services.engines import current_engine

__all__ = ["Finding", "Severity", "examine"]

log = structlog.get_logger(__name__)

WITHOUT_ENGINE: tuple[Callable[[], Iterable[Finding]], ...] = (
    hub.database,
    hub.processes,
    hub.clock,
    files.data_directory,
    files.secret_files,
    files.workspace_roots,
    workspaces.workspaces,
    workspaces.workspace_disks,
    workspaces.clones,
    files.claude_cli,
    network.hub_address,
)
WITH_ENGINE: tuple[Callable[[Engine], Iterable[Finding]], ...] = (
    engine_checks.version,
    engine_checks.runtime,
    engine_checks.base_image,
    engine_checks.disk,
    engine_checks.network,
    engine_checks.leftovers,
    network.reachable_services,
)


def examine() -> list[Finding]:
    """Every finding, the Engine's first. Raises nothing: an unreachable Engine is a finding."""
    engine = current_engine()
    findings = _engine_findings(engine)
    for check in WITHOUT_ENGINE:
        findings += _guarded(check.__name__, check)
    return findings


def _engine_findings(engine: Engine) -> list[Finding]:
    try:
        engine.ping()
    except EngineUnreachable as failure:
        remedy = "Start Docker (systemctl start docker, or make up), or correct DOCKER_HOST; whether you may use its socket matters too."
        return [error("engine", str(failure), remedy)]
    findings: list[Finding] = []
    for check in WITH_ENGINE:
        findings += _guarded(check.__name__, check, engine)
    return findings


def _guarded(name: str, check: Callable[..., Iterable[Finding]], *arguments: object) -> list[Finding]:
    title = name.replace("_", " ")
    try:
        return list(check(*arguments))
    except EngineError as failure:
        return [unknown(title, str(failure), "Look at the Engine first, then examine again.")]
    except DatabaseError:
        return [unknown(title, "The database could not be asked.", "Look at the database first, then examine again.")]
    except Exception as failure:  # the doctor must finish whatever state the host is in; the cause is in the log
        log.exception("doctor.check_broke", check=name)
        return [unknown(title, f"This check itself broke ({type(failure).__name__}: {failure}).", "Report it, with hub --verbose doctor.")]
