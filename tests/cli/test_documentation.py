"""docs/cli.md names every command that there is, with an example that its options allow, and nothing else."""

import re
import shlex

import pytest
from django.conf import settings

from tests.cli.tree import leaves, options

PAGE = (settings.BASE_DIR / "docs" / "cli.md").read_text()
SECTIONS = dict(re.findall(r"^### hub ([a-z -]+)\n(.*?)(?=^##|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))


def test_the_page_has_a_section_for_every_command_and_no_other():
    assert sorted(SECTIONS) == sorted(leaves())


@pytest.mark.parametrize("name", sorted(leaves()))
def test_each_command_has_an_example_whose_options_exist(name):
    examples = re.findall(r"^hub (?:--verbose )?(.+)$", SECTIONS[name], flags=re.MULTILINE)
    assert examples, "no example"
    known = options(leaves()[name])
    for example in examples:
        assert example.split()[: len(name.split())] == name.split()
        words = shlex.split(example.partition(" -- ")[0])
        assert {word for word in words if word.startswith("-")} <= known


def test_each_command_of_a_group_shows_an_example_in_its_help():
    for name, command in leaves().items():
        if " " in name:
            assert f"For example: hub {name}" in (command.help or ""), name


def test_the_statuses_of_the_help_stand_in_the_page(hub):
    said = hub("--help").stdout.decode()
    for status in re.findall(r"^ (\d+) ", said, flags=re.MULTILINE):
        assert f"| {status} |" in PAGE
