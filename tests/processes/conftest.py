import pytest

from tests.processes.stack import Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A running hub for the tests of one module; each leaves it running."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    try:
        running.start()
        yield running
    finally:
        running.clean()


@pytest.fixture
def own_stack(tmp_path):
    """One for a test that ends it; not started."""
    mine = Stack(tmp_path)
    yield mine
    mine.clean()
