"""What the OpenAPI document promises, held against the API by generated requests: no 5xx, and answers of the declared shape."""

import json
from functools import cache
from zlib import crc32

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from projects.api import api, images
from projects.models import ApiToken, CommandRun
from projects.services import commands
from projects.services.images import build_image
from projects.states import RunState

RUN_ID = "6f1c2a9b-7d3e-4a57-9c55-0c8f5a1b2c3d"
KNOWN = {"slug": "web", "run_id": RUN_ID, "username": "viewer", "host": "github.com"}
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@cache
def handler() -> WSGIHandler:
    return WSGIHandler()


def application(environ, start_response):
    """The hub, made at the first request, when a test has set its settings."""
    return handler()(environ, start_response)


schema = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema(path_params={}), cls=DjangoJSONEncoder)))
schema.app = application


@schema.hook
def map_path_parameters(context, path_parameters):
    """Every other request speaks of what exists: random names would meet 404 only."""
    if not path_parameters:
        return path_parameters
    return {
        name: KNOWN[name] if name in KNOWN and crc32(str(value).encode(errors="replace")) % 2 else value
        for name, value in path_parameters.items()
    }


@pytest.fixture
def key(running, monkeypatch) -> str:
    """An administrator's; the project, its container and a command of it exist. What goes on in threads is done at once."""
    monkeypatch.setattr(images, "start_build", build_image)
    monkeypatch.setattr(commands, "start_command", lambda **order: CommandRun.objects.get(pk=commands.run_command(**order).id))
    CommandRun.objects.create(
        id=RUN_ID,
        project=running.project,
        command="true",
        timeout_seconds=1,
        actor_name="x",
        state=RunState.FINISHED,
        finished_at=running.project.created_at,
    )
    token, key = ApiToken.unsaved(user=running.users["administrator"], name="schemathesis", pk=2**40)
    token.save()  # of a number that no generated request revokes
    return key


@pytest.fixture
def one_connection():
    """The application runs within the test's transaction, which the end of a request must not close; Django's test client does the same."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_generated_request_meets_a_fault_or_an_undeclared_answer(case, key, one_connection):
    response = case.call(headers={"Authorization": f"Bearer {key}"})
    case.validate_response(response, checks=CHECKS)
