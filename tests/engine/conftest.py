"""Both halves of the contract: every test that asks for `lab` runs on the fake and on the real Engine."""

from collections.abc import Iterator

import pytest

from projects.engine.base import Engine
from projects.engine.connection import connect
from tests.engine.fake import FakeEngine
from tests.engine.lab import Lab
from tests.faultproxy import FaultProxy


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.live)])
def engine(request) -> Iterator[Engine]:
    if request.param == "fake":
        yield FakeEngine()
        return
    real = connect()
    yield real
    real.close()


@pytest.fixture
def lab(engine) -> Iterator[Lab]:
    place = Lab(engine)
    yield place
    place.clean()


@pytest.fixture
def live() -> Iterator[Lab]:
    """The real Engine only."""
    real = connect()
    place = Lab(real)
    yield place
    place.clean()
    real.close()


@pytest.fixture
def proxy(tmp_path) -> Iterator[FaultProxy]:
    with FaultProxy(tmp_path / "engine.sock") as between:
        yield between


@pytest.fixture
def behind(proxy) -> Iterator[Lab]:
    """The real Engine, behind a proxy that fails to order; it gives up after 2 s."""
    real = connect(base_url=proxy.base_url, timeout_seconds=2)
    place = Lab(real)
    yield place
    proxy.set_mode("pass")
    place.clean()
    real.close()
