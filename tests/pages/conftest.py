"""The pages, as each of the cast sees them, on an Engine in memory."""

import pytest

from tests.cast import Cast, cast, fake_engine, pages

__all__ = ["cast", "fake_engine", "pages"]


@pytest.fixture
def posting(cast: Cast):
    """`posting(name, path, **fields)`: a form of that user, sent as a browser does, with the token of a page."""

    def post(name: str, path: str, /, **fields: object):
        client = cast.browser(name)
        client.get("/account/")
        return client.post(path, {**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"].value}, follow=True)

    return post
