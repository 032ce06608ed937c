"""The cast of users, as for the API."""

from tests.cast import cast, fake_engine, pages

__all__ = ["cast", "fake_engine", "pages"]
