"""What the live socket sends: what the page itself is made of, and only what differs."""

import pytest
from django.contrib.auth.models import AnonymousUser

from projects.access import Stranger
from projects.consumers.live import Fragments, Rows, differences
from projects.models import Project
from projects.services import feed
from projects.states import Status
from projects.views.live import fragments


def rows_of(found: Fragments) -> dict[str, str]:
    part = found["rows"]
    assert isinstance(part, Rows)
    return part.rows


def test_all_of_it_at_first_and_then_what_differs():
    first: Fragments = {"counts": "1", "rows": Rows("ab", {"a": "a", "b": "b"})}
    assert list(differences({}, first)) == [("counts", "1"), ("rows", "ab")]
    assert list(differences(first, {"counts": "1", "rows": Rows("aB", {"a": "a", "b": "B"})})) == [("b", "B")]


@pytest.mark.parametrize("rows", [{"a": "a"}, {"b": "b", "a": "a"}, {"a": "a", "b": "b", "c": "c"}])
def test_other_rows_or_another_order_bring_the_whole_list(rows):
    first: Fragments = {"rows": Rows("ab", {"a": "a", "b": "b"})}
    assert list(differences(first, {"rows": Rows("whole", rows)})) == [("rows", "whole")]


def test_the_fragments_are_the_pages_own(cast):
    page = cast.browser("owner").get("/").content.decode()
    found = fragments(cast.users["owner"], "/")
    assert str(found["counts"]).strip() in page
    assert all(row.strip() in page for row in rows_of(found).values())


def test_the_query_counts(cast):
    Project.objects.create(slug="other", name="other", path="/other", status=Status.RUNNING)
    found = fragments(cast.users["administrator"], "/?status=running")
    assert list(rows_of(found)) == ["row-other"]


def test_a_stranger_sees_none_of_it(cast, fake_engine):
    for user in (cast.users["stranger"], AnonymousUser()):
        assert list(fragments(user, "/")) == ["beginning"]


@pytest.mark.parametrize("address", ["/nowhere/", "", "/admin/", "/healthz", "//evil.example/nowhere/", "/activity/batches/1/"])
def test_what_is_not_live_is_refused(cast, address):
    with pytest.raises(Stranger):
        fragments(cast.users["owner"], address)


def test_the_feed_tells_of_events_readings_and_actions(cast):
    from projects.services.record import HUB, record

    before = feed.version()
    record("test.happened", actor=HUB, message="It happened.")
    after = feed.version()
    Project.objects.filter(slug="web").update(pending_action="stop", claim_token="x")
    assert len({before, after, feed.version()}) == 3


def test_the_feed_is_one_query(cast, django_assert_num_queries):
    with django_assert_num_queries(1):
        feed.version()
