"""The JSON API, under `/api/`: one door among several, each call of which calls one service."""

from projects.api.application import api

__all__ = ["api"]
