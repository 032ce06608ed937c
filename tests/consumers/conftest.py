"""A served hub with a running container, for all live tests of the sockets."""

import pytest

from tests.cast import cast, fake_engine, pages
from tests.consumers.served import Served, free_port
from tests.sandbox import Sandbox

__all__ = ["cast", "fake_engine", "pages"]

PEOPLE = """
    from django.contrib.auth import get_user_model
    from projects.services.tokens import make_token
    users = get_user_model().objects
    project, keys = Project.objects.get(slug="web"), {}
    for name, role in (("owner", "owner"), ("operator", "operator"), ("viewer", "viewer"), ("revoked", "viewer"), ("stranger", "")):
        user = users.create_user(name)
        if role:
            Membership.objects.create(project=project, user=user, role=role)
        keys[name] = make_token(user=user, name="live", actor=ACTOR)[1]
    keys["administrator"] = make_token(user=users.create_superuser("administrator"), name="live", actor=ACTOR)[1]
    lifecycle.ensure_container(project=project, actor=ACTOR)
    answer(keys)
"""


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """One for all; a test that ends a server, or counts what is left in one, takes another with `beside`."""
    box = Sandbox(tmp_path_factory.mktemp("hub"))
    box.migrate()
    box.python('from django.core.management import call_command; call_command("collectstatic", interactive=False, verbosity=0)')
    box.add_project("web")
    try:
        served = Served(box, free_port(), box.python(PEOPLE))
        with served.serving():
            yield served
    finally:
        box.clean()
