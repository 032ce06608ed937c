"""Every test has a data directory of its own; none reads the settings of the machine's own hub."""

import pytest


@pytest.fixture(autouse=True)
def own_data_dir(settings, tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    settings.DATA_DIR = directory
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"data_dir": directory})
    return directory


def pytest_terminal_summary(terminalreporter):
    """What tests recorded as "told", also those of another process."""
    told = [value for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome) for value in _told(report)]
    if told:
        terminalreporter.section("told")
        for line in told:
            terminalreporter.write_line(line)


def _told(report):
    return [value for name, value in report.user_properties if name == "told" and report.when == "call"]
