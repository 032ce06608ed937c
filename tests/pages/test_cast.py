"""Every address of the hub's own pages, tried by everyone: what each gets is worked out from the table of use cases."""

from dataclasses import dataclass

import pytest
from django.test import Client

from projects.models import ImageBuild
from projects.services.errors import Busy
from projects.states import BuildState
from projects.use_cases import REFUSED, SIGN_IN, YES, allowed
from tests.cast import EVERYBODY


@dataclass(frozen=True)
class Place:
    method: str
    path: str
    use_case: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


PLACES = [
    Place("GET", "/images/", "list images"),
    Place("POST", "/images/build/", "build image"),
    Place("POST", "/images/builds/1/cancel/", "build image"),
    Place("GET", "/images/builds/1/", "see builds"),
    Place("GET", "/images/builds/1/log.txt", "see builds"),
    Place("GET", "/activity/", "list events"),
    Place("GET", "/activity/events.csv", "list events"),
    Place("GET", "/account/", "who am I"),
    Place("POST", "/account/tokens/", "own tokens"),
    Place("POST", "/account/sessions/end/", "own sessions"),
    Place("POST", "/projects/new/", "make project"),
    Place("POST", "/projects/new/?from=git", "clone project"),
    Place("GET", "/projects/new/check/?path=/etc", "discover"),
    Place("GET", "/system/", "signs of life of the hub"),
    Place("GET", "/system/doctor/", "doctor"),
    Place("GET", "/system/cleanup/", "cleanup"),
    Place("POST", "/system/cleanup/images/", "cleanup"),
    Place("POST", "/system/cleanup/containers/", "cleanup"),
    *(Place("POST", f"/system/drift/{action}/", "settle drift") for action in ("adopt", "remove", "look")),
]


@pytest.fixture
def busy(monkeypatch):
    """Nobody builds anything here."""

    def refuse(**_more: object) -> None:
        raise Busy("The image is being built already.")

    monkeypatch.setattr("projects.views.images.start_build", refuse)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_each_gets_what_the_table_says(cast, fake_engine, busy, place):
    ImageBuild.objects.create(pk=1, tag="t", actor_name="ann", state=BuildState.FINISHED)
    for name in EVERYBODY:
        client = Client() if name == "nobody" else cast.browser(name)
        if name != "nobody":
            client.get("/account/")
        token = client.cookies["csrftoken"].value if name != "nobody" else ""
        answer = client.get(place.path) if place.method == "GET" else client.post(place.path, {"csrfmiddlewaretoken": token})
        to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
        got = (
            SIGN_IN
            if to_sign_in
            else REFUSED
            if answer.status_code == 403
            else YES
            if answer.status_code in (200, 302)
            else answer.status_code
        )
        assert got == allowed(place.use_case, name), name
