"""Every test has a data directory of its own; none reads the settings of the machine's own hub."""

import pytest


@pytest.fixture(autouse=True)
def own_data_dir(settings, tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    settings.DATA_DIR = directory
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"data_dir": directory})
    return directory
