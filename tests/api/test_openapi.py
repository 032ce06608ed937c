"""The OpenAPI document against the contract."""

import re

from projects.api import api

CONTRACT = """
GET /api/projects · POST /api/projects
GET /api/projects/{slug} · PATCH /api/projects/{slug} · DELETE /api/projects/{slug}
POST /api/projects/{slug}/ensure-container
GET /api/projects/{slug}/container · DELETE /api/projects/{slug}/container
GET /api/projects/{slug}/container/stats · GET /api/projects/{slug}/container/health · GET /api/projects/{slug}/container/logs
GET /api/projects/{slug}/container/decisions · GET /api/projects/{slug}/container/samples
POST /api/projects/{slug}/container/refresh
POST /api/projects/{slug}/container/start · POST /api/projects/{slug}/container/stop · POST /api/projects/{slug}/container/restart
GET /api/projects/{slug}/members · POST /api/projects/{slug}/members · DELETE /api/projects/{slug}/members
GET /api/images · POST /api/images/build · GET /api/images/builds/{id}
GET /api/tokens · POST /api/tokens · DELETE /api/tokens
GET /api/projects/{slug}/commands · POST /api/projects/{slug}/commands
GET /api/commands/{id} · GET /api/commands/{id}/output · DELETE /api/commands/{id}
GET /api/projects/{slug}/events · GET /api/events
GET /api/containers/count · POST /api/containers/cleanup
"""
DOCUMENT = api.get_openapi_schema(path_params={})
OPERATIONS = [(method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()]


def test_every_call_of_the_contract_is_there():
    there = {f"{method.upper()} {re.sub('{[a-z_]*id}', '{id}', path)}" for method, path, _ in OPERATIONS}
    assert set(re.split(r"\n| · ", CONTRACT.strip())) <= there


def test_every_operation_says_what_it_is_and_how_it_refuses():
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    for _, path, operation in OPERATIONS:
        assert operation["summary"]
        assert operation["security"] == [{"Bearer": []}, {"Session": []}], path
        assert {400, 401, 403, 404, 422} <= set(operation["responses"]), path
        for status, response in operation["responses"].items():
            if status >= 400:
                assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_calls_on_the_engine_declare_that_it_may_be_away():
    for method, path, operation in OPERATIONS:
        if "/container" in path and not (method == "get" and path.endswith("/container")):
            assert {409, 503} <= set(operation["responses"]), path


def test_there_are_examples():
    assert DOCUMENT["components"]["schemas"]["ProjectIn"]["properties"]["path"]["examples"]


def test_what_may_be_left_out_but_not_be_null_says_so():
    patch = DOCUMENT["components"]["schemas"]["ProjectPatch"]
    assert "required" not in patch
    assert patch["properties"]["name"]["type"] == "string"
    assert patch["additionalProperties"] is False
