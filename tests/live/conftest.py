import pytest

from tests.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path):
    """A migrated hub of its own on the real Engine."""
    box = Sandbox(tmp_path)
    box.migrate()
    yield box
    box.clean()
