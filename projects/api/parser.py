"""Request bodies: strict JSON in UTF-8, without what a database, a file name or a process could not hold."""

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from projects.services.errors import BadInput

_DEPTH = 20


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        """Raises BadInput."""
        try:
            content = json.loads(request.body.decode(), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise BadInput("The body is not UTF-8; send JSON in UTF-8.") from error
        except RecursionError as error:
            raise BadInput("The body is nested too deeply; send a plain object.") from error
        except ValueError as error:
            raise BadInput(f"The body is not JSON ({error}); send an object as /api/docs shows it.") from error
        _demand_plain(content)
        return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _demand_plain(value: Any, depth: int = 0) -> None:
    """Raises BadInput for NUL characters, halves of surrogate pairs and deep nesting."""
    if depth > _DEPTH:
        raise BadInput("The body is nested too deeply; send a plain object.")
    if isinstance(value, str):
        if "\0" in value:
            raise BadInput("A text in the body holds a NUL character; leave it out.")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise BadInput("A text in the body holds half a surrogate pair; send whole Unicode characters.")
    elif isinstance(value, dict):
        for key, content in value.items():
            _demand_plain(key, depth)
            _demand_plain(content, depth + 1)
    elif isinstance(value, list):
        for content in value:
            _demand_plain(content, depth + 1)
