"""Every test has a data directory of its own; none reads the settings of the machine's own hub."""

import pytest
from django.db import connection


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, tmp_path_factory):
    """A file, as the hub has: in a database in memory, threads that meet in a table are refused at once instead of waiting."""
    test = connection.settings_dict["TEST"]
    if connection.vendor == "sqlite":
        test["NAME"] = str(tmp_path_factory.mktemp("database") / "hub.sqlite3")


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
