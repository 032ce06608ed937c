"""Which Engine the services talk to: one lazy client per process, made after any fork."""

import os

from django.conf import settings

from projects.engine.base import Engine

_engines: dict[int, Engine] = {}
_given: Engine | None = None


def current_engine() -> Engine:
    """This process's Engine. Raises EngineUnreachable only when it is first used, not here."""
    if _given is not None:
        return _given
    engine = _engines.get(os.getpid())
    if engine is None:
        from projects.engine.connection import connect  # here, so that the fake needs no SDK

        engine = _engines[os.getpid()] = connect(timeout_seconds=settings.CONTAINERHUB.engine_timeout_seconds)
    return engine


def use_engine(engine: Engine | None) -> None:
    """Use this Engine instead (tests, benchmarks); None goes back to the configured one."""
    global _given
    _given = engine
