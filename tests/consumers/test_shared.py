"""What a hundred terminals share, so that a key of one of them waits for none of the others."""

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from projects.consumers.lookouts import Lookouts
from projects.consumers.pace import AT_ONCE_SECONDS, BULK_BYTES, FRAME_SECONDS, Pace
from projects.models import Project, TerminalSession
from projects.services.terminals import Use, note_uses


async def test_a_look_is_shared_by_all_who_ask_the_same_at_about_the_same_time():
    looked = []
    free = threading.Event()

    def look():
        looked.append(1)
        free.wait(20)
        return len(looked)

    lookouts = Lookouts()
    asked = [asyncio.create_task(lookouts.found("a", look, not_older=60)) for _ in range(50)]
    await asyncio.sleep(0.05)
    free.set()
    assert await asyncio.gather(*asked) == [1] * 50
    assert await lookouts.found("b", look, not_older=60) == 2
    assert await lookouts.found("a", look, not_older=60) == 1
    assert await lookouts.found("a", look, not_older=0) == 3


async def test_a_look_that_fails_fails_for_all_and_is_made_anew_when_it_is_old():
    answers = iter([ZeroDivisionError(), "well"])

    def look():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    lookouts = Lookouts()
    found = await asyncio.gather(*(lookouts.found("a", look, not_older=60) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [ZeroDivisionError] * 3
    assert await lookouts.found("a", look, not_older=0) == "well"


async def test_one_who_leaves_while_a_look_is_made_takes_it_from_nobody():
    free = threading.Event()
    lookouts = Lookouts()
    leaves = asyncio.create_task(lookouts.found("a", lambda: free.wait(20), not_older=60))
    stays = asyncio.create_task(lookouts.found("a", lambda: False, not_older=60))
    await asyncio.sleep(0.05)
    leaves.cancel()
    free.set()
    assert await stays is True


async def test_small_output_rests_for_a_frame_and_much_output_does_not():
    pace = Pace()
    assert pace.rests_after(100)
    assert not pace.rests_after(BULK_BYTES)
    began = time.monotonic()
    await pace.rest()
    assert time.monotonic() - began >= FRAME_SECONDS * 0.5


async def test_where_very_many_print_all_of_them_rest_longer(monkeypatch):
    monkeypatch.setattr("projects.consumers.pace.MOST_A_SECOND", 100)
    many = [asyncio.create_task(Pace().rest()) for _ in range(50)]
    await asyncio.sleep(FRAME_SECONDS * 2)
    began = time.monotonic()
    await Pace().rest()
    assert time.monotonic() - began >= 51 / 100 * 0.5
    await asyncio.gather(*many)
    async with asyncio.timeout(51 / 100 * 0.5):  # those who are gone count no more
        await Pace().rest()


async def test_a_key_ends_the_rest_and_its_echo_goes_out_as_it_comes(monkeypatch):
    monkeypatch.setattr("projects.consumers.pace.FRAME_SECONDS", 20)
    pace = Pace()
    resting = asyncio.create_task(pace.rest())
    await asyncio.sleep(0.05)
    assert not resting.done()
    pace.typed()
    async with asyncio.timeout(AT_ONCE_SECONDS):
        await resting
    assert not pace.rests_after(1)
    await asyncio.sleep(AT_ONCE_SECONDS + 0.05)
    assert pace.rests_after(1)


@pytest.mark.django_db
def test_uses_are_noted_for_the_open_sessions_that_they_name(django_assert_num_queries):
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    one, other = (Project.objects.create(slug=slug, name=slug, path=f"/w/{slug}") for slug in ("one", "other"))
    for project, name, closed in [(one, "main", None), (one, "old", None), (other, "main", None), (one, "main", timezone.now())]:
        TerminalSession.objects.create(project=project, name=name, closed_at=closed, last_input_at=long_ago, last_output_at=long_ago)
    uses = {Use(one.pk, "main", True), Use(one.pk, "main", False), Use(other.pk, "main", False), Use(one.pk, "gone", False)}
    with django_assert_num_queries(5):  # three updates, in a transaction
        note_uses(uses)
    rows = TerminalSession.objects.order_by("pk").values_list("last_input_at", "last_output_at")
    noted = [(typed != long_ago, printed != long_ago) for typed, printed in rows]
    assert noted == [(True, True), (False, False), (False, True), (False, False)]
